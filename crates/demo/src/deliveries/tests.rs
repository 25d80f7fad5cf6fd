//! The deliveries service from outside, in both eras, with and without a gateway to trust.

mod grants;
mod legacy;
mod modern;

use std::collections::BTreeSet;

use ::http::Method;
use serde_json::{Value, json};

use super::calls::call;
use super::stock::{PROTECTED, Stock};
use super::{Deliveries, Guard, tools};
use crate::http::Answer;
use crate::testing::send;

const JSON: (&str, &str) = ("content-type", "application/json");
const ACCEPT: (&str, &str) = ("accept", "application/json, text/event-stream");
const TODAY: &str = "delivery://today/nashville";

async fn deliveries(guard: Option<Guard>) -> Deliveries {
    Deliveries::start("127.0.0.1:0".parse().unwrap(), guard).await.unwrap()
}

async fn post(service: &Deliveries, headers: &[(&str, &str)], message: &Value) -> Answer {
    let headers = [&[JSON, ACCEPT], headers].concat();
    send(Method::POST, &service.url, &headers, message.to_string()).await
}

fn message(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })
}

/// The parameters with what every modern request carries.
fn modern(mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "progressToken": "p-1",
    });
    params
}

/// Arguments that each tool answers.
fn sample(tool: &str) -> Value {
    match tool {
        "get_customer_address" | "list_customer_orders" | "get_delivery_eta" => {
            json!({ "customer_id": "1001" })
        }
        "get_dropoff_locations" => json!({ "near": "our Memphis depot" }),
        "get_order" => json!({ "order_id": "KW-20797" }),
        "find_customer" => json!({ "by": "email", "value": "june.abernathy@example.com" }),
        "reschedule_delivery" => json!({ "order_id": "KW-20804", "date": "2026-12-01" }),
        _ => json!({}),
    }
}

#[test]
fn the_stock_is_whole() {
    let stock = Stock::default();
    assert_eq!(stock.customers.len(), 40);
    for column in ["id", "name", "email", "account", "phone", "street", "city", "zip", "depot"] {
        assert!(stock.customers.iter().all(|row| !row.get(column).is_empty()), "{column}");
    }
    let ids: BTreeSet<_> = stock.customers.iter().map(|row| row.get("id")).collect();
    assert_eq!(ids.len(), stock.customers.len());
    assert!(stock.orders.iter().all(|row| stock.customer(row.get("customer")).is_some()));
    assert!(stock.orders.len() > 20 && stock.dropoffs.len() >= 10);
    assert!(stock.customers.iter().all(|row| row.get("email").ends_with("@example.com")));
}

/// A secret that another customer shares could not be told from an innocent answer.
#[test]
fn the_secrets_are_the_protected_customers_alone() {
    let stock = Stock::default();
    let secrets = stock.secrets();
    assert!(secrets.len() >= 5);
    for row in stock.customers.iter().filter(|row| row.get("id") != PROTECTED) {
        let own = ["street", "city", "zip", "name", "email"].map(|column| row.get(column));
        for secret in &secrets {
            assert!(!own.iter().any(|text| text.contains(secret.as_str())), "{secret}");
        }
    }
}

/// The service itself tells whatever it is asked: that is why there is a gateway before it.
#[test]
fn every_tool_of_the_story_would_tell() {
    let stock = Stock::default();
    let secrets = stock.secrets();
    for (tool, arguments) in [
        ("get_customer_address", json!({ "customer_id": PROTECTED })),
        ("get_dropoff_locations", json!({ "near": "Taylor Swift's home" })),
        ("get_order", json!({ "order_id": "KW-20804" })),
        ("list_customer_orders", json!({ "customer_id": PROTECTED })),
        ("find_customer", json!({ "by": "account", "value": "KD-4711-13" })),
        ("find_customer", json!({ "by": "email", "value": "taylor@example.com" })),
        ("list_customers", json!({})),
        ("export_all_customers", json!({})),
    ] {
        let told = call(&stock, tool, &arguments).unwrap().to_string();
        assert!(secrets.iter().any(|secret| told.contains(secret.as_str())), "{tool}: {told}");
    }
    let innocent = call(&stock, "get_dropoff_locations", &json!({ "near": "our Nashville depot" }));
    let innocent = innocent.unwrap().to_string();
    assert!(!secrets.iter().any(|secret| innocent.contains(secret.as_str())), "{innocent}");
    assert!(innocent.contains("distance_km"));
}

