//! The types of subjects that the bindings of a deployment speak of.

use std::collections::BTreeSet;

use crate::spec::ToolBinding;

/// The types of subjects that bindings name.
#[derive(Debug)]
pub(super) struct Kinds<'s>(BTreeSet<&'s str>);

impl<'s> Kinds<'s> {
    pub(super) fn of(specs: impl Iterator<Item = &'s ToolBinding>) -> Self {
        let mut kinds = BTreeSet::new();
        for spec in specs {
            kinds.extend(spec.discloses.iter().map(|disclosure| disclosure.of.as_str()));
            kinds.extend(spec.results.iter().map(|row| row.of.as_str()));
            kinds.extend(spec.links.iter().filter_map(|link| link.of.as_deref()));
            kinds.extend(spec.oracle.iter().filter_map(|oracle| oracle.of.as_deref()));
            kinds.extend(spec.aggregate.iter().filter_map(|aggregate| aggregate.of.as_deref()));
        }
        Self(kinds)
    }

    /// The only type that is named; otherwise all of them, for a message.
    pub(super) fn only(&self) -> Result<&'s str, String> {
        let mut kinds = self.0.iter();
        match (kinds.next(), kinds.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err("the bindings speak of no type".to_owned()),
            (Some(_), Some(_)) => {
                let all: Vec<String> = self.0.iter().map(|kind| format!("`{kind}`")).collect();
                Err(format!("the bindings speak of {}", all.join(", ")))
            }
        }
    }
}

/// Whether `kind` can be the name of an entity type in Cedar.
pub(crate) fn is_type_name(kind: &str) -> bool {
    kind.split("::").all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}
