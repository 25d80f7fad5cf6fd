//! Directory files: a YAML list of entities, or one JSON object a line for millions of them.

use std::collections::HashMap;

use kenward_document::Reader;
use kenward_model::{Finding, Place};

use crate::record::EntityRecord;

/// The most problems that one file reports.
const MOST_FINDINGS: usize = 200;

/// Reads a directory file: JSON lines when `source` ends in `.jsonl`, else a YAML (or JSON) list.
///
/// # Errors
/// Every problem with its place: the shape, values that Cedar cannot hold, and entities that are
/// stated twice, with the places of both.
pub fn read_directory(source: &str, text: &str) -> Result<Vec<EntityRecord>, Vec<Finding>> {
    let is_lines = source.rsplit('.').next().is_some_and(|end| end.eq_ignore_ascii_case("jsonl"));
    if is_lines { read_lines(source, text) } else { read_list(source, text) }
}

fn read_list(source: &str, text: &str) -> Result<Vec<EntityRecord>, Vec<Finding>> {
    let document = kenward_document::read::<Vec<EntityRecord>>(source, text, None)?;
    let mut check = Check::default();
    for (index, record) in document.value.iter().enumerate() {
        let place = |pointer: &str| document.place(&format!("/{index}{pointer}"));
        check.record(record, index, &place, &|first| document.place(&format!("/{first}/id")));
    }
    check.finish(document.value)
}

fn read_lines(source: &str, text: &str) -> Result<Vec<EntityRecord>, Vec<Finding>> {
    let reader = Reader::<EntityRecord>::new();
    let at = |line: usize| Place { source: source.to_owned(), line, column: 1 };
    let mut records = Vec::new();
    let mut check = Check::default();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str::<EntityRecord>(line) {
            Ok(record) => {
                check.record(&record, number, &|_| at(number), &at);
                records.push(record);
            }
            Err(error) => check.add(explain(&reader, source, number, line, &error)),
        }
    }
    check.finish(records)
}

/// What is wrong with a line, in the words of the document reader where it has any.
fn explain(
    reader: &Reader<EntityRecord>,
    source: &str,
    number: usize,
    line: &str,
    error: &serde_json::Error,
) -> Vec<Finding> {
    let mut findings = reader.read(source, line, None).err().unwrap_or_default();
    for finding in &mut findings {
        finding.place.line = number;
    }
    if findings.is_empty() {
        let place = Place { source: source.to_owned(), line: number, column: error.column() };
        findings.push(Finding::error(place, "this line is no JSON object of an entity"));
    }
    findings
}

/// Collects what is wrong with the records of one file.
#[derive(Default)]
struct Check {
    /// Where each entity was stated first, in the reader's own count.
    first: HashMap<(String, String), usize>,
    findings: Vec<Finding>,
}

impl Check {
    fn record(
        &mut self,
        record: &EntityRecord,
        index: usize,
        place: &dyn Fn(&str) -> Place,
        place_of: &dyn Fn(usize) -> Place,
    ) {
        for flaw in record.flaws() {
            self.add(vec![Finding::error(place(&flaw.pointer), flaw.message)]);
        }
        let first = *self.first.entry((record.kind.clone(), record.id.clone())).or_insert(index);
        if first != index {
            let message = format!("`{}` is stated twice", record.uid());
            let help = format!("it stands first at {}", place_of(first));
            self.add(vec![Finding::error(place("/id"), message).with_help(help)]);
        }
    }

    fn add(&mut self, findings: Vec<Finding>) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.extend(findings);
        }
    }

    fn finish(self, records: Vec<EntityRecord>) -> Result<Vec<EntityRecord>, Vec<Finding>> {
        if self.findings.is_empty() { Ok(records) } else { Err(self.findings) }
    }
}

#[cfg(test)]
mod tests;
