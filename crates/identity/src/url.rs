//! As much of a URL as metadata needs: its parts, and whether what it names can be trusted.

use std::net::Ipv4Addr;

/// The parts of an absolute `http` or `https` URL, as they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Url<'u> {
    pub(crate) secure: bool,
    /// Scheme and authority, without a slash at the end.
    pub(crate) origin: &'u str,
    authority: &'u str,
    /// The path with its first slash; empty when there is none.
    pub(crate) path: &'u str,
    /// Whether a query or a fragment follows.
    pub(crate) has_more: bool,
}

impl<'u> Url<'u> {
    /// Takes `text` apart; nothing for other schemes, user information, or characters that a URL
    /// cannot contain.
    pub(crate) fn parse(text: &'u str) -> Option<Self> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && !br#""<>\^`{|}"#.contains(&byte)) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let secure = match scheme {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let (before, has_more) = match rest.find(['?', '#']) {
            Some(end) => (rest.get(..end)?, true),
            None => (rest, false),
        };
        let authority = before.split('/').next().unwrap_or_default();
        let path = before.get(authority.len()..)?;
        let origin = text.get(..scheme.len() + "://".len() + authority.len())?;
        let named =
            !authority.is_empty() && !authority.contains('@') && !authority.starts_with(':');
        named.then_some(Self { secure, origin, authority, path, has_more })
    }

    /// Whether an answer from there is the host's own: TLS, or a host that is this machine.
    pub(crate) fn is_trustworthy(&self) -> bool {
        self.secure || self.is_loopback()
    }

    fn is_loopback(&self) -> bool {
        if self.authority.starts_with('[') {
            return self.authority == "[::1]" || self.authority.starts_with("[::1]:");
        }
        let host = self.authority.split(':').next().unwrap_or_default();
        host == "localhost" || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests;
