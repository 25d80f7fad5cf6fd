//! What a binding says of results.

use std::sync::Arc;

use kenward_model::{EntityUid, Fact, Precision};

use crate::bindings::PotentialFact;
use crate::path::ResultPath;

/// All that a binding says of the results of calls. Paths begin at the structured content.
#[derive(Debug, Default)]
pub(crate) struct ResultRules {
    pub(crate) rows: Vec<RowRule>,
    /// The disclosures `in_result`.
    pub(crate) told: Vec<ToldRule>,
    pub(crate) strip: Vec<ResultPath>,
    pub(crate) links: Vec<LinkRule>,
    pub(crate) oracle: Option<OracleRule>,
    pub(crate) aggregate: Option<AggregateRule>,
}

/// Rows, each about a subject of its own.
#[derive(Debug)]
pub(crate) struct RowRule {
    pub(crate) each: ResultPath,
    pub(crate) of: Arc<str>,
    /// Seen from the row, as are the paths of the attributes.
    pub(crate) id: ResultPath,
    pub(crate) attributes: Vec<RowAttribute>,
}

/// An attribute of the subjects of rows.
#[derive(Debug)]
pub(crate) struct RowAttribute {
    pub(crate) attribute: Arc<str>,
    pub(crate) family: Arc<str>,
    pub(crate) precision: Precision,
    /// Where in the row it stands; nothing when it is the row itself.
    pub(crate) path: Option<ResultPath>,
}

/// A fact about whoever stands at a path.
#[derive(Debug)]
pub(crate) struct ToldRule {
    pub(crate) path: ResultPath,
    pub(crate) fact: PotentialFact,
}

/// Handles, and whose they are.
#[derive(Debug)]
pub(crate) struct LinkRule {
    pub(crate) handle: ResultPath,
    pub(crate) owner: ResultPath,
    /// The type of the owner.
    pub(crate) of: Arc<str>,
    /// The type of what the handle names.
    pub(crate) kind: Option<Arc<str>>,
}

/// What tells a right guess from a wrong one, and what a right one tells.
#[derive(Debug)]
pub(crate) struct OracleRule {
    pub(crate) fact: PotentialFact,
    pub(crate) hit: Option<ResultPath>,
}

/// A figure over many subjects.
#[derive(Debug)]
pub(crate) struct AggregateRule {
    pub(crate) fact: PotentialFact,
    /// The member names that lead to the arguments which choose the subjects; none for all of them.
    pub(crate) filter: Vec<Box<[Box<str>]>>,
    pub(crate) count: ResultPath,
    pub(crate) k: u32,
}

impl ResultRules {
    /// Whether there is anything to do with a result.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
            && self.told.is_empty()
            && self.strip.is_empty()
            && self.links.is_empty()
            && self.oracle.is_none()
            && self.aggregate.is_none()
    }

    /// The facts that results reveal.
    pub(crate) fn facts(&self) -> impl Iterator<Item = PotentialFact> {
        let rows = self.rows.iter().flat_map(RowRule::facts);
        let told = self.told.iter().map(|rule| rule.fact.clone());
        rows.chain(told).chain(self.oracle.as_ref().map(|rule| rule.fact.clone()))
    }
}

impl RowRule {
    pub(crate) fn facts(&self) -> impl Iterator<Item = PotentialFact> {
        self.attributes.iter().map(|attribute| PotentialFact {
            of: Arc::clone(&self.of),
            attribute: Arc::clone(&attribute.attribute),
            family: Arc::clone(&attribute.family),
            precision: attribute.precision,
        })
    }
}

impl RowAttribute {
    pub(crate) fn about(&self, subject: &EntityUid) -> Fact {
        Fact {
            subject: subject.clone(),
            attribute: Arc::clone(&self.attribute),
            family: Arc::clone(&self.family),
            precision: self.precision,
        }
    }
}

/// The potential fact, about `subject`.
pub(crate) fn about(fact: &PotentialFact, subject: &EntityUid) -> Fact {
    Fact {
        subject: subject.clone(),
        attribute: Arc::clone(&fact.attribute),
        family: Arc::clone(&fact.family),
        precision: fact.precision,
    }
}
