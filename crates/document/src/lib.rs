//! Documents that people write, read with places: everything that is wrong is reported at once.
//!
//! A text is parsed into a tree that knows where each node stands, the tree is held against the
//! JSON Schema of the wanted type, and only a tree without a single finding becomes a value. No
//! files are opened here and no environment is read: both are the caller's.

mod check;
mod decode;
mod nearest;
mod places;
mod reader;
mod scalar;
mod substitute;
mod tree;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use kenward_model::Finding;

pub use nearest::nearest;
pub use places::{Document, Places};
pub use reader::Reader;

/// The environment that `${NAME}` is looked up in.
pub type Environment<'e> = Option<&'e dyn Fn(&str) -> Option<String>>;

/// Reads the YAML or JSON `text` into a `T`.
///
/// `source` names the text in the places of findings. `${NAME}` in string values is replaced
/// through `environment` (`$${` stands for `${` itself); without one, nothing is replaced.
///
/// # Errors
/// Every problem of the text, in the order of their places: what is no YAML (a subset: no anchors,
/// aliases, tags or second documents; at most 16 MiB and 64 levels), duplicate and unknown keys,
/// missing keys, wrong types and values, and variables that are not set.
pub fn read<T: DeserializeOwned + JsonSchema>(
    source: &str,
    text: &str,
    environment: Environment<'_>,
) -> Result<Document<T>, Vec<Finding>> {
    Reader::new().read(source, text, environment)
}

#[cfg(test)]
mod tests;
