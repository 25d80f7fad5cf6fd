//! Values in HTTP headers that mirror values of the body (MCP 2026-07-28, request metadata).

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const PREFIX: &str = "=?base64?";
const SUFFIX: &str = "?=";

/// Why a header's value mirrors nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// A character that must be encoded.
    #[error("has characters other than visible ascii, space and tab")]
    Characters,
    /// Between the markers stands something else than padded base64 of UTF-8.
    #[error("is malformed base64")]
    Base64,
}

/// `value` as it may stand in a header: itself, or `=?base64?…?=` when it has characters beyond
/// visible ASCII, space and tab, white space at an end, or looks like an encoded value.
///
/// ```
/// use kenward_mcp::dialect::encode_header_value;
/// assert_eq!(encode_header_value("get_weather"), "get_weather");
/// assert_eq!(encode_header_value("Zürich"), "=?base64?WsO8cmljaA==?=");
/// ```
pub fn encode_header_value(value: &str) -> String {
    let is_trimmed = value.trim_matches([' ', '\t']) == value;
    if value.bytes().all(is_plain) && is_trimmed && !value.starts_with(PREFIX) {
        return value.to_owned();
    }
    format!("{PREFIX}{}{SUFFIX}", STANDARD.encode(value))
}

/// The value that a header's text stands for.
pub fn decode_header_value(header: &str) -> Result<Cow<'_, str>, HeaderError> {
    let encoded = header.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
    let Some(encoded) = encoded else {
        let plain = header.bytes().all(is_plain);
        return if plain { Ok(Cow::Borrowed(header)) } else { Err(HeaderError::Characters) };
    };
    let bytes = STANDARD.decode(encoded).map_err(|_| HeaderError::Base64)?;
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| HeaderError::Base64)
}

fn is_plain(byte: u8) -> bool {
    byte == b'\t' || (b' '..=b'~').contains(&byte)
}
