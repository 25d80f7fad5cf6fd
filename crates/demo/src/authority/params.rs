//! Parameters of forms and queries: each at most once (OAuth 2.1 section 3.1), and written back.

/// Parameters as received, none of them twice.
#[derive(Debug, Default)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// Takes the parameters, unless one of them is there twice. Empty ones count as absent.
    pub(super) fn unique(pairs: Vec<(String, String)>) -> Option<Self> {
        let mut taken: Vec<(String, String)> = Vec::with_capacity(pairs.len());
        for (name, value) in pairs {
            if taken.iter().any(|(known, _)| *known == name) {
                return None;
            }
            taken.push((name, value));
        }
        taken.retain(|(_, value)| !value.is_empty());
        Some(Self(taken))
    }

    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Writes parameters as `application/x-www-form-urlencoded`.
pub(super) fn encode(pairs: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{}={}", escape(name), escape(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// Writes a text so that it is one name or value (RFC 3986 section 2.3: all but the unreserved).
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
            continue;
        }
        out.push('%');
        let digits = [byte / 16, byte % 16].map(|half| char::from_digit(half.into(), 16));
        out.extend(digits.into_iter().flatten().map(|digit| digit.to_ascii_uppercase()));
    }
    out
}

/// Reads what [`escape`] wrote; nothing when it is not UTF-8 or breaks off.
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex(rest.next()?)?.checked_mul(16)?.checked_add(hex(rest.next()?)?)?,
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
