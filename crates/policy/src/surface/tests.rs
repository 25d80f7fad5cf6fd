use super::*;

#[test]
fn globs_match_whole_names_only() {
    let cases = [
        ("get_*", "get_order", true),
        ("get_*", "forget_order", false),
        ("*_order", "get_order", true),
        ("*_order", "get_orders", false),
        ("get_order", "get_order", true),
        ("get_order", "get_order2", false),
        ("*", "anything", true),
        ("*", "", true),
        ("", "", true),
        ("", "x", false),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-c-b", false),
        ("**", "x", true),
    ];
    for (glob, text, expected) in cases {
        assert_eq!(glob_matches(glob, text), expected, "{glob} on {text}");
    }
}

#[test]
fn a_rule_covers_what_any_of_its_globs_names() {
    let rule = ScopeRule {
        scope: "deliveries:read".into(),
        tools: vec!["get_*".to_owned(), "list_*".to_owned()],
        says: "Look up deliveries".into(),
    };
    assert!(rule.covers("get_x") && rule.covers("list_x"));
    assert!(!rule.covers("delete_x"));
}
