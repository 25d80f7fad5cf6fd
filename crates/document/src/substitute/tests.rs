//! What is replaced, what is kept, and what is refused.

use super::{Unreplaced, substitute};

fn environment(name: &str) -> Option<String> {
    match name {
        "TOKEN" => Some("s3cret".to_owned()),
        "NESTED" => Some("${TOKEN}".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

fn replaced(text: &str) -> String {
    substitute(text, &environment).unwrap().unwrap()
}

#[test]
fn variables_are_replaced_wherever_they_stand() {
    assert_eq!(replaced("${TOKEN}"), "s3cret");
    assert_eq!(replaced("a ${TOKEN} b ${TOKEN}"), "a s3cret b s3cret");
    assert_eq!(replaced("${EMPTY}"), "");
}

#[test]
fn what_a_variable_holds_is_not_read_again() {
    assert_eq!(replaced("${NESTED}"), "${TOKEN}");
}

#[test]
fn a_doubled_sign_escapes() {
    assert_eq!(replaced("$${TOKEN}"), "${TOKEN}");
    assert_eq!(replaced("$${a} ${TOKEN}"), "${a} s3cret");
}

#[test]
fn text_without_references_is_left_alone() {
    for text in ["", "$", "$.structuredContent.id", "$params.arguments.x", "{TOKEN}", "$TOKEN"] {
        assert_eq!(substitute(text, &environment), Ok(None), "{text}");
    }
}

#[test]
fn what_cannot_be_replaced_is_said() {
    let unset = Unreplaced::Unset("MISSING".to_owned());
    assert_eq!(substitute("${MISSING}", &environment), Err(unset));
    assert_eq!(substitute("x ${TOKEN", &environment), Err(Unreplaced::Unclosed));
    for name in ["", "1A", "A-B", "A B", "TOKEN:-x"] {
        let found = substitute(&format!("${{{name}}}"), &environment);
        assert_eq!(found, Err(Unreplaced::BadName(name.to_owned())));
    }
}
