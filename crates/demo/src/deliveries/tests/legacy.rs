//! Revision 2025-11-25: a handshake, a session, a stream of its own.

use std::sync::Arc;
use std::time::Duration;

use ::http::Method;
use kenward_mcp::dialect::Era;
use serde_json::{Value, json};

use super::{ACCEPT, Deliveries, JSON, TODAY, deliveries, message, post};
use crate::http::Http;
use crate::player::testing::{Client, Next, Role, Stream, Tape};
use crate::testing::{request, send};

const SOON: Duration = Duration::from_secs(5);

async fn session(service: &Deliveries) -> String {
    let asks = json!({
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": { "name": "test", "version": "1" },
    });
    let answer = post(service, &[], &message("initialize", &asks)).await;
    let result = &answer.json()["result"];
    assert_eq!(result["protocolVersion"], "2025-11-25");
    assert_eq!(result["capabilities"]["resources"]["subscribe"], true);
    assert!(result.get("resultType").is_none(), "{result}");
    let session = answer.header("mcp-session-id");
    assert!(session.len() > 20);
    session
}

fn headers(session: &str) -> [(&str, &str); 2] {
    [("mcp-session-id", session), ("mcp-protocol-version", "2025-11-25")]
}

async fn listen(service: &Deliveries, session: &str) -> Stream {
    let asks = [ACCEPT, ("mcp-session-id", session)];
    let response = Http::new().open(request(Method::GET, &service.url, &asks, "")).await.unwrap();
    assert_eq!(response.status(), 200);
    Stream::new(response.into_body(), Arc::new(Tape::default()))
}

#[tokio::test]
async fn a_session_is_needed_and_ends() {
    let service = deliveries(None).await;
    let asks = message("tools/list", &json!({}));
    assert_eq!(post(&service, &[], &asks).await.status, 400);
    assert_eq!(post(&service, &headers("unknown"), &asks).await.status, 404);
    let session = session(&service).await;
    let answer = post(&service, &headers(&session), &asks).await.json();
    assert_eq!(answer["result"]["tools"].as_array().unwrap().len(), 9);
    assert!(answer["result"].get("ttlMs").is_none());
    let ends = [("mcp-session-id", session.as_str())];
    assert_eq!(send(Method::DELETE, &service.url, &ends, "").await.status, 204);
    assert_eq!(post(&service, &headers(&session), &asks).await.status, 404);
    assert_eq!(send(Method::DELETE, &service.url, &ends, "").await.status, 404);
}

#[tokio::test]
async fn notifications_are_taken_and_not_answered() {
    let service = deliveries(None).await;
    let session = session(&service).await;
    let told = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let answer = post(&service, &headers(&session), &told).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (202, 0));
}

#[tokio::test]
async fn subscribers_are_told_of_what_they_asked_for() {
    let service = deliveries(None).await;
    let session = session(&service).await;
    let asks = |method: &str, uri: &str| message(method, &json!({ "uri": uri }));
    let subscribes = asks("resources/subscribe", TODAY);
    assert!(post(&service, &headers(&session), &subscribes).await.json()["result"].is_object());
    let mut stream = listen(&service, &session).await;
    assert_eq!(service.advance(), 1, "one stream, one of the depots");
    let Next::Message(told) = stream.next(SOON).await else { panic!("nothing came") };
    assert_eq!(told["method"], "notifications/resources/updated");
    assert_eq!(told["params"], json!({ "uri": TODAY }));
    let ends = asks("resources/unsubscribe", TODAY);
    post(&service, &headers(&session), &ends).await;
    assert_eq!(service.advance(), 0);
    let unknown = asks("resources/subscribe", "delivery://today/atlantis");
    let answer = post(&service, &headers(&session), &unknown).await.json();
    assert_eq!(answer["error"]["code"], -32002);
}

#[tokio::test]
async fn the_stream_ends_with_its_session_or_its_successor() {
    let service = deliveries(None).await;
    let session = session(&service).await;
    let mut first = listen(&service, &session).await;
    let mut second = listen(&service, &session).await;
    assert_eq!(first.next(SOON).await, Next::Ended, "a message goes to one stream alone");
    let ends = [("mcp-session-id", session.as_str())];
    send(Method::DELETE, &service.url, &ends, "").await;
    assert_eq!(second.next(SOON).await, Next::Ended);
    let stranger = [ACCEPT, ("mcp-session-id", "unknown")];
    assert_eq!(send(Method::GET, &service.url, &stranger, "").await.status, 404);
    assert_eq!(send(Method::GET, &service.url, &[ACCEPT], "").await.status, 405);
}

#[tokio::test]
async fn a_slow_tool_streams_its_progress_to_those_who_can_read_it() {
    let service = deliveries(None).await;
    let session = session(&service).await;
    let asks = json!({
        "name": "get_delivery_eta", "arguments": { "customer_id": "1001" },
        "_meta": { "progressToken": 5 },
    });
    let answer = post(&service, &headers(&session), &message("tools/call", &asks)).await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    let text = answer.text();
    let (progress, result) = text.split_once("\n\n").unwrap();
    assert!(
        progress.contains("notifications/progress") && progress.contains("\"progressToken\":5")
    );
    assert!(result.contains("minutes_from_depot"));
    let own = headers(&session);
    let plain = [&[JSON, ("accept", "application/json")], own.as_slice()].concat();
    let body = message("tools/call", &asks).to_string();
    let answer = send(Method::POST, &service.url, &plain, body).await;
    assert_eq!(answer.header("content-type"), "application/json");
}

#[tokio::test]
async fn the_players_client_gets_along() {
    let service = deliveries(None).await;
    let role = Role {
        person: "rita",
        agent: "test",
        era: Era::Legacy,
        url: service.url.clone(),
        token: "unused".to_owned(),
    };
    let tape = Arc::new(Tape::default());
    let mut client = Client::connect(role, Arc::clone(&tape)).await.unwrap();
    assert_eq!(client.tools().await.unwrap().len(), 9);
    let own = json!({ "customer_id": "1001" });
    let reply = client.call("get_customer_address", &own).await.unwrap();
    assert!(reply.is_answered());
    assert_eq!(reply.content().unwrap()["name"], "June Abernathy");
    let eta = client.call("get_delivery_eta", &own).await.unwrap();
    assert!(eta.is_answered(), "a stream is read to its end");
    assert_eq!(tape.find(&["june abernathy".to_owned(), "nowhere".to_owned()]), ["june abernathy"]);
    let seen = service.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].arguments, own);
    assert_eq!((seen[0].claims.clone(), seen[0].token.clone()), (Value::Null, None));
}
