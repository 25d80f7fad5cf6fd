//! The claims of an access token, read strictly: a claim of the wrong form is no claim but an error.

use std::sync::Arc;

use kenward_model::Timestamp;
use serde_json::{Map, Value};

use crate::ClaimNames;
use crate::error::{Claim, TokenError};

/// The last second of the year 9999; a later one is a mistake, such as milliseconds.
const LAST_SECOND: i64 = 253_402_300_799;

/// The claims as the token has them.
#[derive(Debug)]
pub(crate) struct Claims(pub(crate) Map<String, Value>);

impl Claims {
    /// A text that must be there and not be empty.
    pub(crate) fn required(&self, name: &str, claim: Claim) -> Result<&str, TokenError> {
        self.optional(name, claim)?.ok_or(TokenError::ClaimMissing(claim))
    }

    /// A text that is not empty if it is there.
    pub(crate) fn optional(&self, name: &str, claim: Claim) -> Result<Option<&str>, TokenError> {
        match self.find(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(_) => Err(TokenError::ClaimMalformed(claim)),
        }
    }

    /// A `NumericDate` (RFC 7519 section 2), fractions allowed.
    pub(crate) fn time(&self, name: &str, claim: Claim) -> Result<Option<Timestamp>, TokenError> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let seconds = value.as_i64().or_else(|| value.as_f64().and_then(whole_seconds));
        match seconds {
            Some(seconds) if (0..=LAST_SECOND).contains(&seconds) => {
                Ok(Some(Timestamp::from_seconds(seconds)))
            }
            Some(_) | None => Err(TokenError::ClaimMalformed(claim)),
        }
    }

    /// A list of texts, or one text that stands for a list of one.
    pub(crate) fn texts(&self, name: &str, claim: Claim) -> Result<Vec<Arc<str>>, TokenError> {
        let malformed = TokenError::ClaimMalformed(claim);
        match self.find(name) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) if !text.is_empty() => Ok(vec![Arc::from(text.as_str())]),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().filter(|text| !text.is_empty()).map(Arc::from))
                .collect::<Option<_>>()
                .ok_or(malformed),
            Some(_) => Err(malformed),
        }
    }

    /// The scopes: `scope` with spaces (RFC 8693 section 4.2), or `scp`, as a text or a list.
    pub(crate) fn scopes(&self) -> Result<Vec<Arc<str>>, TokenError> {
        let name = if self.0.contains_key("scope") { "scope" } else { "scp" };
        match self.0.get(name) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(text.split_ascii_whitespace().map(Arc::from).collect()),
            Some(_) => self.texts(name, Claim::Scope),
        }
    }

    /// The agent: the configured claim, or else `azp`.
    pub(crate) fn agent(&self, names: &ClaimNames) -> Result<&str, TokenError> {
        match self.optional(&names.agent, Claim::Agent)? {
            Some(agent) => Ok(agent),
            None => self.required("azp", Claim::Agent),
        }
    }

    /// The groups, if the issuer's are trusted.
    pub(crate) fn groups(&self, names: &ClaimNames) -> Result<Vec<Arc<str>>, TokenError> {
        let Some(name) = names.groups.as_deref() else { return Ok(Vec::new()) };
        // SECURITY: groups that are too many for the token are said to be elsewhere (OpenID Connect
        // Core section 5.6.2). As if there were none, a `forbid` for one of them would not hold
        // (test `verify::tests::groups_that_are_left_out_refuse_the_token`).
        let elsewhere = self.0.get("_claim_names").is_some_and(|names| names.get(name).is_some());
        if elsewhere || self.0.contains_key("hasgroups") {
            return Err(TokenError::GroupsLeftOut);
        }
        self.texts(name, Claim::Groups)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The claim `name`, or the value that a JSON Pointer leads to.
    fn find(&self, name: &str) -> Option<&Value> {
        let Some(path) = name.strip_prefix('/') else { return self.0.get(name) };
        let (first, rest) = match path.split_once('/') {
            Some((first, rest)) => (first, Some(rest)),
            None => (path, None),
        };
        let value = self.0.get(&first.replace("~1", "/").replace("~0", "~"))?;
        match rest {
            None => Some(value),
            Some(rest) => value.pointer(&format!("/{rest}")),
        }
    }
}

/// The whole seconds of a fractional `NumericDate`; later digits do not count.
fn whole_seconds(seconds: f64) -> Option<i64> {
    if !(0.0..1e15).contains(&seconds) {
        return None;
    }
    format!("{:.0}", seconds.floor()).parse().ok()
}
