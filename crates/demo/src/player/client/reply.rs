//! One answer, and what it says about being refused.

use serde_json::Value;

/// The member of `_meta` that names the decision.
const DECISION: &str = "dev.kenward/decision";

/// The answer to a request.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    message: Value,
}

impl Reply {
    pub(super) fn read(status: u16, body: &[u8]) -> Result<Self, String> {
        match serde_json::from_slice(body) {
            Ok(message) => Ok(Self { status, message }),
            Err(_) => Err(format!("status {status} with a body that is no JSON")),
        }
    }

    pub(crate) fn result(&self) -> Option<&Value> {
        self.message.get("result")
    }

    pub(crate) fn error_code(&self) -> Option<i64> {
        self.message.pointer("/error/code").and_then(Value::as_i64)
    }

    /// Whether the tool has answered.
    pub(crate) fn is_answered(&self) -> bool {
        self.result().is_some_and(|result| result.get("isError") != Some(&Value::Bool(true)))
    }

    /// Whether the call was decided and refused.
    pub(crate) fn is_refused(&self) -> bool {
        !self.is_answered() && self.decision().is_some()
    }

    /// The structured content of a tool's answer.
    pub(crate) fn content(&self) -> Option<&Value> {
        self.result()?.get("structuredContent")
    }

    /// What the model reads.
    pub(crate) fn text(&self) -> &str {
        let of_result = self.message.pointer("/result/content/0/text");
        let text = of_result.or_else(|| self.message.pointer("/error/message"));
        text.and_then(Value::as_str).unwrap_or_default()
    }

    /// The id of the decision.
    pub(crate) fn decision_id(&self) -> Option<&str> {
        self.decision()?.get("id")?.as_str()
    }

    /// The number of the question that was answered no.
    pub(crate) fn question(&self) -> Option<u64> {
        let question = self.decision()?.get("question")?;
        question.as_u64().or_else(|| match question.as_str()? {
            "operation" => Some(1),
            "object" => Some(2),
            "fact" => Some(3),
            "inference" => Some(4),
            "result" => Some(5),
            _ => None,
        })
    }

    /// The answer in a few words, for a deviation.
    pub(crate) fn short(&self) -> String {
        let text: String = self.message.to_string().chars().take(160).collect();
        format!("status {} {text}", self.status)
    }

    fn decision(&self) -> Option<&Value> {
        let result = self.message.pointer("/result/_meta");
        let meta = result.or_else(|| self.message.pointer("/error/data/_meta"));
        meta?.get(DECISION)
    }
}
