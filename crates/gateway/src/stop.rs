//! The one place where a stopped message becomes an answer over HTTP.

use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use kenward_mcp::{EnvelopeError, reply};

use crate::body::AnswerBody;
use crate::upstream::UpstreamError;

/// The code of JSON-RPC for "something failed on our side".
const INTERNAL: i32 = -32603;

/// Why a message goes no further.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A bare status: nothing here speaks JSON-RPC yet.
    Status(StatusCode),
    /// 401 with the challenge that says where to get a token (RFC 6750 section 3).
    Challenge(String),
    /// 403 with the challenge that says which scope is missing, and the refusal as body.
    Scope { challenge: String, body: bytes::Bytes },
    /// The message is not one that MCP allows.
    Envelope(EnvelopeError),
    /// The session is missing (400), or not one of this caller on this route (404).
    Session { status: StatusCode, id: Option<Vec<u8>> },
    /// The caller holds as much as one may.
    TooMany { id: Option<Vec<u8>> },
    /// Refused or answered by us: a JSON-RPC message with status 200.
    Answer(bytes::Bytes),
    /// Something failed on our side; nothing was forwarded.
    Us { id: Option<Vec<u8>>, reference: String },
    /// The server behind gave no usable answer.
    Upstream { id: Option<Vec<u8>>, error: UpstreamError, reference: String },
}

impl From<EnvelopeError> for Stop {
    fn from(error: EnvelopeError) -> Self {
        Self::Envelope(error)
    }
}

impl Stop {
    /// The answer that the client gets.
    pub(crate) fn into_response(self) -> Response<AnswerBody> {
        match self {
            Self::Status(status) => bare(status),
            Self::Challenge(challenge) => challenged(bare(StatusCode::UNAUTHORIZED), &challenge),
            Self::Scope { challenge, body } => {
                challenged(json(StatusCode::FORBIDDEN, body), &challenge)
            }
            Self::Envelope(error) => {
                let status = StatusCode::from_u16(error.status());
                json(status.unwrap_or(StatusCode::BAD_REQUEST), reply::envelope(&error))
            }
            Self::Session { status, id } => {
                let words = match status {
                    StatusCode::NOT_FOUND => "no such session; begin a new one with initialize",
                    _ => "the header Mcp-Session-Id is missing; begin with initialize",
                };
                json(status, reply::error(id.as_deref(), -32600, words, None))
            }
            Self::TooMany { id } => {
                let words = "too many calls at once; try again in a moment";
                let body = reply::error(id.as_deref(), INTERNAL, words, None);
                let mut response = json(StatusCode::TOO_MANY_REQUESTS, body);
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
                response
            }
            Self::Answer(body) => json(StatusCode::OK, body),
            Self::Us { id, reference } => json(StatusCode::OK, failure(id.as_deref(), &reference)),
            Self::Upstream { id, error, reference } => {
                let words = format!("{error} (reference {reference})");
                json(StatusCode::OK, reply::error(id.as_deref(), INTERNAL, &words, None))
            }
        }
    }
}

/// The message for "something failed on our side": a reference and nothing else.
pub(crate) fn failure(id: Option<&[u8]>, reference: &str) -> bytes::Bytes {
    let words =
        format!("the gateway could not decide this and forwarded nothing (reference {reference})");
    reply::error(id, INTERNAL, &words, None)
}

/// An answer without a body.
pub(crate) fn bare(status: StatusCode) -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::empty());
    *response.status_mut() = status;
    response
}

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: bytes::Bytes) -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::whole(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn challenged(mut response: Response<AnswerBody>, challenge: &str) -> Response<AnswerBody> {
    if let Ok(value) = HeaderValue::try_from(challenge) {
        response.headers_mut().insert(WWW_AUTHENTICATE, value);
    } else {
        tracing::error!("a challenge is no header value");
    }
    response
}
