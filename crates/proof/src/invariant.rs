//! Invariants: what must never be allowed, written as a policy that forbids it.

use std::collections::HashMap;
use std::sync::Arc;

use cedar_policy::{Effect, Policy};
use kenward_model::{Finding, Place};
use kenward_policy::SourceFile;

use crate::written;

/// What must never be allowed.
#[derive(Debug, Clone)]
pub struct Invariant {
    /// Its name: the text of `@invariant`.
    pub name: Arc<str>,
    /// Where it stands.
    pub place: Place,
    pub(crate) policy: Policy,
}

impl Invariant {
    /// All invariants of `files`.
    ///
    /// # Errors
    /// Each policy that is none: one that permits, lacks a name, or has a name that is taken.
    pub fn read(files: &[SourceFile]) -> Result<Vec<Self>, Vec<Finding>> {
        let (mut read, mut findings) = (Vec::new(), Vec::new());
        let mut taken: HashMap<Arc<str>, Place> = HashMap::new();
        for file in files {
            let policies = written::read(file).unwrap_or_else(|error| {
                let place = Place::whole(file.path.as_str());
                findings.push(Finding::error(place, error.to_string()));
                Vec::new()
            });
            for one in policies {
                match Self::of(one, &mut taken) {
                    Ok(invariant) => read.push(invariant),
                    Err(finding) => findings.push(finding),
                }
            }
        }
        if findings.is_empty() { Ok(read) } else { Err(findings) }
    }

    fn of(
        written: written::Written,
        taken: &mut HashMap<Arc<str>, Place>,
    ) -> Result<Self, Finding> {
        let written::Written { policy, place } = written;
        let error = |message: String| Finding::error(place.clone(), message);
        let name = policy.annotation("invariant").filter(|name| !name.trim().is_empty());
        let Some(name) = name.map(Arc::<str>::from) else {
            return Err(error("an invariant needs a name".to_owned())
                .with_help("write @invariant(\"what must never be allowed\") above it"));
        };
        if policy.effect() == Effect::Permit {
            return Err(error(format!("the invariant `{name}` permits"))
                .with_help("write what must never be allowed, as a forbid"));
        }
        if policy.annotation("mode").is_some() {
            return Err(error(format!("the invariant `{name}` has a mode"))
                .with_help("an invariant decides nothing; leave @mode out"));
        }
        if let Some(first) = taken.insert(Arc::clone(&name), place.clone()) {
            return Err(error(format!("the invariant `{name}` stands twice"))
                .with_help(format!("it is first used at {first}")));
        }
        Ok(Self { name, place, policy })
    }
}
