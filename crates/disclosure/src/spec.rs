//! Bindings as people write them, under `servers.<server>.tools.<tool>` of the configuration.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a tool reveals, and how to tell about whom.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolBinding {
    /// How a call becomes access evaluations, as a server would declare it in `x-authzen-mapping`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Value>,
    /// How the arguments name their subjects, by the argument's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Parameter>,
    /// The facts that a call reveals about the subjects of its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discloses: Vec<Disclosure>,
    /// Paths (RFC 9535) into the result; what they match is always removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strip: Vec<String>,
    /// The rows of the result, each about a subject of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<RowBinding>,
    /// Reserved: handles that the result links to their owners. Refused when the file is loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Value>,
    /// Reserved: a tool that says whether a guess is right. Refused when the file is loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oracle: Option<Value>,
    /// Reserved: a tool that answers with an aggregate. Refused when the file is loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<Value>,
}

/// How an argument names its subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What kind of name the argument is.
    pub role: Role,
    /// For `role: text`: what happens to words that name nobody.
    #[serde(default)]
    pub mode: Mode,
    /// For `role: handle`: the type of entity that the handle names, for example `Order`; any type
    /// when it is left out.
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
    /// Nothing that names anybody.
    Free,
    /// Reserved: a place. Refused when the file is loaded.
    Place,
    /// Reserved: a filter over rows. Refused when the file is loaded.
    Filter,
    /// Reserved: a value to be compared. Refused when the file is loaded.
    Value,
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
    /// Reserved: the text is not looked at. Refused when the file is loaded.
    Ignore,
}

/// A fact that a call reveals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// The type of the subject, for example `Customer`.
    pub of: String,
    /// The argument that names the subject: `$params.arguments.<name>`.
    #[serde(default)]
    pub subject: String,
    /// The attribute that becomes known.
    pub attribute: String,
    /// How finely, on the scale of the attribute's family; exactly when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
    /// Reserved: a subject that the result names. Refused when the file is loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_result: Option<Value>,
}

/// Rows of a result, each about a subject of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowBinding {
    /// Path (RFC 9535) of the rows, for example `$.structuredContent.customers[*]`.
    pub each: String,
    /// The type of the subjects.
    pub of: String,
    /// Path of the subject's id, seen from the row.
    pub id: String,
    /// Paths of the attributes, seen from the row, by attribute. Without any, a row reveals
    /// the attribute `id`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}
