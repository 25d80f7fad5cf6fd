//! The configuration file exactly as a person writes it; what it means is settled elsewhere.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use kenward_disclosure::ToolBinding;
use kenward_identity::IssuerSpec;
use kenward_store::segments::Sync;

/// The configuration of a Kenward gateway.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "kenward.yaml")]
pub(crate) struct ConfigFile {
    /// The address and port of the MCP endpoints: `/mcp/<server>` for each server.
    #[serde(default = "ConfigFile::default_listen")]
    pub(crate) listen: String,
    /// What clients call, without a path; audiences and metadata derive from it. Default:
    /// `http://` and the value of `listen`.
    #[serde(default)]
    pub(crate) public_url: Option<String>,
    /// The admin listener: admin API and health.
    #[serde(default)]
    pub(crate) admin: AdminFile,
    /// Where the state is kept: `sqlite:` and a path.
    #[serde(default = "ConfigFile::default_state")]
    pub(crate) state: String,
    /// The audit log.
    #[serde(default)]
    pub(crate) audit: AuditFile,
    /// Who issues the access tokens that are accepted; at least one.
    #[serde(default)]
    pub(crate) issuers: Vec<IssuerSpec>,
    /// The MCP servers behind, by name.
    #[serde(default)]
    pub(crate) servers: BTreeMap<String, ServerFile>,
    /// The folder with the Cedar policies (`*.cedar`) and schemas (`*.cedarschema`).
    #[serde(default = "ConfigFile::default_policies")]
    pub(crate) policies: String,
    /// The file or files with the entities that are known from the start.
    #[serde(default)]
    pub(crate) directory: Paths,
    /// The file with the families and inferences.
    #[serde(default)]
    pub(crate) inferences: Option<String>,
    /// The file, or the folder of files, with what must never be allowed, which `kenward prove`
    /// holds the policies against. It is not in the policy folder.
    #[serde(default)]
    pub(crate) invariants: Option<String>,
    /// How strictly it is decided what a person may come to know.
    #[serde(default)]
    pub(crate) disclosure: DisclosureFile,
    /// The one-call tokens that go downstream.
    #[serde(default)]
    pub(crate) grants: GrantsFile,
    /// Bounds on what callers and servers can use up.
    #[serde(default)]
    pub(crate) limits: LimitsFile,
    #[serde(default, rename = "signals")]
    pub(crate) _signals: Option<Unavailable>,
    #[serde(default, rename = "scim")]
    pub(crate) _scim: Option<Unavailable>,
}

impl ConfigFile {
    fn default_listen() -> String {
        "127.0.0.1:8080".to_owned()
    }

    fn default_state() -> String {
        "sqlite:kenward.db".to_owned()
    }

    pub(crate) fn default_policies() -> String {
        "policies/".to_owned()
    }
}

/// The admin listener.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Admin")]
pub(crate) struct AdminFile {
    /// The address and port of the admin listener; never that of the MCP endpoints.
    #[serde(default = "AdminFile::default_listen")]
    pub(crate) listen: String,
    /// The bearer token of the admin API. Default: one is made and kept in a file that only its
    /// owner can read.
    #[serde(default)]
    pub(crate) token: Option<Secret>,
}

impl AdminFile {
    fn default_listen() -> String {
        "127.0.0.1:9090".to_owned()
    }
}

impl Default for AdminFile {
    fn default() -> Self {
        Self { listen: Self::default_listen(), token: None }
    }
}

/// The audit log.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Audit")]
pub(crate) struct AuditFile {
    /// The folder of the log's segments.
    #[serde(default = "AuditFile::default_directory")]
    pub(crate) directory: String,
    /// When a record must be on the disk.
    #[serde(default)]
    pub(crate) sync: Sync,
}

impl AuditFile {
    pub(crate) fn default_directory() -> String {
        "audit/".to_owned()
    }
}

impl Default for AuditFile {
    fn default() -> Self {
        Self { directory: Self::default_directory(), sync: Sync::default() }
    }
}

