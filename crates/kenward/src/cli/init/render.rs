//! The files that `kenward init` writes, as text.

mod bindings;

use kenward_disclosure::Proposals;
use kenward_model::ServerName;

use super::Reach;
use crate::look::{Seen, SeenTool};

/// What goes into the files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draft<'d> {
    pub(super) name: &'d ServerName,
    pub(super) reach: &'d Reach,
    pub(super) seen: &'d Seen,
    pub(super) proposals: &'d Proposals,
    pub(super) issuer: &'d str,
    pub(super) group: &'d str,
    pub(super) token_env: Option<&'d str>,
}

/// What the first policy permits: calls of tools, or what a server without tools offers.
const CALLS: &str = "Mcp::Action::\"tools/call\"";
const WITHOUT_TOOLS: &str = "[Mcp::Action::\"prompts/get\", Mcp::Action::\"resources/read\"]";

/// The issuer that stands in the file until there is a real one.
pub(super) const PLACEHOLDER_ISSUER: &str = "https://idp.example.com";

impl Draft<'_> {
    /// `kenward.yaml`.
    pub(super) fn configuration(&self) -> String {
        let name = self.name;
        let issuer = value(self.issuer);
        let about_issuer = if self.issuer == PLACEHOLDER_ISSUER {
            "\n# This one is made up: until you name your own, no token is accepted."
        } else {
            ""
        };
        format!(
            "# Kenward before the MCP server `{name}`, written by `kenward init`.
# Check this file with `kenward check`; `kenward schema config` describes every key.

listen: 127.0.0.1:8080            # clients call http://127.0.0.1:8080/mcp/{name}
public_url: http://127.0.0.1:8080 # what clients call from outside: audiences derive from it

admin:
  listen: 127.0.0.1:9090          # admin API and health; keep it on this machine

state: sqlite:kenward.db
audit: {{ directory: audit/ }}      # append-only and hash-chained: `kenward audit verify`

# Whose access tokens are accepted.{about_issuer}
issuers:
  - issuer: {issuer}
    # jwks: file:jwks.json        # default: discovered from the issuer
    claims: {{ user: sub, groups: groups, agent: client_id }}

servers:
  {name}:
{reach}    tools:{tools}{others}
policies: policies/               # what is not permitted there is refused
directory: directory.yaml         # people, groups and the objects that calls are about
{off}inferences: inferences.yaml     # what follows from what
",
            reach = self.reach(),
            tools = self.tools(),
            others = self.others(),
            off = if self.proposals.is_empty() { "# " } else { "" },
        )
    }

    /// `directory.yaml`.
    pub(super) fn directory(&self) -> String {
        let group = value(self.group);
        let readers = match self.readers() {
            Some(readers) => format!(
                "\n# Whoever is in it may come to know all that the bound tools tell: nobody yet.\n- type: Group\n  id: {}\n",
                value(&readers)
            ),
            None => String::new(),
        };
        let people = self.proposals.entities.iter().find(|(_, owner)| owner.is_none());
        let kind = people.map_or("Customer", |(kind, _)| kind);
        format!(
            "# Who and what there is. The groups in a person's token count beside these.

- type: Group
  id: {group}
{readers}
# A person, by the `sub` of the token:
# - type: User
#   id: rita
#   parents: [{{ type: Group, id: {group} }}]

# An object that calls are about, with the names by which it may be called:
# - type: {kind}
#   id: \"4711\"
#   attributes: {{ protected: true }}
#   aliases: [\"Taylor Swift\", \"taylor@example.com\"]
"
        )
    }

    /// `policies/<name>.cedar`.
    pub(super) fn policies(&self) -> String {
        let name = self.name;
        let group = cedar(self.group);
        let example = self.seen.tools.first().map_or("some_tool", |tool| tool.name.as_str());
        let example = cedar(&format!("{name}/{example}"));
        format!(
            "// What is allowed at `{name}`. Whatever no policy permits is refused.

@id({id})
permit (
  principal in Group::{group},
  action in {actions},
  resource in Mcp::Server::\"{name}\"
);

// A single tool instead of all of them:
//
// permit (
//   principal in Group::{group},
//   action == Mcp::Action::{example},
//   resource
// );

{learn}",
            id = cedar(&format!("{name}-users")),
            learn = self.learn(),
            actions = if self.seen.tools.is_empty() { WITHOUT_TOOLS } else { CALLS },
        )
    }

    fn reach(&self) -> String {
        match self.reach {
            Reach::Url(url) => {
                let credential = match self.token_env {
                    Some(variable) => {
                        format!("    credential: {{ bearer: \"${{{variable}}}\" }}\n")
                    }
                    None => {
                        "    # credential: { bearer: \"${TOKEN}\" }  # if the server asks for one\n"
                            .to_owned()
                    }
                };
                format!("    url: {}\n{credential}", value(url))
            }
            Reach::Command(words) => {
                let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
                let env = "    # env: { API_KEY: \"${API_KEY}\" }  # what it needs besides PATH and HOME\n";
                format!("    command: [{}]\n{env}", words.join(", "))
            }
        }
    }

    fn tools(&self) -> String {
        let mut text = String::new();
        let mut named = std::collections::BTreeSet::new();
        let mut written = false;
        for tool in self.seen.tools.iter().filter(|tool| !tool.name.is_empty()) {
            if named.insert(&tool.name) {
                let (entry, is_comment) = self.entry(tool);
                text.push_str(&entry);
                written |= !is_comment;
            }
        }
        match (written, named.is_empty()) {
            (true, _) => format!("\n{text}"),
            (false, true) => " {}                     # it offers none\n".to_owned(),
            (false, false) => format!(" {{}}\n{text}"),
        }
    }

    /// A tool's entry, and whether it is a comment alone.
    fn entry(&self, tool: &SeenTool) -> (String, bool) {
        let name = key(&tool.name);
        let about = tool.description.as_deref().map(comment).filter(|about| !about.is_empty());
        let about = about.map(|about| format!("      # {about}\n")).unwrap_or_default();
        if let Some(binding) = self.proposals.bindings.tools.get(&tool.name) {
            return (format!("{about}{}", bindings::entry(&tool.name, binding)), false);
        }
        match self.proposals.unsure.get(&tool.name) {
            Some(families) => (format!("{about}{}", bindings::unsure(&tool.name, families)), true),
            None => (format!("{about}      {name}: {{}}\n"), false),
        }
    }
}

