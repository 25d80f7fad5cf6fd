//! An issuer as the configuration describes it: whom it may speak for and in which claims.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::SignatureAlgorithm;

/// An issuer whose access tokens are trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuerSpec {
    /// The issuer's identifier, byte for byte as in `iss`.
    pub issuer: String,
    /// Where its keys are: `file:PATH` or a URL; discovered from the issuer when absent.
    #[serde(default)]
    pub jwks: Option<String>,
    /// Audiences that are accepted besides the endpoint's own URL.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// In which claims it says what.
    #[serde(default)]
    pub claims: ClaimNames,
    /// Put before the user's id, so that two issuers' users cannot be mistaken for each other.
    #[serde(default)]
    pub user_prefix: Option<String>,
    /// The signature algorithms that its tokens may use.
    #[serde(default = "all_algorithms")]
    pub algorithms: Vec<SignatureAlgorithm>,
}

impl IssuerSpec {
    /// The issuer `issuer` with everything else as when the configuration does not say.
    pub fn new(issuer: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            jwks: None,
            audiences: Vec::new(),
            claims: ClaimNames::default(),
            user_prefix: None,
            algorithms: all_algorithms(),
        }
    }
}

/// The claims that carry the caller. A name that begins with `/` is a JSON Pointer (RFC 6901), for
/// claims within claims such as `/realm_access/roles`; any other name is meant literally.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClaimNames {
    /// The claim with the user's id.
    pub user: String,
    /// The claim with the user's groups; without it the issuer's groups are not trusted.
    pub groups: Option<String>,
    /// The claim with the agent's id; `azp` stands in where a token lacks it.
    pub agent: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self { user: "sub".to_owned(), groups: None, agent: "client_id".to_owned() }
    }
}

fn all_algorithms() -> Vec<SignatureAlgorithm> {
    SignatureAlgorithm::ALL.to_vec()
}
