//! `kenward tools`: what servers say of their tools, and who has approved it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::admin::{Admin, AdminError};
use super::{Outcome, misuse};
use crate::report::Format;

pub(crate) const EXAMPLES: &str = "Examples:\n  kenward tools list\n  \
    kenward tools diff deliveries/get_customer_address\n  \
    kenward tools approve deliveries/get_customer_address\n  \
    kenward tools approve deliveries\n  \
    kenward tools reject deliveries/export_all";

/// What `kenward tools` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the definitions that were seen, and where each stands.
    #[command(after_help = "Example:\n  kenward tools list deliveries --format json")]
    List(Which),
    /// Show what waits beside what is approved, field by field, with nothing left invisible.
    #[command(after_help = "Example:\n  kenward tools diff deliveries/get_customer_address")]
    Diff(Which),
    /// Approve what a server shows.
    #[command(after_help = "Example:\n  kenward tools approve deliveries/get_customer_address")]
    Approve(One),
    /// Say no to what a server shows: it stays away for as long as the server shows it.
    #[command(after_help = "Example:\n  kenward tools reject deliveries/export_all")]
    Reject(One),
}

/// The gateway, and which definitions.
#[derive(Debug, clap::Args)]
struct Which {
    /// A server, or one of its definitions; everything when none is named.
    #[arg(value_name = "SERVER[/NAME]")]
    what: Option<String>,
    /// The configuration of the running gateway.
    #[arg(long, value_name = "FILE", default_value = "kenward.yaml")]
    config: PathBuf,
}

#[derive(Debug, clap::Args)]
struct One {
    /// A server, for everything of it that waits, or one of its definitions.
    #[arg(value_name = "SERVER[/NAME]")]
    what: String,
    /// Only definitions of this kind.
    #[arg(long, value_name = "KIND", value_parser = ["tool", "prompt", "template", "instructions"])]
    kind: Option<String>,
    /// Only what has this digest, as `kenward tools diff` shows it.
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    /// The configuration of the running gateway.
    #[arg(long, value_name = "FILE", default_value = "kenward.yaml")]
    config: PathBuf,
}

/// Runs the command against the admin API of the running gateway.
pub(crate) fn run(args: &Args, format: Format) -> io::Result<Outcome> {
    let config = match &args.command {
        Command::List(some) | Command::Diff(some) => &some.config,
        Command::Approve(one) | Command::Reject(one) => &one.config,
    };
    let admin = match Admin::of(config)? {
        Ok(admin) => admin,
        Err(outcome) => return Ok(outcome),
    };
    let answered = match &args.command {
        Command::List(some) => admin.get(&path("/api/v1/definitions", some.what.as_deref())),
        Command::Diff(some) => admin.get(&path("/api/v1/definitions/diff", some.what.as_deref())),
        Command::Approve(one) => admin.post("/api/v1/definitions/approve", &one.body()),
        Command::Reject(one) => admin.post("/api/v1/definitions/reject", &one.body()),
    };
    let answer = match answered {
        Ok(answer) => answer,
        Err(AdminError::Refused(why)) => {
            writeln!(anstream::stderr(), "\x1b[1;31merror\x1b[0m: {why}")?;
            return Ok(Outcome::Found);
        }
        Err(error) => return misuse(&error.to_string()),
    };
    let mut out = anstream::stdout().lock();
    match (&args.command, format) {
        (_, Format::Json) => writeln!(out, "{answer}")?,
        (Command::List(_), Format::Text) => print_list(&answer, &mut out)?,
        (Command::Diff(_), Format::Text) => print_diff(&answer, &mut out)?,
        (Command::Approve(_), Format::Text) => print_judged(&answer, "approved", &mut out)?,
        (Command::Reject(_), Format::Text) => print_judged(&answer, "refused", &mut out)?,
    }
    Ok(Outcome::Good)
}

impl One {
    fn body(&self) -> Value {
        let (server, name) = parts(&self.what);
        let said = [
            ("server", Some(server)),
            ("name", name),
            ("kind", self.kind.as_deref()),
            ("sha256", self.sha256.as_deref()),
        ];
        let said = said.into_iter();
        let members = said.filter_map(|(member, value)| Some((member.to_owned(), value?.into())));
        Value::Object(members.collect())
    }
}

