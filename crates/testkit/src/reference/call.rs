//! A request as the rooms see it, whichever era it came in, and what can come of it.

use http::StatusCode;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::UnboundedSender;

use crate::Era;

/// The extension under which a client takes tasks (SEP-2663).
pub(super) const TASKS: &str = "io.modelcontextprotocol/tasks";

const LEVELS: [&str; 8] =
    ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// One request, and what is known about whoever sent it.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: String,
    pub(super) params: Value,
    pub(super) era: Era,
    /// What the client can do: of this request, or of its session.
    pub(super) capabilities: Value,
    /// The lowest level of logs that the client wants; nothing when it wants none.
    pub(super) level: Option<String>,
    /// What the client answered so far, by the key of the question.
    pub(super) answers: Map<String, Value>,
    /// What the call itself asked to be reminded of.
    pub(super) remembered: Option<Value>,
    pub(super) talk: Talk,
}

/// What is said before the result.
#[derive(Debug)]
pub(super) enum Said {
    /// A notification, or a request to the client.
    Message(Value),
    /// The server closes the stream and goes on working; the client comes back for the rest.
    Disconnect,
}

/// Where a call says things before its result.
pub(super) type Talk = UnboundedSender<Said>;

/// What comes of a call.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The result, without what the era adds to it.
    Done(Value),
    /// Nothing before the client has answered these questions.
    Ask(Ask),
    /// An error.
    Fail(Failure),
}

/// Questions to the client, all of which have to be answered.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) questions: Vec<Question>,
    /// What to be reminded of when the answers are there.
    pub(super) remembers: Option<Value>,
}

/// One question to the client.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) key: &'static str,
    pub(super) method: &'static str,
    pub(super) params: Value,
}

/// A JSON-RPC error and the status that goes with it.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    pub(super) code: i32,
    pub(super) message: String,
    pub(super) data: Option<Value>,
}

impl Call {
    /// The name of the tool or prompt.
    pub(super) fn name(&self) -> &str {
        self.params["name"].as_str().unwrap_or_default()
    }

    /// An argument; null when it is absent.
    pub(super) fn argument(&self, name: &str) -> &Value {
        &self.params["arguments"][name]
    }

    /// Whether the client declared this capability.
    pub(super) fn can(&self, capability: &str) -> bool {
        self.capabilities.get(capability).is_some()
    }

    /// Whether the client takes tasks for results.
    pub(super) fn takes_tasks(&self) -> bool {
        self.era == Era::Modern && self.capabilities["extensions"].get(TASKS).is_some()
    }

    /// Logs to the client, if it wants to hear this level.
    pub(super) fn log(&self, level: &str, data: &str) {
        let rank = |level: &str| LEVELS.iter().position(|known| *known == level);
        let Some(wanted) = self.level.as_deref().and_then(rank) else { return };
        if rank(level).is_some_and(|rank| rank >= wanted) {
            let params = json!({ "level": level, "logger": "reference", "data": data });
            self.notify("notifications/message", &params);
        }
    }

    /// Reports progress, if the client asked for it.
    pub(super) fn progress(&self, progress: u32, total: u32) {
        if let Some(token) = self.params["_meta"].get("progressToken") {
            let params = json!({ "progressToken": token, "progress": progress, "total": total });
            self.notify("notifications/progress", &params);
        }
    }

    fn notify(&self, method: &str, params: &Value) {
        let message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        let _gone = self.talk.send(Said::Message(message));
    }

    /// Closes the stream, where the era lets the client come back for the rest.
    pub(super) fn disconnect(&self) {
        if self.era == Era::Legacy {
            let _gone = self.talk.send(Said::Disconnect);
        }
    }
}

impl Ask {
    /// The first capability that the client lacks for these questions.
    pub(super) fn lacks(&self, call: &Call) -> Option<&'static str> {
        self.questions.iter().map(Question::capability).find(|capability| !call.can(capability))
    }
}

impl Question {
    /// What a client has to be able to do to be asked this.
    pub(super) fn capability(&self) -> &'static str {
        match self.method {
            "sampling/createMessage" => "sampling",
            "roots/list" => "roots",
            _ => "elicitation",
        }
    }

    /// Whether `value` answers this question at all.
    pub(super) fn is_answered_by(&self, value: &Value) -> bool {
        match self.method {
            "sampling/createMessage" => value["content"].is_object() || value["content"].is_array(),
            "roots/list" => value["roots"].is_array(),
            _ => value["action"].is_string(),
        }
    }
}

impl Failure {
    /// An error in an answer with status 200, as for anything that a method itself finds wrong.
    pub(super) fn new(code: i32, message: impl Into<String>) -> Self {
        Self { status: StatusCode::OK, code, message: message.into(), data: None }
    }

    /// Parameters that are not right.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(-32602, message)
    }

    /// A method that there is not.
    pub(super) fn unknown_method(method: &str) -> Self {
        Self::new(-32601, format!("there is no method `{method}`"))
            .with_status(StatusCode::NOT_FOUND)
    }

    /// A request that needs a capability which the client did not declare.
    pub(super) fn lacking(required: &Value) -> Self {
        Self::new(-32021, "the client lacks a capability that this request needs")
            .with_status(StatusCode::BAD_REQUEST)
            .with_data(json!({ "requiredCapabilities": required }))
    }

    /// The same with a status.
    pub(super) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same with data.
    pub(super) fn with_data(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }

    /// The error object.
    pub(super) fn error(&self) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(data) = &self.data {
            error["data"] = data.clone();
        }
        error
    }

    /// The whole response to the request `id`.
    pub(super) fn response(&self, id: &Value) -> Value {
        json!({ "jsonrpc": "2.0", "id": id, "error": self.error() })
    }
}

/// A tool result with one text.
pub(super) fn text(text: impl Into<String>) -> Outcome {
    Outcome::Done(json!({ "content": [{ "type": "text", "text": text.into() }] }))
}

/// A tool result that says what went wrong.
pub(super) fn tool_error(text: impl Into<String>) -> Outcome {
    let content = json!([{ "type": "text", "text": text.into() }]);
    Outcome::Done(json!({ "content": content, "isError": true }))
}
