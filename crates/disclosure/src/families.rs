//! Families of attributes, and the scale on which each family's precision is measured.

mod budget;

use std::collections::BTreeMap;
use std::sync::Arc;

use kenward_document::nearest;
use kenward_model::{Finding, Place, Precision};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use budget::{Budget, BudgetSpec, OverBudget};

const EXACT: &str = "exact";

/// A family as `inferences.yaml` writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FamilySpec {
    /// The names of the precisions, the finest first; the first is always `exact`.
    pub scale: Vec<String>,
    /// The attributes that belong to the family.
    pub attributes: Vec<String>,
    /// About how many different subjects something of the family may become known in a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<BudgetSpec>,
}

/// Which attributes belong together, and how finely each may be known.
#[derive(Debug, Clone, Default)]
pub struct Families {
    scales: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    family_of: BTreeMap<Arc<str>, Arc<str>>,
    budgets: BTreeMap<Arc<str>, Budget>,
}

/// A precision that is not on the scale of the attribute's family.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{family}` has no precision `{name}`")]
pub struct PrecisionError {
    name: String,
    family: Arc<str>,
    scale: Vec<Arc<str>>,
}

impl PrecisionError {
    /// What could be written instead.
    pub fn help(&self) -> String {
        let known = || self.scale.iter().map(AsRef::as_ref);
        match nearest(&self.name, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("its scale is {}", known().collect::<Vec<_>>().join(", ")),
        }
    }
}

impl Families {
    /// The family that `attribute` belongs to: its own name when no family claims it.
    pub fn family_of(&self, attribute: &str) -> Arc<str> {
        self.family_of.get(attribute).map_or_else(|| attribute.into(), Arc::clone)
    }

    /// The precision called `name` of `attribute`; exact when no name is given.
    ///
    /// # Errors
    /// The scale of the attribute's family has no such step.
    pub fn precision(
        &self,
        attribute: &str,
        name: Option<&str>,
    ) -> Result<Precision, PrecisionError> {
        let family = self.family_of(attribute);
        let exact_alone = || vec![Arc::from(EXACT)];
        let scale = self.scales.get(&family).cloned().unwrap_or_else(exact_alone);
        let wanted = name.unwrap_or(EXACT);
        (0_u8..)
            .zip(&scale)
            .find_map(|(step, known)| (&**known == wanted).then_some(Precision(step)))
            .ok_or_else(|| PrecisionError { name: wanted.to_owned(), family, scale })
    }

    /// The name of `precision` on the scale of `family`, where the scale has that step.
    pub fn precision_name(&self, family: &str, precision: Precision) -> Option<&str> {
        if precision.is_exact() {
            return Some(EXACT);
        }
        self.scales.get(family)?.get(usize::from(precision.0)).map(AsRef::as_ref)
    }

    /// The budget of `family`, where it has one.
    pub fn budget(&self, family: &str) -> Option<&Budget> {
        self.budgets.get(family)
    }

    /// The attributes that belong to `family`, in order.
    pub fn attributes<'f>(&'f self, family: &'f str) -> impl Iterator<Item = &'f str> {
        let theirs = self.family_of.iter().filter(move |(_, of)| ***of == *family);
        theirs.map(|(attribute, _)| &**attribute)
    }

    /// The names of all families.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.scales.keys().map(AsRef::as_ref)
    }

    /// Builds the families and says what is wrong with them.
    pub(crate) fn compile(
        specs: &BTreeMap<String, FamilySpec>,
        place: &dyn Fn(&str) -> Place,
    ) -> (Self, Vec<Finding>) {
        let mut families = Self::default();
        let mut findings = Vec::new();
        for (name, spec) in specs {
            let pointer = format!("/families/{}", escape(name));
            check_scale(name, &spec.scale, &place(&format!("{pointer}/scale")), &mut findings);
            let scale = spec.scale.iter().map(|step| Arc::from(step.as_str())).collect();
            families.scales.insert(name.as_str().into(), scale);
            if let Some(spec) = &spec.budget {
                let place = |part: &str| place(&format!("{pointer}/budget{part}"));
                let budget = Budget::compile(spec, &place, &mut findings);
                families.budgets.extend(budget.map(|budget| (name.as_str().into(), budget)));
            }
            let place = |index: usize| place(&format!("{pointer}/attributes/{index}"));
            families.claim(name, &spec.attributes, &place, &mut findings);
        }
        (families, findings)
    }

    /// Gives the attributes to the family, provided that no other one has them.
    fn claim(
        &mut self,
        family: &str,
        attributes: &[String],
        place: &dyn Fn(usize) -> Place,
        findings: &mut Vec<Finding>,
    ) {
        for (index, attribute) in attributes.iter().enumerate() {
            let claimed = self.family_of.insert(attribute.as_str().into(), family.into());
            if let Some(other) = claimed {
                let message = format!("`{attribute}` belongs to the family `{other}` already");
                findings.push(Finding::error(place(index), message));
            }
        }
    }
}

fn check_scale(family: &str, scale: &[String], place: &Place, findings: &mut Vec<Finding>) {
    if scale.first().map(String::as_str) != Some(EXACT) {
        let message = format!("the scale of `{family}` does not begin with `{EXACT}`");
        findings.push(Finding::error(place.clone(), message));
    }
    if scale.len() > usize::from(u8::MAX) {
        let message = format!("the scale of `{family}` has more than {} steps", u8::MAX);
        findings.push(Finding::error(place.clone(), message));
    }
    for (index, step) in scale.iter().enumerate() {
        if scale.iter().take(index).any(|earlier| earlier == step) {
            let message = format!("the scale of `{family}` has `{step}` twice");
            findings.push(Finding::error(place.clone(), message));
        }
    }
}

/// A name as one token of a JSON Pointer (RFC 6901 section 3).
pub(crate) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests;
