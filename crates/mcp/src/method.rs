//! The one table of all methods of both eras: what each is and what the gateway does with it.
//!
//! A method that is not in the table is refused; so is one whose treatment is [`Treatment::Refuse`].

mod table;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use kenward_model::Target;
use serde_json::Value;

use crate::dialect::Era;
use crate::list::ListKind;
use crate::{EnvelopeError, Message};

pub use table::TABLE;

/// Whether a method is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowKind {
    /// It has an id and is answered.
    Request,
    /// It has none and is not.
    Notification,
}

/// The eras in which a method is a message of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Eras {
    /// Revision 2025-11-25 and earlier.
    Legacy,
    /// Revision 2026-07-28 and its extensions.
    Modern,
    /// All of them.
    Both,
}

impl Eras {
    /// Whether `era` is one of these.
    pub fn includes(self, era: Era) -> bool {
        match self {
            Self::Both => true,
            Self::Legacy => era == Era::Legacy,
            Self::Modern => era == Era::Modern,
        }
    }
}

/// Who may send a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// A client.
    ToServer,
    /// A server.
    ToClient,
    /// Both.
    Either,
}

/// What a method is aimed at, and where its parameters name that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TargetKind {
    /// The server itself.
    Server,
    /// A tool: `name`.
    Tool,
    /// A prompt: `name`.
    Prompt,
    /// An MCP resource: `uri`.
    Resource,
    /// A prompt or a template: `ref`.
    Reference,
    /// A task: `taskId`.
    Task,
    /// What a stream is to carry: `notifications`. Each entry is decided; the stream itself is
    /// aimed at the server.
    Listen,
}

/// What the gateway does with a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Treatment {
    /// Begins or describes a session: `initialize`, its confirmation, `server/discover`.
    Handshake,
    /// Answered here and never relayed.
    Local,
    /// Forwarded; what the caller may not use is taken out of the answer.
    List(ListKind),
    /// A tool is called.
    Call,
    /// A prompt is fetched.
    Get,
    /// An MCP resource is read.
    Read,
    /// News of one MCP resource are asked for or no longer wanted.
    Subscribe,
    /// A stream of news is opened.
    Listen,
    /// Values are proposed for an argument.
    Complete,
    /// The level of log messages is set.
    Level,
    /// A request of the same sender is called off.
    Cancelled,
    /// Tells how far a request of the other side has come.
    Progress,
    /// Accepted and not forwarded.
    Swallow,
    /// A server asks something of the client or its user: an explicit permit is needed.
    ServerRequest,
    /// News from a server: decided for each receiver at each delivery.
    Delivery,
    /// Answered as a method that does not exist.
    Refuse,
}

/// One method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The method, as it is spelled in messages.
    pub name: &'static str,
    /// Whether it is answered.
    pub kind: RowKind,
    /// When it is a message of its own. In the modern era the questions of servers travel inside
    /// results instead.
    pub eras: Eras,
    /// Who may send it.
    pub direction: Direction,
    /// What it is aimed at.
    pub target: TargetKind,
    /// What is done with it.
    pub treatment: Treatment,
}

impl Row {
    /// Whether a message of this method may travel in `direction` in `era`.
    pub fn permits(&self, era: Era, direction: Direction) -> bool {
        self.eras.includes(era)
            && (self.direction == Direction::Either || self.direction == direction)
    }
}

/// The row of a method; names are compared exactly.
pub fn find(name: &str) -> Option<&'static Row> {
    TABLE.binary_search_by(|row| row.name.cmp(name)).ok().and_then(|at| TABLE.get(at))
}

/// The row by which `message` is handled, if it may travel in `direction` in `era` and is not
/// refused; otherwise the error that says the method does not exist. Responses have no row.
pub fn admit(
    message: &Message,
    era: Era,
    direction: Direction,
) -> Result<&'static Row, EnvelopeError> {
    let row = message.row().filter(|row| row.treatment != Treatment::Refuse);
    row.filter(|row| row.permits(era, direction))
        .ok_or_else(|| EnvelopeError::unknown_method(message.method(), era).answering(message.id()))
}

/// What a message of this method is aimed at; an error if the parameters do not name it.
pub fn target<'m>(row: &Row, params: &'m Value) -> Result<Target<'m>, EnvelopeError> {
    match row.target {
        TargetKind::Server | TargetKind::Listen => Ok(Target::Server),
        TargetKind::Tool => text(params, "name").map(Target::Tool),
        TargetKind::Prompt => text(params, "name").map(Target::Prompt),
        TargetKind::Resource => text(params, "uri").map(Target::Resource),
        TargetKind::Reference => reference(params),
        // Whose a task is, nobody here knows yet: it can be aimed at by nobody.
        TargetKind::Task => Err(EnvelopeError::unknown_method(row.name, Era::Legacy)),
    }
}

fn reference(params: &Value) -> Result<Target<'_>, EnvelopeError> {
    let reference = params.get("ref").unwrap_or(&Value::Null);
    match reference.get("type").and_then(Value::as_str) {
        Some("ref/prompt") => text(reference, "name").map(Target::Prompt),
        Some("ref/resource") => text(reference, "uri").map(Target::ResourceTemplate),
        Some(_) | None => {
            Err(EnvelopeError::params("member `ref` must be a `ref/prompt` or a `ref/resource`"))
        }
    }
}

fn text<'m>(object: &'m Value, name: &str) -> Result<Cow<'m, str>, EnvelopeError> {
    let text = object.get(name).and_then(Value::as_str).map(Cow::Borrowed);
    text.ok_or_else(|| EnvelopeError::params(format!("member `{name}` must be a string")))
}
