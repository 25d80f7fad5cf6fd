//! Step 3, parse: the message and the revision that it speaks, from bytes that are kept.

use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use kenward_mcp::dialect::{Dialect, HeaderView, classify};
use kenward_mcp::{Limits, Message};

use crate::route::only;
use crate::settings::Settings;
use crate::stop::Stop;

pub(crate) async fn parse(
    settings: &Settings,
    head: &Parts,
    body: Incoming,
) -> Result<(Message, Dialect), Stop> {
    if !is_json(head) {
        return Err(Stop::Status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let limits = &settings.limits;
    let reading = Limited::new(body, limits.body).collect();
    let bytes = match tokio::time::timeout(limits.body_time, reading).await {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return Err(Stop::Status(StatusCode::PAYLOAD_TOO_LARGE));
        }
        Ok(Err(_)) => return Err(Stop::Status(StatusCode::BAD_REQUEST)),
        Err(_) => return Err(Stop::Status(StatusCode::REQUEST_TIMEOUT)),
    };
    let message = Message::parse(bytes, &Limits { body: limits.body, depth: limits.depth })?;
    let dialect = classify(&headers(head)?, &message)?;
    Ok((message, dialect))
}

fn is_json(head: &Parts) -> bool {
    let kind = only(&head.headers, CONTENT_TYPE).ok().flatten().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    // What would have to be unpacked first is not what was sent on the wire.
    kind.eq_ignore_ascii_case("application/json") && !head.headers.contains_key(CONTENT_ENCODING)
}

/// The headers that MCP gives a meaning; one that comes twice has none.
pub(super) fn headers(head: &Parts) -> Result<HeaderView<'_>, Stop> {
    let single =
        |name: &str| only(&head.headers, name).map_err(|()| Stop::Status(StatusCode::BAD_REQUEST));
    Ok(HeaderView {
        version: single("mcp-protocol-version")?,
        method: single("mcp-method")?,
        name: single("mcp-name")?,
        session: single("mcp-session-id")?,
    })
}
