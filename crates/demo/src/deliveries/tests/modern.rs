//! Revision 2026-07-28: everything in each request.

use std::sync::Arc;
use std::time::Duration;

use kenward_mcp::dialect::Era;
use serde_json::{Value, json};

use super::{Deliveries, TODAY, deliveries, message, modern, post};
use crate::http::Answer;
use crate::player::testing::{Client, Next, Role, Tape};

const SOON: Duration = Duration::from_secs(5);

async fn ask(service: &Deliveries, method: &str, name: &str, params: Value) -> Answer {
    let mut headers = vec![("mcp-protocol-version", "2026-07-28"), ("mcp-method", method)];
    if !name.is_empty() {
        headers.push(("mcp-name", name));
    }
    post(service, &headers, &message(method, &modern(params))).await
}

#[tokio::test]
async fn it_says_what_it_is() {
    let service = deliveries(None).await;
    let result = ask(&service, "server/discover", "", json!({})).await.json()["result"].clone();
    assert_eq!(result["resultType"], "complete");
    assert!(result["supportedVersions"].as_array().unwrap().contains(&json!("2026-07-28")));
    assert!(result["ttlMs"].is_u64() && result["cacheScope"].is_string());
    assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "deliveries");
}

#[tokio::test]
async fn lists_and_reads_say_how_long_they_keep() {
    let service = deliveries(None).await;
    for (method, name, params, member) in [
        ("tools/list", "", json!({}), "tools"),
        ("prompts/list", "", json!({}), "prompts"),
        ("resources/list", "", json!({}), "resources"),
        ("resources/templates/list", "", json!({}), "resourceTemplates"),
        ("resources/read", TODAY, json!({ "uri": TODAY }), "contents"),
    ] {
        let answer = ask(&service, method, name, params).await.json();
        let result = &answer["result"];
        assert!(!result[member].as_array().unwrap().is_empty(), "{method}: {answer}");
        assert!(result["ttlMs"].is_u64() && result["cacheScope"].is_string(), "{method}");
        assert_eq!(result["resultType"], "complete", "{method}");
    }
}

#[tokio::test]
async fn tools_and_prompts_answer() {
    let service = deliveries(None).await;
    let params = json!({ "name": "list_customers", "arguments": {} });
    let answer = ask(&service, "tools/call", "list_customers", params).await.json();
    let result = &answer["result"];
    assert_eq!(result["structuredContent"]["customers"].as_array().unwrap().len(), 40);
    let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, result["structuredContent"], "the text says the same");
    assert_eq!(result["resultType"], "complete");
    let params = json!({ "name": "late_delivery_reply", "arguments": { "reason": "snow" } });
    let answer = ask(&service, "prompts/get", "late_delivery_reply", params).await.json();
    let said = answer["result"]["messages"][0]["content"]["text"].as_str().unwrap();
    assert!(said.contains("snow"));
}

#[tokio::test]
async fn what_is_not_there_is_said_as_this_revision_says_it() {
    let service = deliveries(None).await;
    let params = json!({ "name": "nothing", "arguments": {} });
    for (method, name, params, code) in [
        ("tools/call", "nothing", params.clone(), -32602),
        ("prompts/get", "nothing", params, -32602),
        ("resources/read", "delivery://x", json!({ "uri": "delivery://x" }), -32602),
    ] {
        let answer = ask(&service, method, name, params).await.json();
        assert_eq!(answer["error"]["code"], code, "{method}: {answer}");
    }
    let unknown = ask(&service, "tools/dance", "", json!({})).await;
    assert_eq!((unknown.status.as_u16(), &unknown.json()["error"]["code"]), (404, &json!(-32601)));
    let gone = ask(&service, "resources/subscribe", "", json!({ "uri": TODAY })).await;
    assert_eq!(gone.json()["error"]["code"], -32601, "there is no such method in this revision");
}

#[tokio::test]
async fn headers_agree_with_the_body() {
    let service = deliveries(None).await;
    let params = modern(json!({ "name": "list_customers", "arguments": {} }));
    let asks = message("tools/call", &params);
    let headers = |name: &'static str, version: &'static str| {
        [("mcp-method", "tools/call"), ("mcp-name", name), ("mcp-protocol-version", version)]
    };
    let answer = post(&service, &headers("export_all_customers", "2026-07-28"), &asks).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]["code"]), (400, &json!(-32020)));
    let answer = post(&service, &headers("list_customers", "2025-11-25"), &asks).await;
    assert_eq!(answer.json()["error"]["code"], -32020);
    let bare = message("tools/list", &json!({}));
    let answer = post(&service, &headers("", "2026-07-28")[..1], &bare).await;
    assert_eq!(answer.status, 400, "neither a session nor request metadata");
}

#[tokio::test]
async fn listeners_are_told_of_what_they_asked_for() {
    let service = deliveries(None).await;
    let role = Role {
        person: "rita",
        agent: "test",
        era: Era::Modern,
        url: service.url.clone(),
        token: "unused".to_owned(),
    };
    let mut client = Client::connect(role, Arc::new(Tape::default())).await.unwrap();
    let mut stream = client.listen(TODAY).await.unwrap();
    let Next::Message(first) = stream.next(SOON).await else { panic!("nothing came") };
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    let honoured = json!({ "resourceSubscriptions": [TODAY] });
    assert_eq!(
        first["params"]["notifications"], honoured,
        "and no change of tools, which never is"
    );
    let id = &first["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"];
    assert_eq!(id, &json!(1), "the id of the request");
    assert_eq!(service.advance(), 1);
    let Next::Message(told) = stream.next(SOON).await else { panic!("nothing came") };
    assert_eq!(told["params"]["uri"], TODAY);
    assert_eq!(&told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], id);
    assert_eq!(stream.next(Duration::from_millis(50)).await, Next::Silence);
    drop(stream);
    tokio::time::sleep(Duration::from_millis(100)).await;
    service.advance();
    assert_eq!(service.advance(), 0, "a stream that is gone is forgotten");
}
