//! What is asked: who asks, in which circumstances, about which operation.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::IpAddr;
use std::sync::LazyLock;

use kenward_disclosure::{Handles, History, Settings};
use kenward_model::{Caller, DecisionId, Operation, ServerName, Target, Timestamp};
use kenward_world::World;

/// Who asks, and what is known while they ask.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The user and the agent.
    pub caller: &'a Caller,
    /// The one snapshot that the whole decision is taken on.
    pub world: &'a World,
    /// The circumstances of the request.
    pub environment: Environment<'a>,
}

/// The circumstances of a request that are neither in the token nor in the directory.
#[derive(Debug, Clone, Copy)]
pub struct Environment<'a> {
    /// When it is asked.
    pub now: Timestamp,
    /// Where the request came from, when that is known.
    pub ip: Option<IpAddr>,
    /// The version of MCP that is spoken, for example `2025-11-25`.
    pub protocol: &'a str,
}

/// One operation of one asker, to be decided.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// Who asks.
    pub asker: Asker<'a>,
    /// What they want to do.
    pub operation: &'a Operation<'a>,
    /// What is remembered of them.
    pub memory: Memory<'a>,
}

/// What is remembered of the person who asks, as of one instant, and which decision it is.
#[derive(Debug, Clone, Copy)]
pub struct Memory<'a> {
    /// What they were told and were refused.
    pub history: &'a History,
    /// The handles that results have linked to their owners.
    pub handles: &'a Handles,
    /// How strictly the history counts.
    pub settings: &'a Settings,
    /// The decision that what is learnt belongs to.
    pub decision: DecisionId,
    /// A digest of target and arguments: equal for calls that get the same answer.
    pub answer: u64,
    /// Whether the history could not be read: then nothing is told that depends on it.
    pub is_away: bool,
}

/// The digest that is equal for calls that get the same answer: of whom it is asked, for what, and
/// with which arguments (their SHA-256, RFC 8785).
pub fn answer_digest(server: &ServerName, target: &Target<'_>, arguments: &[u8; 32]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (server.as_str(), target.name(), arguments).hash(&mut hasher);
    hasher.finish()
}

static NO_HISTORY: LazyLock<History> = LazyLock::new(History::default);
static NO_HANDLES: LazyLock<Handles> = LazyLock::new(|| Handles::new([0; 32]));
static USUAL: LazyLock<Settings> = LazyLock::new(Settings::default);

impl Memory<'_> {
    /// Nothing is remembered: for questions that concern no call, such as what is listed.
    pub fn blank() -> Self {
        Self {
            history: &NO_HISTORY,
            handles: &NO_HANDLES,
            settings: &USUAL,
            decision: DecisionId::new(Timestamp::from_micros(0), &[0; 10]),
            answer: 0,
            is_away: false,
        }
    }
}