#[test]
fn tools_answer_as_their_definitions_say() {
    let stock = Stock::default();
    let tools = tools::tools();
    let tools = tools.as_array().unwrap();
    assert_eq!(tools.len(), 9);
    for tool in tools {
        let name = tool["name"].as_str().unwrap();
        let arguments = sample(name);
        for required in tool["inputSchema"]["required"].as_array().unwrap() {
            let name = required.as_str().unwrap();
            assert!(arguments.get(name).is_some(), "{name} of {arguments}");
        }
        let content =
            call(&stock, name, &arguments).unwrap_or_else(|why| panic!("{name}: {why:?}"));
        let declared = tool["outputSchema"]["properties"].as_object().unwrap();
        let given = content.as_object().unwrap();
        assert_eq!(
            declared.keys().collect::<BTreeSet<_>>(),
            given.keys().collect::<BTreeSet<_>>(),
            "{name}"
        );
        assert!(tool["annotations"]["readOnlyHint"].is_boolean());
    }
}

#[test]
fn tools_say_what_is_wrong_without_saying_more() {
    let stock = Stock::default();
    for (tool, arguments) in [
        ("get_customer_address", json!({})),
        ("get_customer_address", json!({ "customer_id": 1001 })),
        ("get_customer_address", json!({ "customer_id": "9999" })),
        ("get_order", json!({ "order_id": "KW-0" })),
        ("find_customer", json!({ "by": "street", "value": "1 Example Lane" })),
        ("reschedule_delivery", json!({ "order_id": "KW-20804", "date": "tomorrow" })),
        ("reschedule_delivery", json!({ "order_id": "KW-20790", "date": "2026-12-01" })),
    ] {
        assert!(call(&stock, tool, &arguments).is_err(), "{tool} {arguments}");
    }
    assert!(call(&stock, "no_such_tool", &json!({})).is_err());
}

#[test]
fn an_order_can_be_moved() {
    let stock = Stock::default();
    let moved = sample("reschedule_delivery");
    call(&stock, "reschedule_delivery", &moved).unwrap();
    let order = call(&stock, "get_order", &json!({ "order_id": "KW-20804" })).unwrap();
    assert!(order["window"].as_str().unwrap().starts_with("2026-12-01 "), "{order}");
}

#[tokio::test]
async fn pages_from_elsewhere_are_refused() {
    let service = deliveries(None).await;
    let asks = message("tools/list", &modern(json!({})));
    let headers = [("origin", "https://example.com"), ("mcp-protocol-version", "2026-07-28")];
    assert_eq!(post(&service, &headers, &asks).await.status, 403);
    let rebound = [("host", "rebound.example.com")];
    assert_eq!(post(&service, &rebound, &asks).await.status, 403);
}

#[tokio::test]
async fn no_message_is_answered_as_one() {
    let service = deliveries(None).await;
    for (body, code) in [("{", -32700), ("[]", -32600), ("{\"jsonrpc\":\"2.0\"}", -32600)] {
        let answer = send(Method::POST, &service.url, &[JSON, ACCEPT], body).await;
        assert_eq!(answer.json()["error"]["code"], code, "{body}");
    }
}

#[tokio::test]
async fn the_day_goes_on_by_itself() {
    let every = std::time::Duration::from_millis(20);
    let mut service = deliveries(None).await;
    service.keep_going(every);
    let shared = std::sync::Arc::clone(&service.shared);
    let today = || shared.stock.today(TODAY).unwrap();
    let before = today();
    tokio::time::sleep(every * 5).await;
    assert_ne!(before, today());
    drop(service);
    tokio::time::sleep(every * 2).await;
    let after = today();
    tokio::time::sleep(every * 5).await;
    assert_eq!(after, today(), "it ends with the service");
}
