//! What the data plane is told by the configuration.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use http::Uri;
use kenward_definitions::Mode;
use kenward_model::ServerName;

/// Everything that the data plane is configured with; replaced as a whole.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What clients call, without a trailing slash: audiences and metadata derive from it.
    pub public_url: String,
    /// The servers behind.
    pub servers: BTreeMap<ServerName, ServerSettings>,
    /// Bounds on everything that a peer controls.
    pub limits: Limits,
    /// How strictly it is decided what a person may come to know.
    pub disclosure: kenward_disclosure::Settings,
    /// The trust domain of the grants (`aud` of a Transaction Token).
    pub trust_domain: String,
    /// What the gateway is as a workload (`req_wl`).
    pub workload: String,
    /// How long a grant lives.
    pub grant_lifetime: Duration,
}

impl Settings {
    /// The endpoint of `server` as clients call it: the audience of its tokens (RFC 8707).
    pub fn resource(&self, server: &ServerName) -> String {
        format!("{}/mcp/{server}", self.public_url)
    }

    /// The endpoint of all servers together, an audience of its own.
    pub fn federation_resource(&self) -> String {
        format!("{}/mcp", self.public_url)
    }

    /// Where the metadata of the endpoint of all servers is published.
    pub fn federation_metadata_url(&self) -> String {
        format!("{}/.well-known/oauth-protected-resource/mcp", self.public_url)
    }

    /// Where the metadata of `server` is published (RFC 9728 section 3.1).
    pub fn metadata_url(&self, server: &ServerName) -> String {
        format!("{}/.well-known/oauth-protected-resource/mcp/{server}", self.public_url)
    }
}

/// One server behind.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// How it is reached.
    pub transport: Transport,
    /// What goes into `Authorization` towards it.
    pub credential: Credential,
    /// Whether a grant goes with every request.
    pub grant: bool,
    /// Which of its definitions are served.
    pub definitions: Mode,
    /// Which revisions it speaks.
    pub era: ServerEra,
}

/// Which revisions a server speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ServerEra {
    /// It is asked once, before the first call that needs to know.
    #[default]
    Auto,
    /// 2026-07-28.
    Modern,
    /// 2025-11-25 and earlier.
    Legacy,
}

/// How a server is reached.
#[derive(Debug, Clone)]
pub enum Transport {
    /// Streamable HTTP at this URL.
    Http(Uri),
    /// A process that speaks on its standard input and output, one for each caller.
    Stdio {
        /// Program and arguments.
        command: Vec<String>,
        /// The whole environment of the process.
        environment: BTreeMap<String, String>,
    },
}

/// What goes into `Authorization` towards a server.
#[derive(Clone)]
pub enum Credential {
    /// Nothing.
    None,
    /// A fixed bearer token.
    Bearer(String),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Bearer(_) => "Bearer(…)",
        })
    }
}

/// Bounds on everything that a peer controls.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest request body, in bytes.
    pub body: usize,
    /// The deepest nesting of a message.
    pub depth: usize,
    /// The largest answer that is held in memory because it must be looked into, in bytes.
    pub answer: usize,
    /// The largest event of a stream, in bytes.
    pub event: usize,
    /// The largest head of a request, in bytes.
    pub head: usize,
    /// The headers of one request.
    pub headers: usize,
    /// How long a client may take to send its headers.
    pub header_time: Duration,
    /// How long a client may take to send its body.
    pub body_time: Duration,
    /// How long a connection may carry nothing while no request of it is worked on.
    pub idle_time: Duration,
    /// How long a server may take until its answer begins, and be silent in it.
    pub answer_time: Duration,
    /// How long a server may go on with one answer.
    pub answer_life: Duration,
    /// How much the clocks of issuers may differ from ours.
    pub leeway: Duration,
    /// Open streams of one caller.
    pub streams_per_caller: usize,
    /// Calls of one caller under way at once.
    pub calls_per_caller: usize,
    /// Sessions of one caller.
    pub sessions_per_caller: usize,
    /// Processes of servers that run at once.
    pub processes: usize,
    /// How long an unused session lives, and an unused process.
    pub session_idle: Duration,
    /// Connections at once.
    pub connections: usize,
    /// Connections from one address at once.
    pub connections_per_peer: usize,
}

impl Limits {
    /// How often a silent stream shows that it lives, before anybody takes it for idle.
    pub(crate) fn heartbeat(&self) -> Duration {
        Duration::from_secs(20).min(self.idle_time / 3)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 4 << 20,
            depth: 64,
            answer: 16 << 20,
            event: 16 << 20,
            head: 64 << 10,
            headers: 100,
            header_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            idle_time: Duration::from_mins(1),
            answer_time: Duration::from_mins(5),
            answer_life: Duration::from_hours(1),
            leeway: Duration::from_secs(30),
            streams_per_caller: 100,
            calls_per_caller: 256,
            sessions_per_caller: 100,
            processes: 1_000,
            session_idle: Duration::from_mins(30),
            connections: 10_000,
            connections_per_peer: 10_000,
        }
    }
}
