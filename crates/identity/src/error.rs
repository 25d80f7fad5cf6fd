//! Why a token is not accepted.

use std::fmt;

/// A claim that a caller is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Claim {
    /// `iss`
    Issuer,
    /// `sub`
    Subject,
    /// `aud`
    Audience,
    /// `exp`
    Expiry,
    /// `nbf`
    NotBefore,
    /// `iat`
    IssuedAt,
    /// The claim that is configured to carry the user's id.
    User,
    /// The claim that is configured to carry the agent's id.
    Agent,
    /// The claim that is configured to carry the groups.
    Groups,
    /// `scope` or `scp`
    Scope,
    /// `acr`
    Context,
    /// `amr`
    Methods,
    /// `auth_time`
    AuthenticatedAt,
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Issuer => "iss",
            Self::Subject => "sub",
            Self::Audience => "aud",
            Self::Expiry => "exp",
            Self::NotBefore => "nbf",
            Self::IssuedAt => "iat",
            Self::User => "user id",
            Self::Agent => "client id",
            Self::Groups => "groups",
            Self::Scope => "scope",
            Self::Context => "acr",
            Self::Methods => "amr",
            Self::AuthenticatedAt => "auth_time",
        })
    }
}

/// Why a token is not accepted. Nothing here holds anything of the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is not three parts of strict base64url, with a JSON object in the first and, for an
    /// access token, the second; or an object has a member twice.
    #[error("the token is malformed")]
    Malformed,
    /// Its header asks for what is never done: a key from the token itself, a critical extension.
    #[error("the token's header has a member that is not accepted")]
    HeaderRefused,
    /// Its `typ` is that of another kind of token.
    #[error("the token is of another type than an access token")]
    TypeRefused,
    /// Its `alg` is not one of the issuer's, or not the key's.
    #[error("the token's signature algorithm is not accepted")]
    AlgorithmRefused,
    /// No key of the issuer bears its `kid`.
    #[error("the token is signed with a key that the issuer does not publish")]
    KeyUnknown,
    /// It has no `kid`, and more than one key could have signed it.
    #[error("the token does not say which key signed it")]
    KeyAmbiguous,
    /// The key that it names is published but cannot be trusted.
    #[error("the token is signed with a key that is not accepted")]
    KeyRefused,
    /// The signature is not the key's.
    #[error("the token's signature is wrong")]
    SignatureWrong,
    /// Nobody trusts its issuer.
    #[error("the token's issuer is not trusted")]
    UnknownIssuer,
    /// It lacks a claim that is needed.
    #[error("the token lacks the claim `{0}`")]
    ClaimMissing(Claim),
    /// A claim is not of the form that its definition demands.
    #[error("the token's claim `{0}` has the wrong form")]
    ClaimMalformed(Claim),
    /// It is meant for somebody else.
    #[error("the token is meant for another audience")]
    AudienceRefused,
    /// It has ended.
    #[error("the token has expired")]
    Expired,
    /// It has not begun.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// It is an ID token, a refresh token, a logout token or a security event.
    #[error("the token is no access token")]
    NotAccessToken,
    /// It says that the groups must be asked for elsewhere, so they are not known.
    #[error("the token leaves out the groups")]
    GroupsLeftOut,
    /// It is bound to a key of the client (RFC 7800), whose proof is not asked for here.
    #[error("the token needs a proof of possession")]
    SenderConstrained,
}

impl TokenError {
    /// Whether newer keys of the issuer could make the token good.
    pub fn is_unknown_key(&self) -> bool {
        *self == Self::KeyUnknown
    }

    /// What the client may be told, as an `error_description` (RFC 6750 section 3): a constant.
    pub fn description(&self) -> &'static str {
        match self {
            Self::Malformed => "the token is malformed",
            Self::HeaderRefused => "the token's header has a member that is not accepted",
            Self::TypeRefused | Self::NotAccessToken => "the token is not an access token",
            Self::AlgorithmRefused => "the token's signature algorithm is not accepted",
            Self::KeyUnknown | Self::KeyAmbiguous | Self::KeyRefused => {
                "the token's key is not known or not accepted"
            }
            Self::SignatureWrong => "the token's signature is wrong",
            Self::UnknownIssuer => "the token's issuer is not trusted",
            Self::ClaimMissing(claim) => missing(*claim),
            Self::ClaimMalformed(_) => "a claim of the token has the wrong form",
            Self::AudienceRefused => "the token is meant for another audience",
            Self::Expired => "the token has expired",
            Self::NotYetValid => "the token is not valid yet",
            Self::GroupsLeftOut => "the token leaves out the groups",
            Self::SenderConstrained => "sender-constrained tokens are not accepted here",
        }
    }
}

fn missing(claim: Claim) -> &'static str {
    match claim {
        Claim::Issuer => "the token lacks iss",
        Claim::Subject => "the token lacks sub",
        Claim::Audience => "the token lacks aud",
        Claim::Expiry => "the token lacks exp",
        Claim::User => "the token lacks the user's id",
        Claim::Agent => "the token lacks the client's id",
        Claim::NotBefore
        | Claim::IssuedAt
        | Claim::Groups
        | Claim::Scope
        | Claim::Context
        | Claim::Methods
        | Claim::AuthenticatedAt => "the token lacks a claim",
    }
}
