//! The `WWW-Authenticate` challenges (RFC 6750 section 3, RFC 9728 section 5.1).

use crate::TokenError;

/// The challenge of a 401: where to find out how to get a token, what was wrong with the one that
/// came (if one came), and which scope would do.
///
/// The result is a legal header value whatever the arguments contain.
pub fn unauthorized(metadata_url: &str, error: Option<&TokenError>, scope: &[&str]) -> String {
    let mut challenge = Challenge::new();
    if let Some(error) = error {
        challenge.parameter("error", "invalid_token");
        challenge.parameter("error_description", error.description());
    }
    challenge.scope(scope);
    challenge.parameter("resource_metadata", metadata_url);
    challenge.0
}

/// The challenge of a 403: the token is good, but this operation needs all of `scope`.
pub fn insufficient_scope(metadata_url: &str, scope: &[&str]) -> String {
    let mut challenge = Challenge::new();
    challenge.parameter("error", "insufficient_scope");
    challenge.parameter("error_description", "the operation needs more scope");
    challenge.scope(scope);
    challenge.parameter("resource_metadata", metadata_url);
    challenge.0
}

struct Challenge(String);

impl Challenge {
    fn new() -> Self {
        Self("Bearer".to_owned())
    }

    /// Adds `name="value"`; characters that a quoted string cannot have are left out.
    fn parameter(&mut self, name: &str, value: &str) {
        self.0.push_str(if self.0.contains('=') { ", " } else { " " });
        self.0.push_str(name);
        self.0.push_str("=\"");
        for character in value.chars().filter(|c| matches!(c, ' '..='~')) {
            if matches!(character, '"' | '\\') {
                self.0.push('\\');
            }
            self.0.push(character);
        }
        self.0.push('"');
    }

    /// Adds the scopes that are scopes at all (RFC 6749 section 3.3).
    fn scope(&mut self, scope: &[&str]) {
        let good: Vec<&str> = scope.iter().copied().filter(|scope| is_scope(scope)).collect();
        if !good.is_empty() {
            self.parameter("scope", &good.join(" "));
        }
    }
}

fn is_scope(scope: &str) -> bool {
    !scope.is_empty() && scope.chars().all(|c| matches!(c, '!' | '#'..='[' | ']'..='~'))
}

#[cfg(test)]
mod tests;
