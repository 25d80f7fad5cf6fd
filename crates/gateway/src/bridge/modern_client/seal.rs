//! The state that a client brings back with its answer: only we can make or read it, and it fits
//! one party, one call with the same arguments, and the next minutes.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kenward_model::{EntityUid, Timestamp};
use serde::{Deserialize, Serialize};

use super::parked::Ticket;
use crate::clock::{self, NoEntropy};
use crate::pipeline::Call;

/// How our states begin; it is sealed along.
const PREFIX: &str = "kenward-call1.";
const NOT_OURS: &str = "`requestState` was not made for this request";
const LATE: &str = "the question has waited too long; call again";

/// Seals and opens states, with a key that lives as long as the process.
#[derive(Debug)]
pub(super) struct Seal(RandomizedNonceKey);

/// What is sealed.
#[derive(Debug, Serialize, Deserialize)]
struct Sealed {
    ticket: Ticket,
    issuer: String,
    user: EntityUid,
    agent: EntityUid,
    server: String,
    method: String,
    target: String,
    /// Of the arguments: they may not be swapped in between.
    digest: [u8; 32],
    expires: Timestamp,
}

impl Sealed {
    fn of(call: &Call, ticket: Ticket, expires: Timestamp) -> Self {
        let caller = &call.entry.caller;
        Self {
            ticket,
            issuer: caller.issuer.to_string(),
            user: caller.user.clone(),
            agent: caller.agent.clone(),
            server: call.entry.server.to_string(),
            method: call.row.name.to_owned(),
            target: call.target().name().unwrap_or_default().to_owned(),
            digest: call.digest,
            expires,
        }
    }

    fn fits(&self, call: &Call) -> bool {
        let caller = &call.entry.caller;
        *self.issuer == *caller.issuer
            && self.user == caller.user
            && self.agent == caller.agent
            && self.server == call.entry.server.as_str()
            && self.method == call.row.name
            && Some(self.target.as_str()) == call.target().name()
            && self.digest == call.digest
    }
}

impl Seal {
    pub(super) fn new() -> Result<Self, NoEntropy> {
        let key = clock::entropy::<32>()?;
        RandomizedNonceKey::new(&AES_256_GCM, &key).map(Self).map_err(|_| NoEntropy)
    }

    /// The state under which `ticket` waits for the next request like `call`.
    pub(super) fn seal(
        &self,
        call: &Call,
        ticket: Ticket,
        expires: Timestamp,
    ) -> Result<String, NoEntropy> {
        let sealed = Sealed::of(call, ticket, expires);
        let mut bytes = serde_json::to_vec(&sealed).map_err(|_| NoEntropy)?;
        let nonce = self.0.seal_in_place_append_tag(Aad::from(PREFIX), &mut bytes);
        let nonce = nonce.map_err(|_| NoEntropy)?;
        let whole = [nonce.as_ref().as_slice(), bytes.as_slice()].concat();
        Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(whole)))
    }

    /// What waits under `state`, if it was made for this party and this very call and is not late.
    pub(super) fn open(
        &self,
        state: &str,
        call: &Call,
        now: Timestamp,
    ) -> Result<Ticket, &'static str> {
        let encoded = state.strip_prefix(PREFIX).ok_or(NOT_OURS)?;
        let mut whole = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| NOT_OURS)?;
        let (nonce, bytes) = whole.split_at_mut_checked(NONCE_LEN).ok_or(NOT_OURS)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| NOT_OURS)?;
        let bytes = self.0.open_in_place(nonce, Aad::from(PREFIX), bytes).map_err(|_| NOT_OURS)?;
        let sealed: Sealed = serde_json::from_slice(bytes).map_err(|_| NOT_OURS)?;
        if !sealed.fits(call) {
            return Err(NOT_OURS);
        }
        if sealed.expires <= now { Err(LATE) } else { Ok(sealed.ticket) }
    }
}
