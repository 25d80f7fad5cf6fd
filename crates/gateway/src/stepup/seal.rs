//! The state that a question to the person carries: only we can make it, and it fits one call.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kenward_model::{EntityUid, Timestamp};
use kenward_policy::Ask;
use moka::sync::Cache;
use serde::{Deserialize, Serialize};

use crate::clock::{self, NoEntropy};
use crate::pipeline::Call;

/// How our states begin; whatever begins otherwise is a server's own.
const PREFIX: &str = "kenward1.";
/// How many answered questions are remembered, so that each is answered once.
const MOST_ANSWERED: u64 = 100_000;

/// Seals and opens states, with a key that lives as long as the process.
#[derive(Debug)]
pub(crate) struct Sealer {
    key: hmac::Key,
    answered: Cache<String, ()>,
}

/// What is sealed.
#[derive(Debug, Serialize, Deserialize)]
struct Sealed {
    person: EntityUid,
    server: String,
    target: String,
    /// Of the arguments: they may not be swapped in between.
    digest: [u8; 32],
    subject: EntityUid,
    family: String,
    reason: String,
    expires: Timestamp,
    /// The decision that was asked about.
    decision: String,
}

impl Sealer {
    pub(crate) fn new() -> Result<Self, NoEntropy> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &clock::entropy::<32>()?);
        let lived = Duration::from_hours(1);
        let answered = Cache::builder().max_capacity(MOST_ANSWERED).time_to_live(lived).build();
        Ok(Self { key, answered })
    }

    pub(crate) fn is_ours(state: &str) -> bool {
        state.starts_with(PREFIX)
    }

    pub(super) fn seal(&self, call: &Call, ask: &Ask, expires: Timestamp) -> String {
        let sealed = Sealed {
            person: call.entry.caller.user.clone(),
            server: call.entry.server.to_string(),
            target: call.target().name().unwrap_or_default().to_owned(),
            digest: call.digest,
            subject: ask.subject.clone(),
            family: ask.family.to_string(),
            reason: super::reason_word(ask.reason).to_owned(),
            expires,
            decision: call.id.to_string(),
        };
        let body = serde_json::to_vec(&sealed).unwrap_or_default();
        let tag = hmac::sign(&self.key, &body);
        let (body, tag) = (URL_SAFE_NO_PAD.encode(body), URL_SAFE_NO_PAD.encode(tag));
        format!("{PREFIX}{body}.{tag}")
    }

    /// What was asked, if `state` was made for this person and this very call and is answered for
    /// the first time.
    pub(super) fn open(
        &self,
        state: &str,
        call: &Call,
        now: Timestamp,
    ) -> Result<Ask, &'static str> {
        const NOT_OURS: &str = "`requestState` was not made for this request";
        let parts = state.strip_prefix(PREFIX).and_then(|rest| rest.split_once('.'));
        let (body, tag) = parts.ok_or(NOT_OURS)?;
        let body = URL_SAFE_NO_PAD.decode(body).map_err(|_| NOT_OURS)?;
        let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| NOT_OURS)?;
        hmac::verify(&self.key, &body, &tag).map_err(|_| NOT_OURS)?;
        let sealed: Sealed = serde_json::from_slice(&body).map_err(|_| NOT_OURS)?;
        let fits = sealed.person == call.entry.caller.user
            && sealed.server == call.entry.server.as_str()
            && Some(sealed.target.as_str()) == call.target().name()
            && sealed.digest == call.digest;
        if !fits {
            return Err(NOT_OURS);
        }
        if sealed.expires <= now {
            return Err("the question has waited too long; call again");
        }
        let is_first = self.answered.entry(sealed.decision.clone()).or_insert(()).is_fresh();
        if !is_first {
            return Err("the question is answered already; call again");
        }
        let reason = super::reason_of(&sealed.reason).ok_or(NOT_OURS)?;
        Ok(Ask { subject: sealed.subject, family: sealed.family.into(), reason })
    }
}
