//! Step 6, decide: the questions, on one snapshot and the person's past. Nothing else makes a permit.

use kenward_disclosure::Entry;
use kenward_live::InForce;
use kenward_policy::Verdict;

use super::Call;
use crate::stop::Stop;

/// The verdict, and what is to be kept of it before anything comes of it.
pub(super) fn decide(call: &Call, in_force: &InForce) -> (Verdict, Vec<Entry>) {
    call.judge(in_force, call.entry.time)
}

/// Keeps what a decision adds to the history. What cannot be kept is not allowed; a refusal stays
/// one, also when its shadow is lost with the process.
pub(super) async fn keep(call: &Call, verdict: &Verdict, entries: &[Entry]) -> Result<(), Stop> {
    match call.entry.past.keep(entries).await {
        Ok(()) => Ok(()),
        Err(error) => {
            tracing::error!(%error, id = %call.id, "the history of a person could not be kept");
            if verdict.is_allowed() { Err(us(call)) } else { Ok(()) }
        }
    }
}

fn us(call: &Call) -> Stop {
    Stop::Us { id: call.request_id().map(<[u8]>::to_vec), reference: call.id.to_string() }
}
