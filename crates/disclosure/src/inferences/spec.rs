//! Inferences as people write them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::families::FamilySpec;
use crate::spec::Enforcement;

/// The file `inferences.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InferencesFile {
    /// Families of attributes, by name.
    #[serde(default)]
    pub families: BTreeMap<String, FamilySpec>,
    /// What follows from what.
    #[serde(default)]
    pub inferences: Vec<InferenceSpec>,
    /// Which entities stand for the person who asks: by the type of entity, the attribute that
    /// holds the user or the user's id. What is about such an entity is the person's own data.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub same_person: BTreeMap<String, String>,
    /// Names of places that are nobody's, such as depots: a closed text may hold them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<String>,
}

/// One inference: a Horn clause over the attributes of one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InferenceSpec {
    /// What records call it; its place in the file when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The type of the subjects, for example `Customer`; any when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// What follows.
    pub then: Then,
    /// The attributes that must be known, all of them unless `distinct` says how many.
    #[serde(rename = "if")]
    pub premises: Vec<Premise>,
    /// How many answers about any of the attributes are enough, each answer counting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct: Option<u32>,
    /// Whether it is enforced, or decides on paper only.
    #[serde(default, skip_serializing_if = "Enforcement::is_enforced")]
    pub mode: Enforcement,
}

/// What follows from an inference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Then {
    /// The attribute that becomes known.
    pub attribute: String,
    /// How finely, on the scale of its family; exactly when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
}

/// An attribute that must be known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Premise {
    /// At whatever precision.
    Any(String),
    /// At this precision or finer.
    Precise(PrecisePremise),
}

/// An attribute that must be known finely enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrecisePremise {
    /// The attribute.
    pub attribute: String,
    /// The coarsest precision that is enough, on the scale of the attribute's family.
    pub precision: String,
}

impl Premise {
    /// The attribute.
    pub fn attribute(&self) -> &str {
        match self {
            Self::Any(attribute) => attribute,
            Self::Precise(precise) => &precise.attribute,
        }
    }

    /// The precision, where one is named.
    pub fn precision(&self) -> Option<&str> {
        match self {
            Self::Any(_) => None,
            Self::Precise(precise) => Some(&precise.precision),
        }
    }
}
