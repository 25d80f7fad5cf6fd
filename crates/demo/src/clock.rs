//! The one place of the demo where time and entropy come from.

use std::time::SystemTime;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kenward_model::Timestamp;

use crate::DemoError;

/// Now, by the system's clock.
#[expect(clippy::disallowed_methods, reason = "this is the demo's clock")]
pub(crate) fn now() -> Timestamp {
    let micros = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
    Timestamp::from_micros(micros)
}

/// A text that nobody can guess: 32 random bytes as base64url.
pub(crate) fn secret() -> Result<String, DemoError> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| DemoError::NoEntropy)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
