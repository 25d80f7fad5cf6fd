//! Bindings as people write them, under `servers.<server>.tools.<tool>` of the configuration, and
//! in the same shape under `prompts.<prompt>` and `resources.<uri template>`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The bindings of one server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServerBindings {
    /// By the name of the tool.
    pub tools: BTreeMap<String, ToolBinding>,
    /// By the name of the prompt.
    pub prompts: BTreeMap<String, ToolBinding>,
    /// By the URI of an MCP resource, or a template of URIs (RFC 6570, level 1).
    pub resources: BTreeMap<String, ToolBinding>,
}

impl ServerBindings {
    pub(crate) fn all(&self) -> impl Iterator<Item = &ToolBinding> {
        self.tools.values().chain(self.prompts.values()).chain(self.resources.values())
    }
}

/// What a tool, a prompt or an MCP resource reveals, and how to tell about whom.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolBinding {
    /// How a call becomes access evaluations, as a server would declare it in `x-authzen-mapping`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Value>,
    /// How the arguments name their subjects, by the argument's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Parameter>,
    /// The facts that a call reveals, each about subjects of its arguments or of its result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discloses: Vec<Disclosure>,
    /// Paths (RFC 9535) into the result; what they match is always removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strip: Vec<String>,
    /// The rows of the result, each about a subject of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<RowBinding>,
    /// Handles in the result that are learnt to belong to somebody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Set for a tool that says whether a guess is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oracle: Option<Oracle>,
    /// Set for a tool that answers with a figure over many subjects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<Aggregate>,
    /// Whether a call has an effect: then everybody whom it concerns must be known before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub writes: bool,
    /// Whether the binding is enforced, or decides on paper only.
    #[serde(default, skip_serializing_if = "Enforcement::is_enforced")]
    pub mode: Enforcement,
}

/// Whether a rule refuses, or only says in the record that it would have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Enforcement {
    /// It refuses.
    #[default]
    Enforce,
    /// It is noted in the record and changes nothing.
    Note,
}

impl Enforcement {
    /// Whether it refuses.
    pub fn is_enforced(&self) -> bool {
        match self {
            Self::Enforce => true,
            Self::Note => false,
        }
    }
}

/// How an argument names its subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What kind of name the argument is.
    pub role: Role,
    /// For `role: text` and `role: place`: what happens to words that name nobody.
    #[serde(default)]
    pub mode: Mode,
    /// For `role: id` and `role: handle`: the type of entity that it names, for example `Order`;
    /// any type when it is left out.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// What kind of name an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The exact id of the subject.
    Id,
    /// The id of something that belongs to the subject, such as an order number.
    Handle,
    /// Words in which the subject is named.
    Text,
    /// A place: a coordinate, a postcode, a listed place, or somebody by whose name a place is meant.
    Place,
    /// A filter over rows: whoever is named in it is a subject.
    Filter,
    /// A value to be compared with what the server holds, such as the guess of an oracle.
    Value,
    /// Nothing that names anybody.
    Free,
}

/// What happens to the words of a text that name nobody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The call is refused: every word must be accounted for.
    #[default]
    Closed,
    /// They are ignored; whoever is recognised is a subject.
    Open,
    /// The text is not looked at, unless something was refused before.
    Ignore,
}

/// A fact that a call reveals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// The type of the subject, for example `Customer`.
    pub of: String,
    /// The argument that names the subject: `$params.arguments.<name>` (`$params.uri.<variable>`
    /// for an MCP resource); several that name it together, such as a first and a last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<OneOrMany>,
    /// The path (RFC 9535) in the result that names the subject, where no argument does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_result: Option<String>,
    /// The attribute that becomes known.
    pub attribute: String,
    /// How finely, on the scale of the attribute's family; exactly when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
}

/// One text or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    /// All of them, in order.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// Rows of a result, each about a subject of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowBinding {
    /// Path (RFC 9535) of the rows in the structured content, for example `$.customers[*]`.
    pub each: String,
    /// The type of the subjects.
    pub of: String,
    /// Path of the subject's id or name, seen from the row.
    pub id: String,
    /// Paths of the attributes, seen from the row, by attribute. Without any, a row reveals
    /// the attribute `id`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, RowAttribute>,
}

/// Where in a row an attribute stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RowAttribute {
    /// At this path, exactly.
    Path(String),
    /// At this path, to this precision.
    Precise(PreciseAttribute),
}

/// An attribute of a row that is not exact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreciseAttribute {
    /// The path, seen from the row.
    pub path: String,
    /// How finely, on the scale of the attribute's family.
    pub precision: String,
}

/// Handles in a result, and whose they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Path of the handles in the structured content, for example `$.orders[*].id`.
    pub handle: String,
    /// Path of the id or name of the owner in the structured content; where both paths go through
    /// the same list, the owner is taken from the handle's own row.
    pub owner: String,
    /// The type of the owner; the only type that the bindings speak of when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The type of what the handle names, for example `Order`: parameters of that type know it on
    /// every server. Without it, the handle is known to handles of the same server alone.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// A tool that says whether a guess is right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Oracle {
    /// The arguments that say about whom is guessed; all others are the guess.
    pub key: Vec<String>,
    /// The attribute that a right guess reveals.
    pub attribute: String,
    /// The type of the subject; the only type that the bindings speak of when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// How finely a right guess reveals it; exactly when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
    /// How many wrong guesses about one subject are answered.
    #[serde(default = "three")]
    pub misses: u32,
    /// Path in the structured content that holds `true`, or anything at all, when the guess was
    /// right. Without it a guess is right when the result is no error and holds something other
    /// than `false`, nothing, zero or an empty list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hit: Option<String>,
}

fn three() -> u32 {
    3
}

/// A tool that answers with a figure over many subjects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aggregate {
    /// The attribute that the figure is made of.
    pub attribute: String,
    /// The type of the subjects; the only type that the bindings speak of when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The arguments that choose the subjects: `$params.arguments.<name>`. All of them when it is
    /// left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<OneOrMany>,
    /// Path in the structured content of the number of subjects that the figure is made of.
    pub count: String,
    /// The fewest subjects that a figure, or the difference of two figures, may be about.
    #[serde(default = "five")]
    pub k: u32,
}

fn five() -> u32 {
    5
}
