//! Arguments that no binding declares: what they are called says whom they may name.

use serde_json::{Value, json};

use super::super::Why;
use super::super::trial::{Trial, fact};
use crate::fixtures::customer;
use crate::subject::UnresolvedWhy;

/// A tool that tells the address of whoever is named in `q`, or somewhere else.
fn trial() -> Trial {
    let search = json!({
        "parameters": { "q": { "role": "text", "mode": "open" } },
        "discloses": [{ "of": "Customer", "subject": "$params.arguments.q", "attribute": "address" }],
    });
    let mut trial =
        Trial::new().bind("search", &search).guessed("find_address").tells("get", "address");
    for id in ["5", "4711", "4802"] {
        trial.refuse(id, "address", 3);
    }
    trial
}

/// Whose address the call would tell, of a search for depots with these arguments beside it.
fn about(arguments: &Value) -> Vec<String> {
    let mut arguments = arguments.clone();
    arguments["q"] = json!("depots");
    let found = trial().decide("search", &arguments).disclosed;
    found.into_iter().map(|disclosed| disclosed.fact.subject.id.as_ref().to_owned()).collect()
}

fn names_al(arguments: &Value) {
    assert_eq!(about(arguments), ["5"], "{arguments}");
}

fn names_nobody(arguments: &Value) {
    assert_eq!(about(arguments), Vec::<String>::new(), "{arguments}");
}

#[test]
fn a_short_number_in_a_member_that_is_called_by_the_type_is_an_id() {
    for arguments in [
        json!({ "customer_id": 5 }),
        json!({ "customerId": "5" }),
        json!({ "customer": 5 }),
        json!({ "Customer-No": " 5 " }),
        json!({ "target_customer_number": "005" }),
        json!({ "customer_ids": [1, 5] }),
        json!({ "customers": [5] }),
        json!({ "customers": ["5"] }),
        json!({ "customer": { "id": 5 } }),
        json!({ "customers": { "5": "address" } }),
        json!({ "filter": { "customer_id": { "eq": 5, "id": 5 } } }),
        json!({ "client_id": 5 }),
        json!({ "account_number": "5" }),
        json!({ "user": 5 }),
        json!({ "customer_name": "Al" }),
        json!({ "customer": "Al" }),
    ] {
        names_al(&arguments);
    }
}

/// The benign twins.
#[test]
fn a_short_number_elsewhere_is_nobodys() {
    for arguments in [
        json!({ "limit": 5 }),
        json!({ "page_number": 5 }),
        json!({ "priority_no": 5 }),
        json!({ "id": 5 }),
        json!({ "number_of_customers": 5 }),
        json!({ "max_customers": 5 }),
        json!({ "customers": 5 }),
        json!({ "customer_limit": 5 }),
        json!({ "top_customer": 5 }),
        json!({ "customer_note": "5" }),
        json!({ "order_id": 5 }),
        json!({ "customer_id": 6 }),
        json!({ "customer_rating": 5.0 }),
        json!({ "note": "Al" }),
        json!({ "customer_message": "Al" }),
        json!({ "customer": { "rank": 5 } }),
    ] {
        names_nobody(&arguments);
    }
}

/// Among the ids of the type alone: an order of that number leads to its customer, a place to
/// nobody, and what is called by no type is left as it was.
#[test]
fn a_number_is_looked_for_among_the_ids_of_its_type() {
    assert_eq!(about(&json!({ "order_id": 77 })), ["4711"]);
    names_nobody(&json!({ "place_id": 77 }));
    names_nobody(&json!({ "customer_id": 77 }));
    names_nobody(&json!({ "seats": 77 }));
    assert_eq!(about(&json!({ "whatever": 4711 })), ["4711"], "no sign is needed for a long one");
}

#[test]
fn whoever_is_named_so_is_asked_about() {
    let mut trial = trial();
    let refused = trial.call("search", &json!({ "q": "depots", "customer_id": 5 })).unwrap_err();
    assert_eq!(refused.why, Why::Fact(fact("5", "address", "location", 0)));
    assert_eq!(refused.subject, Some(customer("5")));
    let mut twin = self::trial();
    assert!(twin.call("search", &json!({ "q": "depots", "customer_id": 4712 })).is_ok());
    assert!(twin.call("search", &json!({ "q": "depots", "limit": 5 })).is_ok());
}

/// Under a shadow, a tool that nobody has described is read in the same way.
#[test]
fn a_tool_that_nobody_described_is_read_so_too() {
    let mut trial = trial();
    assert!(trial.about("get", "5").is_err());
    let mut asks = |arguments: Value| trial.call("find_address", &arguments).map_err(|s| s.why);
    assert!(matches!(asks(json!({ "customer_id": 5 })), Err(Why::Shadow { .. })));
    assert!(matches!(asks(json!({ "clients": [5] })), Err(Why::Shadow { .. })));
    assert!(asks(json!({ "customer_id": 4712 })).is_ok(), "somebody else");
    assert!(asks(json!({ "customer_id": 600 })).is_ok(), "somebody else with a short number");
}

/// A declared argument is what its binding says.
#[test]
fn what_is_declared_is_read_as_declared() {
    let spec = json!({
        "parameters": { "q": { "role": "text", "mode": "open" }, "customer_id": { "role": "value" } },
        "discloses": [{ "of": "Customer", "subject": "$params.arguments.q", "attribute": "address" }],
    });
    let mut trial = Trial::new().bind("search", &spec);
    trial.refuse("5", "address", 3);
    assert!(trial.call("search", &json!({ "q": "depots", "customer_id": 5 })).is_ok());
}

/// A member that introduces somebody does not make closed texts elsewhere open.
#[test]
fn an_unknown_number_is_nobodys() {
    let mut trial = trial();
    let missing = trial.call("get", &json!({ "customer_id": 5 })).unwrap_err();
    let Why::Unresolved(unresolved) = missing.why else { panic!("{missing:?}") };
    assert_eq!(unresolved.why, UnresolvedWhy::Missing);
}
