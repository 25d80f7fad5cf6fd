//! Which URIs a template fits, and which it must not miss.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Template, readings};

fn variables(template: &str, uri: &str) -> Option<Value> {
    Template::parse(template).unwrap().variables_in(&readings(uri))
}

#[test]
fn variables_are_read_and_decoded() {
    let template = "crm://customers/{id}/address";
    assert_eq!(variables(template, "crm://customers/4711/address"), Some(json!({ "id": "4711" })));
    assert_eq!(
        variables(template, "crm://customers/Taylor%20Swift/address"),
        Some(json!({ "id": "Taylor Swift" }))
    );
    assert_eq!(variables(template, "crm://customers/a%2Fb/address"), Some(json!({ "id": "a/b" })));
    assert_eq!(variables("crm://{id}", "crm://AC-8850"), Some(json!({ "id": "AC-8850" })));
    assert_eq!(
        variables("crm://{tenant}/c/{id}", "crm://eu/c/9"),
        Some(json!({ "tenant": "eu", "id": "9" }))
    );
    assert_eq!(variables("crm://public", "crm://public"), Some(json!({})));
    assert_eq!(
        variables("mailto:{whom}", "mailto:ann@example.com"),
        Some(json!({ "whom": "ann@example.com" }))
    );
}

#[test]
fn another_resource_does_not_fit() {
    let template = "crm://customers/{id}/address";
    for uri in [
        "crm://customers/4711/orders",
        "crm://customers//address",
        "crm://customers/4711/5/address",
        "crm://customers/4711",
        "crm://suppliers/4711/address",
        "hrm://customers/4711/address",
        "",
        "%",
        "crm://customers/%",
    ] {
        assert_eq!(variables(template, uri), None, "{uri}");
    }
    assert_eq!(variables("crm://public", "crm://publicity"), None);
}

/// A server may be less exact than the template: none of these ways leads past the binding.
#[test]
fn no_other_spelling_leads_past_a_template() {
    let template = "crm://customers/{id}/address";
    for uri in [
        "CRM://customers/4711/address",
        "crm://Customers/4711/Address",
        "crm://customers/4711/address/",
        "crm://customers/4711/address?x=1",
        "crm://customers/4711/address#here",
        "crm://customers/4711/address?x=1#here",
        "crm://customers//4711/address",
        "crm://customers/%34711/address",
        "crm://customers/4711/%61ddress",
        "crm://customers/./4711/address",
        "crm://customers/x/../4711/address",
        "crm://customers/x/%2e%2e/4711/address",
    ] {
        assert_eq!(variables(template, uri), Some(json!({ "id": "4711" })), "{uri}");
    }
}

#[test]
fn where_a_template_fits_in_several_ways_all_values_count() {
    let found = variables("crm://c/{a}-{b}", "crm://c/1-2-3").unwrap();
    assert_eq!(found, json!({ "a": ["1", "1-2"], "b": ["2-3", "3"] }));
    let found = variables("crm://c/{id}", "crm://c/7?full=1").unwrap();
    assert_eq!(found, json!({ "id": ["7?full=1", "7"] }));
    let many = "-".repeat(400);
    let found = variables("crm://c/{a}-{b}", &format!("crm://c/{many}")).unwrap();
    assert!(found["a"].as_array().unwrap().len() > 64, "more than are ever permitted");
}

#[test]
fn what_is_no_template_of_level_one_is_refused() {
    for (text, part) in [
        ("customers/{id}", "scheme"),
        ("crm://{id", "open brace"),
        ("crm://id}", "brace too many"),
        ("crm://a}{id}", "brace too many"),
        ("crm://{+path}", "`+path`"),
        ("crm://c{?q}", "`?q`"),
        ("crm://{a,b}", "`a,b`"),
        ("crm://{a*}", "`a*`"),
        ("crm://{}", "``"),
        ("crm://{a}{b}", "nothing between"),
        ("crm://{a}/{a}", "twice"),
    ] {
        let (message, _) = Template::parse(text).unwrap_err();
        assert!(message.contains(part), "{text}: {message}");
    }
}

proptest! {
    /// Whatever a variable's value, the URI that RFC 6570 expands with it leads back to it.
    #[test]
    fn expansion_is_undone(value in "[ -~äßж]{1,20}") {
        let is_plain = |b: &u8| b.is_ascii_alphanumeric() || b"-._~".contains(b);
        let expanded: String = value
            .bytes()
            .map(|b| if is_plain(&b) { char::from(b).to_string() } else { format!("%{b:02X}") })
            .collect();
        prop_assume!(value != "." && value != "..");
        let found = variables("crm://c/{id}/x", &format!("crm://c/{expanded}/x"));
        prop_assert_eq!(found, Some(json!({ "id": value })));
    }

    #[test]
    fn no_text_is_too_strange(uri in "\\PC{0,60}") {
        prop_assert_eq!(variables("crm://c/{a}-{b}/x", &uri), None);
    }
}
