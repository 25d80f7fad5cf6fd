//! Turns what Cedar has to say about a text into findings with line and column.

use kenward_model::{Finding, Place};
use miette::Diagnostic;

use crate::source::SourceFile;

/// All errors that `diagnostic` stands for, placed in `file`.
pub(crate) fn errors(diagnostic: &dyn Diagnostic, file: &SourceFile) -> Vec<Finding> {
    let mut findings = vec![error(diagnostic, file)];
    for related in diagnostic.related().into_iter().flatten() {
        findings.push(error(related, file));
    }
    findings
}

fn error(diagnostic: &dyn Diagnostic, file: &SourceFile) -> Finding {
    let offset = diagnostic.labels().and_then(|mut labels| labels.next()).map(|l| l.offset());
    let place = offset.map_or_else(
        || Place::whole(file.path.as_str()),
        |offset| Place::at_offset(file.path.as_str(), &file.text, offset),
    );
    let finding = Finding::error(place, tidy(&diagnostic.to_string()));
    match help(diagnostic) {
        Some(help) => finding.with_help(help),
        None => finding,
    }
}

/// The remedy that a diagnostic offers, or what it says at the marked place.
pub(crate) fn help(diagnostic: &dyn Diagnostic) -> Option<String> {
    let help = diagnostic.help().map(|help| help.to_string());
    help.or_else(|| {
        let label = diagnostic.labels()?.next()?;
        label.label().map(str::to_owned)
    })
}

/// A message in the house's form: without the policy's internal number, lower case, no full stop.
pub(crate) fn tidy(message: &str) -> String {
    let rest = message
        .strip_prefix("for policy `")
        .and_then(|rest| rest.split_once("`, "))
        .map_or(message, |(_, rest)| rest);
    let rest = rest.trim_end_matches('.');
    let mut letters = rest.chars();
    let Some(first) = letters.next() else { return String::new() };
    let acronym = letters.clone().next().is_some_and(char::is_uppercase);
    if acronym {
        return rest.to_owned();
    }
    first.to_lowercase().chain(letters).collect()
}

/// The known word that `word` was most likely meant to be.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| (1..=limit).contains(distance))
        .min()
        .map(|(_, candidate)| candidate)
}