fn parts(what: &str) -> (&str, Option<&str>) {
    what.split_once('/').map_or((what, None), |(server, name)| (server, Some(name)))
}

fn path(path: &str, what: Option<&str>) -> String {
    let Some((server, name)) = what.map(parts) else { return path.to_owned() };
    let server = format!("{path}?server={}", encoded(server));
    name.map_or_else(|| server.clone(), |name| format!("{server}&name={}", encoded(name)))
}

/// A value of a query (RFC 3986, section 2.1).
fn encoded(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    value.bytes().fold(String::new(), |text, byte| {
        if plain(byte) {
            text + &char::from(byte).to_string()
        } else {
            format!("{text}%{byte:02X}")
        }
    })
}

fn lines(answer: &Value) -> &[Value] {
    answer["definitions"].as_array().map_or(&[], Vec::as_slice)
}

fn word<'v>(line: &'v Value, member: &str) -> &'v str {
    line[member].as_str().unwrap_or_default()
}

fn name(line: &Value) -> String {
    let (server, name) = (word(line, "server"), word(line, "name"));
    if name.is_empty() { server.to_owned() } else { format!("{server}/{name}") }
}

fn print_list(answer: &Value, out: &mut dyn Write) -> io::Result<()> {
    if lines(answer).is_empty() {
        return writeln!(out, "no definition was seen yet");
    }
    for line in lines(answer) {
        let (kind, form, status) = (word(line, "kind"), word(line, "form"), word(line, "status"));
        let colour = if status == "approved" { "32" } else { "33" };
        let digest: String = word(line, "sha256").chars().take(12).collect();
        writeln!(
            out,
            "\x1b[{colour}m{status:<9}\x1b[0m {kind:<12} {form:<7} {digest:<12}  {}{}",
            name(line),
            line["why"].as_str().map(|why| format!("  ({why})")).unwrap_or_default()
        )?;
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for line in lines(answer) {
        *counts.entry(word(line, "status")).or_default() += 1;
    }
    let counts: Vec<String> =
        counts.into_iter().map(|(status, count)| format!("{count} {status}")).collect();
    writeln!(out, "{}", counts.join(", "))
}

fn print_diff(answer: &Value, out: &mut dyn Write) -> io::Result<()> {
    let mut any = false;
    for line in lines(answer) {
        let changes = line["changes"].as_array().map_or(&[][..], Vec::as_slice);
        let flags = line["flags"].as_array().map_or(&[][..], Vec::as_slice);
        if changes.is_empty() && line["why"].is_null() && flags.is_empty() {
            continue;
        }
        any = true;
        let (kind, form, status) = (word(line, "kind"), word(line, "form"), word(line, "status"));
        writeln!(out, "\x1b[1m{}\x1b[0m: {kind} ({form}), {status}", name(line))?;
        if let Some(why) = line["why"].as_str() {
            writeln!(out, "  rejected: {why}")?;
        }
        for flag in flags.iter().filter_map(Value::as_str) {
            writeln!(out, "  \x1b[33mlook\x1b[0m: {flag}")?;
        }
        for change in changes {
            print_change(change, out)?;
        }
        if !line["sha256"].is_null() {
            writeln!(out, "  sha256 {}", word(line, "sha256"))?;
        }
    }
    if any { Ok(()) } else { writeln!(out, "everything is as it was approved") }
}

fn print_change(change: &Value, out: &mut dyn Write) -> io::Result<()> {
    let path = word(change, "path");
    writeln!(out, "  {}", if path.is_empty() { "(whole)" } else { path })?;
    for (member, sign, colour) in [("before", '-', "31"), ("after", '+', "32")] {
        for text in word(change, member).lines() {
            writeln!(out, "    \x1b[{colour}m{sign} {text}\x1b[0m")?;
        }
    }
    Ok(())
}

fn print_judged(answer: &Value, verb: &str, out: &mut dyn Write) -> io::Result<()> {
    let judged = answer[verb].as_array().map_or(&[][..], Vec::as_slice);
    for one in judged {
        let what = json!({ "server": answer["server"], "name": one["name"] });
        writeln!(out, "{verb}: {} {} ({})", word(one, "kind"), name(&what), word(one, "form"))?;
    }
    Ok(())
}
