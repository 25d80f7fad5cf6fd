//! The digest that names what policies were compiled from.

use std::fmt::Write as _;
use std::sync::Arc;

use kenward_disclosure::{Bindings, Inferences};
use sha2::{Digest, Sha256};

use crate::source::Sources;
use crate::surface::Surface;

/// SHA-256 of everything that takes part in a decision beside the world, in hexadecimal.
pub(super) fn of(
    sources: &Sources,
    surface: &Surface,
    bindings: &Bindings,
    inferences: &Inferences,
) -> Arc<str> {
    let mut digest = Sha256::new();
    for (kind, files) in [("schema", &sources.schemas), ("policy", &sources.policies)] {
        for file in files {
            add(&mut digest, kind);
            add(&mut digest, &file.path);
            add(&mut digest, &file.text);
        }
    }
    add(&mut digest, &format!("{surface:?}"));
    add(&mut digest, &format!("{bindings:?}"));
    add(&mut digest, &format!("{inferences:?}"));
    let mut text = String::with_capacity(64);
    for byte in digest.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Arc::from(text)
}

/// Adds a part with its length, so that parts cannot run into each other.
fn add(digest: &mut Sha256, part: &str) {
    digest.update(part.len().to_le_bytes());
    digest.update(part.as_bytes());
}