/// A name for a server that gave none that fits.
pub(super) fn server_name(own: Option<&str>, reach: &Reach) -> Option<ServerName> {
    let from_reach = match reach {
        Reach::Url(url) => {
            let host = url.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next());
            host.filter(|host| host.contains(char::is_alphabetic)).map(str::to_owned)
        }
        Reach::Command(words) => {
            words.iter().rev().find(|word| !word.starts_with('-')).map(|word| {
                word.rsplit('/').next().unwrap_or(word).trim_end_matches(".py").to_owned()
            })
        }
    };
    let candidates = [own.map(str::to_owned), from_reach, Some("server".to_owned())];
    candidates.into_iter().flatten().find_map(|name| fitted(&name))
}

/// `name` with everything replaced that cannot be in the name of a server.
fn fitted(name: &str) -> Option<ServerName> {
    let mut fitted = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            fitted.push(c);
        } else if !fitted.is_empty() && !fitted.ends_with('-') {
            fitted.push('-');
        }
    }
    let short: String = fitted.chars().take(32).collect();
    ServerName::try_from(short.trim_end_matches('-').to_owned()).ok()
}

/// A few of the names, fit to be shown.
pub(super) fn some_of(names: &[&String]) -> String {
    let shown: Vec<String> = names.iter().take(FEW).map(|name| comment(name)).collect();
    match names.len().saturating_sub(FEW) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// How many names are shown at most.
const FEW: usize = 8;

/// A key of a mapping, in quotes unless it is plainly a word.
fn key(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        && !matches!(name.to_ascii_lowercase().as_str(), "null" | "true" | "false");
    if plain { name.to_owned() } else { json(name) }
}

/// A string value; `${` in it is no reference to a variable.
fn quoted(text: &str) -> String {
    json(&text.replace("${", "$${"))
}

/// A string value, without quotes when it is plainly a word or a URL.
fn value(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:?&=%".contains(c))
        && !text.ends_with(':')
        && !matches!(text.to_ascii_lowercase().as_str(), "null" | "true" | "false");
    if plain { text.to_owned() } else { quoted(text) }
}

/// YAML's double quotes read JSON's strings, but for the one control character that JSON leaves.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// Text within a comment: one line, short, and nothing but visible characters.
fn comment(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let visible = |c: &char| !c.is_control() && !is_invisible(*c);
    let mut short: String = line.chars().filter(visible).take(88).collect();
    if short.chars().count() < line.chars().filter(visible).count() {
        short.push('…');
    }
    short
}

/// Format characters, line separators, tags: what could make a comment look like something else.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{85}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A string of Cedar.
fn cedar(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.extend(c.escape_unicode()),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
