//! What a modern server asks of the client, as requests on the stream of the client's own call.

use std::time::Duration;

use bytes::Bytes;
use kenward_mcp::bridge::legacy_client::InputRequest;
use kenward_model::Target;
use serde_json::{Map, Value};
use tokio::sync::oneshot;

use super::conversation::{Conversation, Over};
use super::modern;
use crate::clock;
use crate::pipeline::{permitted_request, withheld};
use crate::sessions::Session;
use crate::upstream::UpstreamError;

/// How long a client may take to answer.
const PATIENCE: Duration = Duration::from_mins(10);
/// The revision in which a person can be sent to a page first.
const PAGES_SINCE: &str = "2025-11-25";

/// A question that waits for its answer; dropped, it is not waited for any more.
struct Waiting<'s> {
    session: &'s Session,
    name: String,
    id: String,
    method: &'static str,
    answer: oneshot::Receiver<Value>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.session.confirmed(self.id.as_bytes());
        self.session.takes_answer(self.id.as_bytes());
    }
}

impl Conversation {
    /// The client's answers by the names of the questions, as JSON. Nothing is asked unless all of
    /// it may be asked.
    pub(super) async fn answers(&self, requests: &[InputRequest]) -> Result<String, Over> {
        for request in requests {
            self.may_ask(request)?;
        }
        let session = self.call.session.as_deref().ok_or(UpstreamError::SessionEnded)?;
        let mut waiting = Vec::with_capacity(requests.len());
        for request in requests {
            waiting.push(self.ask(session, request).await?);
        }
        let all = async {
            let mut answers = Map::new();
            for question in &mut waiting {
                let answer = (&mut question.answer).await.unwrap_or_default();
                answers.insert(question.name.clone(), answer);
            }
            answers
        };
        let answered = self.unless_over(tokio::time::timeout(PATIENCE, all)).await?;
        let late = |_| UpstreamError::Misbehaved("it asked what the client did not answer in time");
        let answers = answered.map_err(late)?;
        if !answers.values().all(Value::is_object) {
            let refused = UpstreamError::Misbehaved("it asked what the client does not answer");
            return Err(refused.into());
        }
        // What could be asked then may not be told now.
        for question in &waiting {
            self.permitted(question.method)?;
        }
        Ok(Value::Object(answers).to_string())
    }

    fn may_ask(&self, request: &InputRequest) -> Result<(), Over> {
        self.permitted(&request.method)?;
        let Some(page) = request.page() else { return Ok(()) };
        let opens = modern(&self.call)?.opens_pages && self.call.dialect.version >= PAGES_SINCE;
        if opens && page.starts_with("https://") {
            return Ok(());
        }
        let error = "it sends the person to a page that the client cannot or should not open";
        Err(UpstreamError::Misbehaved(error).into())
    }

    /// The name of a question that the client declared and policy permits now.
    fn permitted(&self, method: &str) -> Result<&'static str, Over> {
        let in_force = self.gateway.live.snapshot();
        if let Some(method) = permitted_request(&self.call, method, &in_force) {
            return Ok(method);
        }
        let (now, params) = (clock::now(), Value::Null);
        let verdict = self.call.judge_other(&in_force, now, method, Target::Server, &params);
        if !verdict.is_allowed() {
            withheld(&self.gateway, &self.call, &in_force, &verdict);
        }
        Err(UpstreamError::Misbehaved("it asks the client for what it may not ask").into())
    }

    async fn ask<'s>(
        &self,
        session: &'s Session,
        request: &InputRequest,
    ) -> Result<Waiting<'s>, Over> {
        let failed = |_| UpstreamError::Misbehaved("nothing could be asked");
        let number = clock::decision_id(clock::now()).map_err(failed)?;
        let id = format!("\"kenward-{number}\"");
        let full = UpstreamError::Misbehaved("too many questions wait for the client");
        let answer = session.confirm(id.as_bytes()).ok_or(full)?;
        let method = self.permitted(&request.method)?;
        let name = request.name.clone();
        let waiting = Waiting { session, name, id, method, answer };
        let page = request.page().map(|_| format!("kenward-{number}"));
        let message = Bytes::from(request.as_request(&waiting.id, page.as_deref()));
        self.client.send(message).await.map_err(|_| Over::Gone)?;
        Ok(waiting)
    }
}
