//! A record of the audit log in words.

use std::io::{self, Write};

use kenward_audit::{Kind, Record, Verdict};

/// A record on one line.
pub(super) fn short(record: &Record, out: &mut dyn Write) -> io::Result<()> {
    let (word, colour) = word(record);
    write!(out, "{} {colour}{word:<9}\x1b[0m", record.time)?;
    for part in [record.user.as_deref(), record.agent.as_deref()].into_iter().flatten() {
        write!(out, " {}", clean(part))?;
    }
    if let Some(server) = &record.server {
        write!(out, " {server}")?;
    }
    let named = [record.method.as_deref(), record.target.as_deref(), record.note.as_deref()];
    for part in named.into_iter().flatten() {
        write!(out, " {}", clean(part))?;
    }
    if let Some(change) = record.change {
        write!(out, " {}", format!("{change:?}").to_lowercase())?;
    }
    if let (Some(_), Some(by)) = (record.change, &record.by) {
        write!(out, " by {}", clean(by))?;
    }
    if let Some(question) = record.question {
        write!(out, " (question {})", question.number())?;
    }
    if let Some(id) = record.id {
        write!(out, " {id}")?;
    }
    writeln!(out)
}

/// A record with everything that it says.
pub(super) fn whole(record: &Record, out: &mut dyn Write) -> io::Result<()> {
    short(record, out)?;
    if let Some(question) = record.question {
        writeln!(out, "    no to:     {}", question.words())?;
    }
    let pairs = [
        ("issuer:", record.issuer.as_deref()),
        ("by:", record.by.as_deref()),
        ("policies:", record.policy_epoch.as_deref()),
    ];
    for (label, value) in pairs {
        if let Some(value) = value {
            writeln!(out, "    {label:<10} {}", clean(value))?;
        }
    }
    for object in &record.objects {
        writeln!(out, "    object:    {}", clean(&object.to_string()))?;
    }
    for fact in &record.facts {
        let precision = fact.precision.0;
        let attribute = clean(&fact.attribute);
        writeln!(
            out,
            "    fact:      {attribute} of {} at {precision}",
            clean(&fact.subject.to_string())
        )?;
    }
    for step in &record.chain {
        writeln!(out, "    because:   {}", clean(step))?;
    }
    for policy in &record.policies {
        writeln!(out, "    policy:    {}", clean(policy))?;
    }
    for reason in &record.reasons {
        writeln!(out, "    reason:    {}", clean(reason))?;
    }
    if let Some(revision) = record.revision {
        writeln!(out, "    revision:  {revision}")?;
    }
    if let Some(digest) = &record.arguments_sha256 {
        writeln!(out, "    arguments: {digest}")?;
    }
    Ok(())
}

/// What callers and servers wrote can hold anything; on a terminal it holds no escapes.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn word(record: &Record) -> (&'static str, &'static str) {
    match (record.kind, record.verdict) {
        (_, Some(Verdict::Refuse)) => ("refused", "\x1b[1;31m"),
        (_, Some(Verdict::Allow)) => ("allowed", "\x1b[1;32m"),
        (Kind::Decision, None) => ("decision", ""),
        (Kind::Outcome, None) => (outcome(record), ""),
        (Kind::Alert, None) => ("alert", "\x1b[1;31m"),
        (Kind::Delivery, None) => ("withheld", "\x1b[1;31m"),
        (Kind::Change, None) => ("changed", "\x1b[1;34m"),
        (Kind::Start, None) => ("started", "\x1b[1;34m"),
        (Kind::Stop, None) => ("stopped", "\x1b[1;34m"),
    }
}

fn outcome(record: &Record) -> &'static str {
    use kenward_audit::Outcome;
    match record.outcome {
        Some(Outcome::Delivered) => "delivered",
        Some(Outcome::Filtered) => "filtered",
        Some(Outcome::Withheld) => "withheld",
        Some(Outcome::Error) => "error",
        Some(Outcome::Failed) => "failed",
        Some(Outcome::Cancelled) => "cancelled",
        None => "outcome",
    }
}
