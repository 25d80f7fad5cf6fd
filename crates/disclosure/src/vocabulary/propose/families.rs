//! The families of what is proposed, and what follows from what in them.

use std::collections::{BTreeMap, BTreeSet};

use crate::families::FamilySpec;
use crate::inferences::{InferenceSpec, Inferences, InferencesFile, Premise, Then};
use crate::spec::{Enforcement, ToolBinding};
use crate::vocabulary::words::Concept;

use super::attributes::{NEARBY, concept};

/// Families with every attribute that the bindings speak of.
pub(super) fn of<'b>(bindings: impl Iterator<Item = &'b ToolBinding>) -> InferencesFile {
    let mut families: BTreeMap<Concept, BTreeSet<String>> = BTreeMap::new();
    for attribute in bindings.flat_map(attributes) {
        if let Some(concept) = concept(attribute) {
            families.entry(concept).or_default().insert(attribute.to_owned());
        }
    }
    let mut file = InferencesFile::default();
    for (concept, mut attributes) in families {
        let (most, scale) = core(concept);
        let follows = follows(concept, &attributes);
        if !follows.is_empty() {
            attributes.insert(most.to_owned());
        }
        file.inferences.extend(follows);
        let scale = scale.iter().map(|step| (*step).to_owned()).collect();
        let spec = FamilySpec { scale, attributes: attributes.into_iter().collect(), budget: None };
        file.families.insert(concept.name().to_owned(), spec);
    }
    file
}

/// The families ready to be compiled against; none when they are flawed.
pub(super) fn compiled(file: &InferencesFile) -> Inferences {
    // JSON is YAML, too.
    let text = serde_json::to_string(file).unwrap_or_default();
    Inferences::read("proposed", &text).unwrap_or_else(|_| Inferences::none())
}

/// Every attribute that a binding says is told.
pub(super) fn attributes(binding: &ToolBinding) -> impl Iterator<Item = &str> {
    let told = binding.discloses.iter().map(|disclosure| &disclosure.attribute);
    let rows = binding.results.iter().flat_map(|row| row.attributes.keys());
    let guessed = binding.oracle.iter().map(|oracle| &oracle.attribute);
    let figure = binding.aggregate.iter().map(|aggregate| &aggregate.attribute);
    told.chain(rows).chain(guessed).chain(figure).map(String::as_str)
}

/// The attribute that a family is most about, and the family's scale.
fn core(concept: Concept) -> (&'static str, &'static [&'static str]) {
    match concept {
        Concept::Location => ("address", &["exact", "street", "area", "city", "region"]),
        Concept::Pay => ("salary", &["exact", "band"]),
        Concept::Health => ("diagnosis", &["exact", "group"]),
        Concept::Money => ("balance", &["exact"]),
        Concept::Identity => ("passport", &["exact"]),
        Concept::Contact => ("contact", &["exact"]),
        Concept::Credential => ("credential", &["exact"]),
    }
}

/// What follows from the attributes, for the kinds of facts of which that is plain.
fn follows(concept: Concept, attributes: &BTreeSet<String>) -> Vec<InferenceSpec> {
    let known = |words: &[&str]| -> Vec<&String> {
        let says = |attribute: &&String| attribute.split('_').any(|word| words.contains(&word));
        attributes.iter().filter(says).collect()
    };
    match concept {
        Concept::Location => {
            let mut all = Vec::new();
            if let Some(nearby) = attributes.get(NEARBY) {
                all.push(inference("address", Some("area"), nearby));
                all.push(InferenceSpec { distinct: Some(3), ..inference("address", None, nearby) });
            }
            let area = known(&["eta", "distance"]).into_iter();
            all.extend(area.map(|premise| inference("address", Some("area"), premise)));
            let exact = known(&["route", "routes", "directions", "coordinates", "gps"]).into_iter();
            all.extend(exact.map(|premise| inference("address", None, premise)));
            all
        }
        Concept::Pay => {
            let band = known(&["band", "grade", "paygrade", "bonus"]).into_iter();
            let exact = known(&["payslip", "payslips", "payroll"]).into_iter();
            band.map(|premise| inference("salary", Some("band"), premise))
                .chain(exact.map(|premise| inference("salary", None, premise)))
                .collect()
        }
        Concept::Health => known(&[
            "case",
            "cases",
            "drug",
            "drugs",
            "lab",
            "labs",
            "medication",
            "medications",
            "prescription",
            "prescriptions",
            "therapy",
            "treatment",
            "treatments",
        ])
        .into_iter()
        .map(|premise| inference("diagnosis", Some("group"), premise))
        .collect(),
        Concept::Money | Concept::Identity | Concept::Contact | Concept::Credential => Vec::new(),
    }
}

fn inference(then: &str, precision: Option<&str>, premise: &str) -> InferenceSpec {
    InferenceSpec {
        id: None,
        of: None,
        then: Then { attribute: then.to_owned(), precision: precision.map(str::to_owned) },
        premises: vec![Premise::Any(premise.to_owned())],
        distinct: None,
        mode: Enforcement::Enforce,
    }
}
