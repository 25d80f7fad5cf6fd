//! A reader of many documents of one type, which keeps the type's schema.

use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::Value;

use kenward_model::{Finding, Place};

use crate::check::Checker;
use crate::places::{Document, Places};
use crate::{Environment, decode, tree};

/// Reads documents of type `T`; worth keeping when there are many, because it holds the schema.
pub struct Reader<T> {
    schema: Value,
    reads: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Reader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned + JsonSchema> Default for Reader<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: DeserializeOwned + JsonSchema> Reader<T> {
    /// A reader that checks against the JSON Schema (draft 2020-12) of `T`.
    pub fn new() -> Self {
        let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
        Self { schema: schema.to_value(), reads: PhantomData }
    }

    /// Reads one text, as [`crate::read`] does.
    ///
    /// # Errors
    /// Every problem of the text, in the order of their places.
    pub fn read(
        &self,
        source: &str,
        text: &str,
        environment: Environment<'_>,
    ) -> Result<Document<T>, Vec<Finding>> {
        let tree::Parsed { root, mut findings, complete } = tree::parse(source, text, environment);
        if complete {
            Checker::new(&self.schema, source).check_root(&root, &mut findings);
        }
        if !findings.is_empty() {
            return Err(in_order(findings, source));
        }
        match decode::decode::<T>(&root, source) {
            Ok(value) => Ok(Document { value, places: Places::of(source, &root) }),
            Err(finding) => Err(vec![finding]),
        }
    }
}

/// Sorts by place and keeps the list to a length that someone may read.
fn in_order(mut findings: Vec<Finding>, source: &str) -> Vec<Finding> {
    findings.sort();
    findings.dedup();
    if findings.len() > MOST_FINDINGS {
        let more = findings.len() - MOST_FINDINGS;
        findings.truncate(MOST_FINDINGS);
        findings.push(Finding::error(
            Place::whole(source),
            format!("{more} further problems are not shown"),
        ));
    }
    findings
}

/// How many findings of one text are shown.
const MOST_FINDINGS: usize = 1_000;
