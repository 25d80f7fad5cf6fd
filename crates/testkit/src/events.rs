//! A stream of server-sent events as a client reads it.

use std::time::Duration;

use bytes::BytesMut;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;

/// What came next on a stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// A message.
    Message(Value),
    /// The end: nothing can come any more.
    End,
    /// Nothing within the time that was given.
    Silence,
}

impl Next {
    /// The message.
    pub fn message(self) -> Value {
        match self {
            Self::Message(message) => message,
            other => panic!("a message was expected, not {other:?}"),
        }
    }
}

/// A stream of events.
#[derive(Debug)]
pub struct EventStream {
    status: StatusCode,
    headers: HeaderMap,
    body: Incoming,
    buffer: BytesMut,
    seen: Vec<u8>,
    ended: bool,
}

impl EventStream {
    /// Reads the events of an answer.
    pub fn of(response: http::Response<Incoming>) -> Self {
        let (parts, body) = response.into_parts();
        Self {
            status: parts.status,
            headers: parts.headers,
            body,
            buffer: BytesMut::new(),
            seen: Vec::new(),
            ended: false,
        }
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers of the answer.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Whether the answer is a stream of events at all.
    pub fn is_events(&self) -> bool {
        let kind = self.headers.get("content-type").and_then(|kind| kind.to_str().ok());
        kind.is_some_and(|kind| kind.starts_with("text/event-stream"))
    }

    /// Every byte received so far.
    pub fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// The next message, the end, or silence for `patience`. Comments are passed over.
    pub async fn next(&mut self, patience: Duration) -> Next {
        let reading = self.read();
        tokio::time::timeout(patience, reading).await.unwrap_or(Next::Silence)
    }

    /// The next message whose method is `method`, or the end or silence. Others are passed over.
    pub async fn next_of(&mut self, method: &str, patience: Duration) -> Next {
        let searching = async {
            loop {
                match self.read().await {
                    Next::Message(message) if message["method"] != method => {}
                    other => return other,
                }
            }
        };
        tokio::time::timeout(patience, searching).await.unwrap_or(Next::Silence)
    }

    /// Everything that comes until the end, or for `patience`.
    pub async fn rest(&mut self, patience: Duration) -> (Vec<Value>, Next) {
        let mut messages = Vec::new();
        loop {
            match self.next(patience).await {
                Next::Message(message) => messages.push(message),
                last => return (messages, last),
            }
        }
    }

    async fn read(&mut self) -> Next {
        loop {
            if let Some(message) = self.take() {
                return Next::Message(message);
            }
            if self.ended {
                return Next::End;
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    let data = frame.into_data().unwrap_or_default();
                    self.seen.extend_from_slice(&data);
                    self.buffer.extend_from_slice(&data);
                }
                Some(Err(_)) | None => self.ended = true,
            }
        }
    }

    fn take(&mut self) -> Option<Value> {
        loop {
            let end = self.buffer.windows(2).position(|pair| pair == b"\n\n")?;
            let event = self.buffer.split_to(end + 2);
            let text = String::from_utf8_lossy(&event).into_owned();
            let data: Vec<&str> =
                text.lines().filter_map(|line| line.strip_prefix("data:")).collect();
            let data = data.join("\n");
            if !data.trim().is_empty() {
                return Some(serde_json::from_str(data.trim()).expect("an event with a message"));
            }
        }
    }
}