/// An MCP server behind the gateway: either `url` or `command`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Server")]
pub(crate) struct ServerFile {
    /// The server's Streamable HTTP endpoint.
    #[serde(default)]
    pub(crate) url: Option<String>,
    /// The program and arguments of a server that speaks on standard input and output.
    #[serde(default)]
    pub(crate) command: Option<Vec<String>>,
    /// The environment of `command`, besides PATH, HOME, USER, LANG and TMPDIR of the gateway.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, Secret>,
    /// What goes into `Authorization` towards the server; nothing by default.
    #[serde(default)]
    pub(crate) credential: CredentialFile,
    /// Whether a grant goes with every request.
    #[serde(default = "yes")]
    pub(crate) grant: bool,
    /// Which revisions of MCP the server speaks.
    #[serde(default)]
    pub(crate) era: EraWord,
    /// What a mapping that the server itself declares can do.
    #[serde(default)]
    pub(crate) declared_mappings: MappingsWord,
    /// Which of the server's tool definitions are served.
    #[serde(default)]
    pub(crate) definitions: DefinitionsWord,
    /// Which scope a tool needs, by the scope's name.
    #[serde(default)]
    pub(crate) scopes: BTreeMap<String, ScopeFile>,
    /// What the tools reveal and how their arguments are read, by the tool's name.
    #[serde(default)]
    pub(crate) tools: BTreeMap<String, ToolBinding>,
    /// The same for the prompts, by the prompt's name.
    #[serde(default)]
    pub(crate) prompts: BTreeMap<String, ToolBinding>,
    /// The same for the MCP resources, by URI or by a template of URIs such as
    /// `crm://customers/{id}/address`; the template's variables are `$params.uri.<name>`.
    #[serde(default)]
    pub(crate) resources: BTreeMap<String, ToolBinding>,
}

fn yes() -> bool {
    true
}

/// What goes into `Authorization` towards a server.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Credential")]
pub(crate) enum CredentialFile {
    /// `none`.
    Word(CredentialWord),
    /// A credential.
    Fields(CredentialFields),
}

impl Default for CredentialFile {
    fn default() -> Self {
        Self::Word(CredentialWord::None)
    }
}

/// The absence of a credential.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "NoCredential")]
pub(crate) enum CredentialWord {
    /// Nothing goes into `Authorization`.
    None,
}

/// The kinds of credential.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CredentialKinds")]
pub(crate) struct CredentialFields {
    /// A fixed bearer token.
    #[serde(default)]
    pub(crate) bearer: Option<Secret>,
    #[serde(default, rename = "exchange")]
    pub(crate) _exchange: Option<Unavailable>,
    #[serde(default, rename = "grant")]
    pub(crate) _grant: Option<Unavailable>,
}

/// Which revisions of MCP a server speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Era")]
pub(crate) enum EraWord {
    /// It is asked, once.
    #[default]
    Auto,
    /// 2026-07-28.
    Modern,
    /// 2025-11-25 and earlier.
    Legacy,
}

/// What a mapping that a server declares can do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "DeclaredMappings")]
pub(crate) enum MappingsWord {
    /// It can only narrow what policies allow.
    #[default]
    Narrow,
    /// It replaces the default, as in COAZ-MCP.
    Strict,
    /// Nothing.
    Ignore,
}

/// Which of a server's tool definitions are served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Definitions")]
pub(crate) enum DefinitionsWord {
    /// The first sight counts as approved; a definition that changes is kept back until somebody
    /// approves it.
    #[default]
    Pin,
    /// Nothing is listed or callable before somebody approves it.
    Approve,
    /// Whatever the server says now.
    Live,
}

/// What a scope opens.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Scope")]
pub(crate) struct ScopeFile {
    /// The tools that need the scope; `*` stands for any text.
    pub(crate) tools: Vec<String>,
    /// What the scope means to a person.
    pub(crate) says: String,
}

/// One path or several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Paths {
    /// One path.
    One(String),
    /// Several paths.
    Many(Vec<String>),
}

