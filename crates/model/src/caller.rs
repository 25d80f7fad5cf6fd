//! The authenticated pair of a user and the agent that acts for the user.

use std::sync::Arc;

use crate::{EntityUid, Timestamp};

/// Who is calling: the *user*, whose rights count, and the *agent*, the client acting for the user.
///
/// Made from a verified access token and immutable from then on, so that one value serves every
/// call that presents the same token.
#[derive(Debug, Clone, PartialEq)]
pub struct Caller {
    /// The user, `User::"<sub>"` with the issuer's prefix where one is configured.
    pub user: EntityUid,
    /// The agent, `Mcp::Agent::"<client id>"`.
    pub agent: EntityUid,
    /// The issuer of the token, byte for byte as in its `iss`.
    pub issuer: Arc<str>,
    /// The token's own `sub`, without any prefix.
    pub subject: Arc<str>,
    /// The groups that the token states, in its order; empty when the issuer's are not trusted.
    pub groups: Vec<Arc<str>>,
    /// The token's scopes, in its order.
    pub scopes: Vec<Arc<str>>,
    /// The authentication context class (`acr`, `OpenID` Connect Core section 2).
    pub acr: Option<Arc<str>>,
    /// The authentication methods (`amr`, RFC 8176).
    pub amr: Vec<Arc<str>>,
    /// When the user last authenticated (`auth_time`).
    pub auth_time: Option<Timestamp>,
    /// When the token ends; the caller ends with it.
    pub expires: Timestamp,
    /// All claims of the token, for mappings (`token` in CEL).
    pub claims: serde_json::Value,
    /// A digest of everything above: equal for equal rights to ask, whatever the connection.
    pub fingerprint: u64,
}

impl Caller {
    /// Whether the token carries `scope`.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|held| &**held == scope)
    }

    /// Whether both are the same user through the same agent, whatever token each presented.
    pub fn is_same_party(&self, other: &Self) -> bool {
        self.user == other.user && self.agent == other.agent && self.issuer == other.issuer
    }
}
