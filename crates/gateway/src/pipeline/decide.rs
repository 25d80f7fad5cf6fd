//! Step 6, decide: the five questions, on one snapshot. Nothing else makes a permit.

use kenward_live::InForce;
use kenward_policy::Verdict;

use super::Call;

pub(super) fn decide(call: &Call, in_force: &InForce) -> Verdict {
    call.judge(in_force, call.entry.time)
}
