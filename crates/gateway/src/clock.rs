//! The one place of the data plane where time and entropy come from.

use std::time::SystemTime;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use kenward_model::{DecisionId, Timestamp};

/// Now, by the system's clock.
#[expect(clippy::disallowed_methods, reason = "this is the clock's home")]
pub fn now() -> Timestamp {
    let micros = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
    Timestamp::from_micros(micros)
}

/// The system's source of entropy failed; nothing may be decided without it.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("no entropy from the system")]
pub struct NoEntropy;

/// `N` unpredictable bytes.
pub fn entropy<const N: usize>() -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoEntropy)?;
    Ok(bytes)
}

/// A new decision's id.
pub fn decision_id(now: Timestamp) -> Result<DecisionId, NoEntropy> {
    Ok(DecisionId::new(now, &entropy::<10>()?))
}
