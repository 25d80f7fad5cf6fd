//! Challenges are exact, and nothing put into one can break out of it.

use proptest::prelude::*;

use super::{insufficient_scope, unauthorized};
use crate::TokenError;

const METADATA: &str = "https://gw.example/.well-known/oauth-protected-resource/mcp/crm";

#[test]
fn a_challenge_says_where_what_and_which() {
    assert_eq!(
        unauthorized(METADATA, None, &[]),
        format!("Bearer resource_metadata=\"{METADATA}\"")
    );
    assert_eq!(
        unauthorized(METADATA, Some(&TokenError::Expired), &["crm:read", "crm:write"]),
        format!(
            "Bearer error=\"invalid_token\", error_description=\"the token has expired\", \
             scope=\"crm:read crm:write\", resource_metadata=\"{METADATA}\""
        )
    );
    assert_eq!(
        insufficient_scope(METADATA, &["crm:write"]),
        format!(
            "Bearer error=\"insufficient_scope\", \
             error_description=\"the operation needs more scope\", scope=\"crm:write\", \
             resource_metadata=\"{METADATA}\""
        )
    );
}

#[test]
fn what_is_no_scope_is_left_out() {
    let challenge = insufficient_scope(METADATA, &["a b", "\"", "\\", "", "\r\nX: y", "good"]);
    assert!(challenge.contains("scope=\"good\""), "{challenge}");
}

proptest! {
    #[test]
    fn nothing_breaks_out_of_its_quotes(url in any::<String>(), scope in any::<String>()) {
        let challenge = unauthorized(&url, Some(&TokenError::Malformed), &[&scope]);
        prop_assert!(challenge.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        let mut outside = String::new();
        let mut quoted = false;
        let mut characters = challenge.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' if quoted => drop(characters.next()),
                '"' => quoted = !quoted,
                other if !quoted => outside.push(other),
                _ => {}
            }
        }
        prop_assert!(!quoted);
        let expected = "Bearer error=, error_description=, scope=, resource_metadata=";
        let without_scope = "Bearer error=, error_description=, resource_metadata=";
        prop_assert!(outside == expected || outside == without_scope, "{outside}");
    }
}
