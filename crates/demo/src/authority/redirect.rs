//! Where a browser may be sent back to: URIs of clients, compared exactly but for loopback ports.

/// The longest URI that is taken.
const LONGEST: usize = 2000;
/// Schemes that a browser acts on by itself, or that carry no application's own address.
const FORBIDDEN: [&str; 9] =
    ["javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "ws", "ftp"];

/// A URI in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Redirect<'u> {
    scheme: &'u str,
    /// Host without its port.
    host: &'u str,
    port: Option<&'u str>,
    /// Path and query.
    rest: &'u str,
}

impl<'u> Redirect<'u> {
    /// Reads a URI that a browser may be sent to: `https`, `http` on this machine, or a private
    /// scheme of an application (RFC 8252 section 7); no fragment, no user information.
    pub(super) fn parse(uri: &'u str) -> Option<Self> {
        let plain = |c: u8| c.is_ascii_graphic() && !b"\"<>\\^`{|}#'".contains(&c);
        if uri.len() > LONGEST || !uri.bytes().all(plain) {
            return None;
        }
        let (scheme, after) = uri.split_once("://")?;
        let end = after.find(['/', '?']).unwrap_or(after.len());
        let (authority, rest) = after.split_at_checked(end)?;
        if authority.contains('@') || !is_scheme(scheme) {
            return None;
        }
        let (host, port) = split_port(authority)?;
        let found = Self { scheme, host, port, rest };
        let allowed = match scheme {
            "https" => is_host(host),
            "http" => found.is_loopback(),
            _ => !FORBIDDEN.contains(&scheme),
        };
        allowed.then_some(found)
    }

    /// Whether this is plain HTTP to this machine, where a client cannot know its port beforehand.
    pub(super) fn is_loopback(&self) -> bool {
        self.scheme == "http" && matches!(self.host, "127.0.0.1" | "localhost" | "[::1]")
    }

    /// Whether `given` is this registered URI: the same text, but for the port on this machine
    /// (RFC 8252 section 7.3).
    pub(super) fn admits(&self, given: &Self) -> bool {
        let same_port = self.port == given.port || (self.is_loopback() && given.is_loopback());
        self.scheme == given.scheme
            && self.host == given.host
            && self.rest == given.rest
            && same_port
    }

    /// Scheme, host and port; for an application's private scheme the scheme alone.
    pub(super) fn origin(&self) -> String {
        match (self.scheme, self.port) {
            ("https" | "http", Some(port)) => format!("{}://{}:{port}", self.scheme, self.host),
            ("https" | "http", None) => format!("{}://{}", self.scheme, self.host),
            _ => format!("{}:", self.scheme),
        }
    }
}

/// A target of tokens: an absolute URL of a server on this machine, without a fragment
/// (RFC 8707 section 2). The demo makes no token that is good elsewhere.
pub(super) fn is_resource(uri: &str) -> bool {
    Redirect::parse(uri).is_some_and(|parsed| parsed.is_loopback())
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b"+-.".contains(&c))
}

/// Host and port of an authority; the port is a number.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let bracket = authority.rfind(']').unwrap_or(0);
    let Some(colon) = authority.rfind(':').filter(|colon| *colon >= bracket) else {
        return Some((authority, None));
    };
    let (host, port) = authority.split_at_checked(colon)?;
    let port = port.strip_prefix(':')?;
    let number: u16 = port.parse().ok()?;
    (number.to_string() == port).then_some((host, Some(port)))
}

fn is_host(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|c| c.is_ascii_alphanumeric() || b"-.".contains(&c))
}
