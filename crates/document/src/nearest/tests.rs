//! What is proposed, and what is not.

use super::nearest;

#[test]
fn misspellings_case_and_separators_find_their_word() {
    let known = ["listen", "public_url", "issuers", "jwks", "policies"];
    assert_eq!(nearest("lisen", known), Some("listen"));
    assert_eq!(nearest("publicUrl", known), Some("public_url"));
    assert_eq!(nearest("public-url", known), Some("public_url"));
    assert_eq!(nearest("issuer", known), Some("issuers"));
    assert_eq!(nearest("jwks_uri", known), Some("jwks"));
    assert_eq!(nearest("polcies", known), Some("policies"));
}

#[test]
fn a_word_that_resembles_nothing_gets_no_proposal() {
    assert_eq!(nearest("frobnicate", ["listen", "state"]), None);
    assert_eq!(nearest("x", ["of", "id"]), None);
    assert_eq!(nearest("", ["a"]), None);
    assert_eq!(nearest("anything", []), None);
}

#[test]
fn the_nearest_wins_over_the_first() {
    assert_eq!(nearest("nane", ["sane", "name", "nane"]), Some("nane"));
}
