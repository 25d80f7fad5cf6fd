//! What is proposed, as text: bindings, families, types, and the policy that they need.

use serde_json::Value;

use kenward_disclosure::ToolBinding;

use super::{Draft, cedar, comment, key, value};

impl Draft<'_> {
    /// The group of those who may learn what bound tools tell; none when nothing is bound.
    pub(in super::super) fn readers(&self) -> Option<String> {
        (!self.proposals.is_empty()).then(|| format!("{}-readers", self.name))
    }

    /// `inferences.yaml`, when something is proposed.
    pub(in super::super) fn inferences(&self) -> Option<String> {
        if self.proposals.is_empty() {
            return None;
        }
        let file = &self.proposals.inferences;
        let mut text = String::from(
            "# What kinds of facts there are, and what follows from what. Proposed: read and correct.\n\nfamilies:",
        );
        if file.families.is_empty() {
            text.push_str(" {}");
        }
        text.push('\n');
        for (name, family) in &file.families {
            let family = serde_json::json!(family);
            text.extend([format!("  {}: # proposed: read and correct\n", key(name))]);
            for part in ["scale", "attributes"] {
                text.extend([format!(
                    "    {part}: {}\n",
                    flow(family.get(part).unwrap_or(&Value::Null))
                )]);
            }
        }
        text.push_str("\ninferences:");
        if file.inferences.is_empty() {
            text.push_str(" []");
        }
        text.push('\n');
        for inference in &file.inferences {
            let inference = flow(&serde_json::json!(inference));
            text.extend([format!("  - {inference} # proposed: read and correct\n")]);
        }
        Some(text)
    }

    /// The schema of the types that the bindings speak of, when there are some of our own.
    pub(in super::super) fn schema(&self) -> Option<String> {
        let own =
            self.proposals.entities.iter().filter(|(kind, _)| !OF_KENWARD.contains(&kind.as_str()));
        let declared: Vec<String> = own
            .map(|(kind, owner)| match owner {
                Some(owner) => format!("entity {kind} {{\n  {}: {owner},\n}};\n", attribute(owner)),
                None => format!("entity {kind};\n"),
            })
            .collect();
        if declared.is_empty() {
            return None;
        }
        let about = "// Whom and what the bindings speak of. Proposed: add the attributes that your policies need.\n\n";
        Some(format!("{about}{}", declared.join("\n")))
    }

    /// What policies say about learning.
    pub(super) fn learn(&self) -> String {
        let group = cedar(self.group);
        let kind = self.proposals.entities.keys().next().map_or("Customer", String::as_str);
        let families = &self.proposals.inferences.families;
        let attribute = families.values().find_map(|family| family.attributes.first());
        let attribute = cedar(attribute.map_or("address", String::as_str));
        let permit = match self.readers() {
            Some(readers) => format!(
                "// What a bound tool would reveal needs a permit of its own. Nobody is in this group yet.

@id({id})
permit (
  principal in Group::{readers},
  action == Mcp::Action::\"learn\",
  resource
);

// Narrower, for example:
//
",
                id = cedar(&readers),
                readers = cedar(&readers),
            ),
            None => "// What a tool that `discloses` something would reveal needs a permit of its own:\n//\n".to_owned(),
        };
        let declared = match self.readers() {
            Some(_) => String::new(),
            None => format!(
                "//\n// `{kind}` and its attributes are declared in a file that ends in .cedarschema.\n"
            ),
        };
        format!(
            "{permit}// permit (
//   principal in Group::{group},
//   action == Mcp::Action::\"learn\",
//   resource is {kind}
// ) when {{ context.attribute == {attribute} && !context.exact }};
{declared}"
        )
    }

    /// The bound prompts and MCP resources.
    pub(super) fn others(&self) -> String {
        let bindings = &self.proposals.bindings;
        let mut text = String::new();
        for (section, bound) in [("prompts", &bindings.prompts), ("resources", &bindings.resources)]
        {
            if !bound.is_empty() {
                text.extend([format!("    {section}:\n")]);
            }
            text.extend(bound.iter().map(|(name, binding)| entry(name, binding)));
        }
        let tools = |name: &str| self.seen.tools.iter().any(|tool| tool.name == name);
        for (name, families) in self.proposals.unsure.iter().filter(|(name, _)| !tools(name)) {
            text.push_str(&unsure(name, families));
        }
        text
    }
}

/// The entry of something that is bound.
pub(super) fn entry(name: &str, binding: &ToolBinding) -> String {
    let binding = serde_json::json!(binding);
    let mut text = format!("      {}: # proposed: read and correct\n", key(name));
    for part in PARTS {
        match binding.get(part) {
            None => {}
            Some(Value::Array(items)) if items.iter().any(Value::is_object) => {
                text.extend([format!("        {part}:\n")]);
                text.extend(items.iter().map(|item| format!("          - {}\n", flow(item))));
            }
            Some(other) => text.extend([format!("        {part}: {}\n", flow(other))]),
        }
    }
    text
}

/// The comment on something of which nothing is sure.
pub(super) fn unsure(name: &str, families: &[String]) -> String {
    let name = comment(&key(name));
    let sounds = match families {
        [] => "it is asked about somebody".to_owned(),
        families => format!("it sounds like {}", families.join(", ")),
    };
    format!(
        "      # Nothing is sure of the next one, but {sounds}. Whose facts does it tell?\n      # {name}: {{}}\n"
    )
}

/// JSON in YAML's flow style. What is said when nothing is said is left out.
fn flow(json: &Value) -> String {
    match json {
        Value::Object(members) => {
            let role = members.get("role").and_then(Value::as_str);
            let is_usual = |name: &str| name == "mode" && role.is_some_and(|role| role != "text");
            let members = members.iter().filter(|(name, _)| !is_usual(name));
            let members: Vec<String> =
                members.map(|(name, json)| format!("{}: {}", key(name), flow(json))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => value(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => json.to_string(),
    }
}

/// The attribute that holds an entity of the type `kind`.
fn attribute(kind: &str) -> String {
    let mut letters = kind.chars();
    letters
        .next()
        .map(|c| c.to_ascii_lowercase().to_string() + letters.as_str())
        .unwrap_or_default()
}

/// The order in which a binding is read.
const PARTS: [&str; 8] =
    ["parameters", "discloses", "results", "strip", "links", "oracle", "aggregate", "writes"];

/// The types that every deployment has.
const OF_KENWARD: [&str; 2] = ["User", "Group"];
