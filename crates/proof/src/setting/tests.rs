use super::*;
use crate::fixture::{Company, GOOD};

#[test]
fn a_schema_without_requests_is_none() {
    for text in ["", "// the schema cannot be written in this syntax: a name\n", "entity User;"] {
        let error = schema(text).expect_err(text);
        assert!(error.to_string().contains("`learn`"), "{text}: {error}");
    }
    assert!(schema("entity User = {").is_err());
}

#[test]
fn all_kinds_of_requests_that_are_decided_are_there_and_no_others() {
    let company = Company::with(GOOD);
    let setting = Setting::new(company.deployment()).expect("a form");
    let words: Vec<String> = setting.environments().iter().map(Environment::words).collect();
    for wanted in [
        "call deliveries/get_address",
        "call deliveries/untold",
        "call a tool that is not known yet",
        "learn about Customer",
        "learn about Depot",
        "learn about User",
        "read on Customer",
        "read Mcp::ResourceTemplate",
        "get a prompt",
        "tools/list",
        "elicitation/create",
    ] {
        assert!(words.iter().any(|one| one == wanted), "{wanted}: {words:?}");
        let agents = format!("{wanted}, by an agent of its own rights");
        assert!(words.contains(&agents), "{agents}");
    }
    assert_eq!(words.len() % 2, 0);
}

#[test]
fn a_method_that_needs_no_permit_has_one() {
    let company = Company::with("");
    let setting = Setting::new(company.deployment()).expect("a form");
    let permits = |wanted: &str| {
        let found = setting.environments().iter().find(|one| one.words() == wanted);
        let effective = setting.effective(found.expect(wanted)).expect("a form");
        effective.policies.iter().any(|one| one.effect() == cedar_policy::Effect::Permit)
    };
    assert!(permits("tools/list") && permits("initialize"));
    assert!(!permits("elicitation/create") && !permits("call deliveries/get_address"));
}
