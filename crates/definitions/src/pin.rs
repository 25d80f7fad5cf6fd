//! The digest by which a definition is held fast.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// SHA-256 of the RFC 8785 form of a definition; the same for every way to write one value.
/// Nothing if it has no such form.
///
/// ```
/// let one = serde_json::json!({ "name": "a", "description": "b" });
/// let other: serde_json::Value =
///     serde_json::from_str(r#"{ "description": "\u0062", "name": "a" }"#).unwrap();
/// assert_eq!(kenward_definitions::pin(&one), kenward_definitions::pin(&other));
/// ```
pub fn pin(definition: &Value) -> Option<[u8; 32]> {
    let mut hasher = Writer(Sha256::new());
    serde_json_canonicalizer::to_writer(definition, &mut hasher).ok()?;
    Some(hasher.0.finalize().into())
}

struct Writer(Sha256);

impl std::io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