impl Default for Paths {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Paths {
    /// The paths with the JSON Pointer of each below `/directory`.
    pub(crate) fn with_pointers(&self) -> Vec<(String, &str)> {
        match self {
            Self::One(path) => vec![("/directory".to_owned(), path)],
            Self::Many(paths) => {
                let pointer = |index: usize| format!("/directory/{index}");
                paths.iter().enumerate().map(|(i, path)| (pointer(i), path.as_str())).collect()
            }
        }
    }
}

/// How strictly it is decided what a person may come to know.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DisclosureControl")]
pub(crate) struct DisclosureFile {
    /// Whether what a person was told before counts. Default: true; false only to measure what
    /// the ledger adds.
    #[serde(default)]
    pub(crate) ledger: Option<bool>,
    /// Whether what a person was refused before counts. Default: true; false only to measure what
    /// the shadows add.
    #[serde(default)]
    pub(crate) shadows: Option<bool>,
    /// How long a refusal by policy is remembered, from `1m` to `365d`. Default: `30d`.
    #[serde(default)]
    pub(crate) policy_shadow: Option<String>,
    /// How long a refusal by a server is remembered, from `1m` to `365d`. Default: `24h`.
    #[serde(default)]
    pub(crate) upstream_shadow: Option<String>,
    /// After how many different tools at one refused goal somebody has to agree. Default: 3.
    #[serde(default)]
    #[schemars(range(min = 1, max = 16))]
    pub(crate) ask_after: Option<u8>,
    /// After how many different tools at one refused goal an alert is recorded. Default: 5.
    #[serde(default)]
    #[schemars(range(min = 1, max = 16))]
    pub(crate) alert_after: Option<u8>,
    /// What happens to tools without a binding whose names sound as if they revealed something.
    #[serde(default)]
    pub(crate) unbound: UnboundWord,
}

/// What happens to tools without a binding whose names sound as if they revealed something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Unbound")]
pub(crate) enum UnboundWord {
    /// They are refused where something of the kind was refused before.
    #[default]
    Shadow,
    /// They are refused until somebody describes them.
    Refuse,
}

/// The one-call tokens that go downstream.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Grants")]
pub(crate) struct GrantsFile {
    /// The trust domain (`aud` of a Transaction Token). Default: the host of `public_url`.
    #[serde(default)]
    pub(crate) trust_domain: Option<String>,
    /// How long a grant lives, from `1s` to `5m`. Default: `30s`.
    #[serde(default)]
    pub(crate) lifetime: Option<String>,
}

/// Bounds on what callers and servers can use up.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Limits")]
pub(crate) struct LimitsFile {
    /// The largest request body: bytes, or a text such as `4MiB`, which is the default.
    #[serde(default)]
    pub(crate) body: Option<SizeFile>,
    /// The deepest nesting of a message. Default: 64.
    #[serde(default)]
    #[schemars(range(min = 8, max = 120))]
    pub(crate) depth: Option<u16>,
    /// The largest head of a request. Default: `64KiB`.
    #[serde(default)]
    pub(crate) head: Option<SizeFile>,
    /// The headers of one request. Default: 100.
    #[serde(default)]
    #[schemars(range(min = 20, max = 1000))]
    pub(crate) headers: Option<u16>,
    /// The largest answer of a server that has to be looked into. Default: `16MiB`.
    #[serde(default)]
    pub(crate) answer: Option<SizeFile>,
    /// The largest event of a stream, and line of a process. Default: `16MiB`.
    #[serde(default)]
    pub(crate) event: Option<SizeFile>,
    /// The open streams of one caller. Default: 100.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) streams: Option<u32>,
    /// The calls of one caller under way at once. Default: 256.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) calls: Option<u32>,
    /// The sessions of one caller. Default: 100.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) sessions: Option<u32>,
    /// The connections of clients at once. Default: 10000.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) connections: Option<u32>,
    /// The connections from one address at once. Default: 10000, as many as in all.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) connections_per_peer: Option<u32>,
    /// The processes of servers at once. Default: 1000.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) processes: Option<u32>,
    /// How long a client may take to send its headers. Default: `10s`.
    #[serde(default)]
    pub(crate) header_time: Option<String>,
    /// How long a client may take to send a body. Default: `30s`.
    #[serde(default)]
    pub(crate) body_time: Option<String>,
    /// How long a connection may carry nothing while nothing is worked on. Default: `60s`.
    #[serde(default)]
    pub(crate) idle_time: Option<String>,
    /// How long a server may take until it answers, and may be silent within an answer. Default: `5m`.
    #[serde(default)]
    pub(crate) answer_time: Option<String>,
    /// How long a server may go on with one answer. Default: `1h`.
    #[serde(default)]
    pub(crate) answer_life: Option<String>,
    /// How long an unused session or process lives. Default: `30m`.
    #[serde(default)]
    pub(crate) session_idle: Option<String>,
    /// How much the clocks of issuers may differ from ours. Default: `30s`.
    #[serde(default)]
    pub(crate) leeway: Option<String>,
}

/// A number of bytes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Size")]
pub(crate) enum SizeFile {
    /// Bytes.
    Bytes(u64),
    /// A number with a unit: `KiB`, `MiB`, `GiB`.
    Text(String),
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Secret(pub(crate) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A key that has a meaning, but not in this version: always refused, never silently ignored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unavailable;

impl<'de> Deserialize<'de> for Unavailable {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("this is not available in this version"))
    }
}

impl JsonSchema for Unavailable {
    fn schema_name() -> Cow<'static, str> {
        "Unavailable".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "not": {}, "x-refused": "is not available in this version" })
    }
}
