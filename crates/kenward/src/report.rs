//! Prints findings: with the line they point at for people, as JSON for programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use kenward_model::{Finding, Severity};

/// How results are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Prints `findings` and how many there are. Colours are written always: the writer that
/// `anstream` gives drops them where they are not wanted.
pub(crate) fn print(out: &mut dyn Write, findings: &[Finding], format: Format) -> io::Result<()> {
    match format {
        Format::Text => text(out, findings),
        Format::Json => json(out, findings),
    }
}

/// `2 errors, 1 warning`
pub(crate) fn summary(findings: &[Finding]) -> String {
    let (errors, warnings) = counts(findings);
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    format!("{errors} error{}, {warnings} warning{}", plural(errors), plural(warnings))
}

fn counts(findings: &[Finding]) -> (usize, usize) {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    (count(Severity::Error), count(Severity::Warning))
}

fn json(out: &mut dyn Write, findings: &[Finding]) -> io::Result<()> {
    #[derive(Serialize)]
    struct Report<'r> {
        findings: &'r [Finding],
        errors: usize,
        warnings: usize,
    }
    let (errors, warnings) = counts(findings);
    serde_json::to_writer_pretty(&mut *out, &Report { findings, errors, warnings })?;
    writeln!(out)
}

fn text(out: &mut dyn Write, findings: &[Finding]) -> io::Result<()> {
    let mut sources = Sources::default();
    for finding in findings {
        one(out, finding, &mut sources)?;
        writeln!(out)?;
    }
    writeln!(out, "{}", summary(findings))
}

fn one(out: &mut dyn Write, finding: &Finding, sources: &mut Sources) -> io::Result<()> {
    let (label, colour) = match finding.severity {
        Severity::Error => ("error", RED),
        Severity::Warning => ("warning", YELLOW),
        Severity::Note => ("note", BLUE),
    };
    writeln!(out, "{colour}{label}{RESET}{BOLD}: {}{RESET}", finding.message)?;
    let line = finding.place.line;
    let gutter = line.to_string().len();
    writeln!(out, "{:gutter$}{BLUE}-->{RESET} {}", "", finding.place)?;
    if let Some(text) = sources.line(&finding.place.source, line) {
        let column = finding.place.column.max(1);
        let (shown, start, width) = window(&discreet(&text, finding), column);
        writeln!(out, "{:gutter$} {BLUE}|{RESET}", "")?;
        writeln!(out, "{BLUE}{line} |{RESET} {shown}")?;
        let carets = "^".repeat(width);
        writeln!(out, "{:gutter$} {BLUE}|{RESET} {:start$}{colour}{carets}{RESET}", "", "")?;
    }
    if let Some(help) = &finding.help {
        writeln!(out, "{:gutter$} {BLUE}={RESET} help: {help}", "")?;
    }
    Ok(())
}

/// The part of a line to show, where in it the finding begins, and how wide it is: up to the end
/// of the word. Control characters are shown as blanks, so that a file cannot write escapes.
fn window(line: &str, column: usize) -> (String, usize, usize) {
    let characters: Vec<char> =
        line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let at = (column - 1).min(characters.len());
    let fits = characters.len() <= WIDEST;
    let first = if fits { 0 } else { at.saturating_sub(WIDEST / 2) };
    let rest = characters.get(at..).unwrap_or_default();
    let width = match rest.first() {
        Some(quote @ ('"' | '\'')) => {
            let closing = rest.iter().skip(1).position(|c| c == quote);
            closing.map_or(rest.len(), |length| length + 2)
        }
        _ => rest.iter().position(|c| ends_word(*c)).unwrap_or(rest.len()),
    };
    let width = width.clamp(1, WIDEST / 2);
    let shown: String = characters.iter().skip(first).take(WIDEST).collect();
    (shown, at - first, width)
}

/// A line without what may be a secret: the value of an unknown key, which may be a misspelt
/// credential, and that of every key that sounds like one.
fn discreet(line: &str, finding: &Finding) -> String {
    let sounds_secret = || {
        let line = line.to_lowercase();
        SECRETS.iter().any(|word| line.contains(word))
    };
    let hidden = finding.message.starts_with("unknown key") || sounds_secret();
    match line.split_once(": ") {
        Some((key, _)) if hidden => format!("{key}: …"),
        Some(_) | None => line.to_owned(),
    }
}

const SECRETS: [&str; 5] = ["token", "bearer", "secret", "password", "credential"];

fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ']' | '}' | ')' | ';')
}

/// The texts that findings point into, read when the first one does.
#[derive(Default)]
struct Sources {
    texts: BTreeMap<String, Option<String>>,
}

impl Sources {
    fn line(&mut self, source: &str, line: usize) -> Option<String> {
        let index = line.checked_sub(1)?;
        let text = self
            .texts
            .entry(source.to_owned())
            .or_insert_with(|| std::fs::read_to_string(source).ok());
        text.as_ref()?.lines().nth(index).map(str::to_owned)
    }
}

const WIDEST: usize = 120;

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const BLUE: &str = "\x1b[1;34m";
const BOLD: &str = "\x1b[1m";
const RESET: &str = "\x1b[0m";

#[cfg(test)]
mod tests;
