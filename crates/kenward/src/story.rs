//! Policy stories: given a directory and a history, when these calls, then these answers.
//!
//! A story is played on the deployment's own policies, bindings and inferences, by the same code
//! that decides in the gateway; no server is asked, so that its answers are part of the story.

mod play;
mod stage;
mod told;

use std::collections::BTreeMap;

use kenward_world::EntityRecord;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use play::{Played, path, play};
pub(crate) use stage::{Asked, Given, Heard, Stage};
pub(crate) use told::explain;

/// A file of stories.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum StoriesFile {
    /// One story.
    One(Box<Story>),
    /// Several stories.
    Many(Vec<Story>),
}

impl StoriesFile {
    /// The stories in order.
    pub(crate) fn into_stories(self) -> Vec<Story> {
        match self {
            Self::One(story) => vec![*story],
            Self::Many(stories) => stories,
        }
    }
}

/// One story.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "A policy story")]
pub(crate) struct Story {
    /// What it tells, in a sentence.
    #[serde(rename = "story")]
    pub(crate) told: String,
    /// How things are when it begins.
    #[serde(default)]
    pub(crate) given: GivenFile,
    /// What happens, one after the other.
    pub(crate) steps: Vec<Step>,
}

/// How things are when a story begins.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GivenFile {
    /// The id of the user who calls, where a step names nobody else.
    #[serde(default)]
    pub(crate) user: Option<String>,
    /// The groups that the user's token states.
    #[serde(default)]
    pub(crate) groups: Vec<String>,
    /// The agent that calls for the user. Default: `story`.
    #[serde(default)]
    pub(crate) agent: Option<String>,
    /// Entities beside those of the deployment's directory files; one with the same id replaces it.
    #[serde(default)]
    pub(crate) directory: Vec<EntityRecord>,
    /// What the user was told and refused before.
    #[serde(default)]
    pub(crate) history: Vec<Before>,
    /// The circumstances of the calls.
    #[serde(default)]
    pub(crate) context: Circumstances,
}

/// Something that was before the story.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub(crate) enum Before {
    /// The user was told a fact.
    Learnt(FactFile),
    /// The user was refused what belongs to a family.
    Refused(RefusedFile),
}

/// A fact.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FactFile {
    /// Whom it is about.
    pub(crate) subject: Named,
    /// Which attribute.
    pub(crate) attribute: String,
    /// How finely; exactly when it is left out.
    #[serde(default)]
    pub(crate) precision: Option<String>,
    /// Through what: `<server>/<tool>`.
    #[serde(default)]
    pub(crate) via: Option<String>,
}

/// What was refused.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefusedFile {
    /// Whose facts.
    pub(crate) subject: Named,
    /// Of which family.
    pub(crate) family: String,
}

/// The name of an entity.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    /// Its type.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Its id.
    pub(crate) id: String,
}

/// The circumstances of a call, as a token and a connection would state them.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Circumstances {
    /// The scopes of the token. Default: all that the tools need.
    #[serde(default)]
    pub(crate) scopes: Option<Vec<String>>,
    /// The authentication context class.
    #[serde(default)]
    pub(crate) acr: Option<String>,
    /// The authentication methods.
    #[serde(default)]
    pub(crate) amr: Vec<String>,
    /// When the user last authenticated, as RFC 3339 writes it.
    #[serde(default)]
    pub(crate) auth_time: Option<String>,
    /// Where the request comes from.
    #[serde(default)]
    pub(crate) ip: Option<std::net::IpAddr>,
    /// What time it is when the story begins, as RFC 3339 writes it.
    #[serde(default)]
    pub(crate) now: Option<String>,
    /// The version of MCP. Default: the newest.
    #[serde(default)]
    pub(crate) protocol: Option<String>,
    /// Other claims of the token, for mappings.
    #[serde(default)]
    pub(crate) claims: Map<String, Value>,
}

/// One thing that happens, and what is expected of it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// A tool is called: `<server>/<tool>`.
    #[serde(default)]
    pub(crate) call: Option<String>,
    /// A prompt is fetched: `<server>/<prompt>`.
    #[serde(default)]
    pub(crate) prompt: Option<String>,
    /// An MCP resource is read: `<server>/<uri>`.
    #[serde(default)]
    pub(crate) read: Option<String>,
    /// The arguments of the tool or the prompt.
    #[serde(default)]
    pub(crate) arguments: Map<String, Value>,
    /// What the server would answer: the result of the call. Without it the answer is not looked at.
    #[serde(default)]
    pub(crate) answer: Option<Value>,
    /// One fact is asked about, as if a tool told it.
    #[serde(default)]
    pub(crate) learn: Option<FactFile>,
    /// A tool is looked for on the caller's list: `<server>/<tool>`.
    #[serde(default)]
    pub(crate) list: Option<String>,
    /// The directory changes: these entities are put into it.
    #[serde(default)]
    pub(crate) put: Vec<EntityRecord>,
    /// The directory changes: these entities leave it.
    #[serde(default)]
    pub(crate) remove: Vec<Named>,
    /// Time passes, such as `31d`.
    #[serde(default)]
    pub(crate) wait: Option<String>,
    /// Who calls, where it is not the user of `given`.
    #[serde(default)]
    pub(crate) user: Option<String>,
    /// Through which agent, where it is not that of `given`.
    #[serde(default)]
    pub(crate) agent: Option<String>,
    /// What must come of it.
    #[serde(default)]
    pub(crate) expect: Option<Expected>,
    /// Which question must be answered no, 1 to 5.
    #[serde(default)]
    #[schemars(range(min = 1, max = 5))]
    pub(crate) question: Option<u8>,
    /// The `@id` of a policy that must have decided.
    #[serde(default)]
    pub(crate) policy: Option<String>,
    /// Words that the reason for the person must contain.
    #[serde(default)]
    pub(crate) reason: Option<String>,
    /// Texts that must be in the answer as it is released.
    #[serde(default)]
    pub(crate) holds: Vec<String>,
    /// Texts that must not be in it.
    #[serde(default)]
    pub(crate) lacks: Vec<String>,
}

/// What must come of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Expected {
    /// It is allowed; an answer passes as it is.
    Allow,
    /// It is refused, or nothing of its answer is released.
    Refuse,
    /// It looks as if there were no such thing.
    Hidden,
    /// It is allowed, and something is taken out of its answer.
    Filter,
    /// Somebody has to agree first.
    Ask,
    /// The tool is on the list.
    Listed,
}

impl Expected {
    /// The word in a file.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Refuse => "refuse",
            Self::Hidden => "hidden",
            Self::Filter => "filter",
            Self::Ask => "ask",
            Self::Listed => "listed",
        }
    }
}

/// The histories of everybody in a story.
type Histories = BTreeMap<kenward_model::EntityUid, kenward_disclosure::History>;
