//! Legacy sessions at `/mcp` and behind it.

use std::sync::Arc;
use std::time::Duration;

use kenward_testkit::{Answer, Era, Mcp};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::House;
use crate::SOON;

#[tokio::test]
async fn sessions_behind_are_opened_when_needed_and_once() {
    let house = House::start().await;
    let rita = house.connect("rita", Era::Legacy).await;
    for _ in 0..3 {
        assert!(rita.call("archive__look_up", json!({})).await.is_done());
    }
    assert_eq!(house.archive.requests("initialize").len(), 1);
    assert_eq!(house.archive.requests("notifications/initialized").len(), 1);
    assert!(house.deliveries.requests("initialize").is_empty());
    let asked = house.archive.requests("initialize").remove(0);
    assert_eq!(asked.params()["clientInfo"]["name"], "testkit", "in the client's own name");
    assert_eq!(rita.end().await.status, 204);
    let ended =
        house.archive.until(|archive| archive.received().iter().any(|r| r.verb == "DELETE"));
    assert!(ended.await, "the server is told of the end");
    assert_eq!(rita.call("archive__look_up", json!({})).await.status(), 404);
}

#[tokio::test]
async fn a_session_that_a_server_has_lost_is_opened_again() {
    let house = House::start().await;
    let rita = house.connect("rita", Era::Legacy).await;
    assert!(rita.call("archive__look_up", json!({})).await.is_done());
    let first = house.archive.calls("look_up").remove(0);
    let lost = first.header("mcp-session-id").expect("a session").to_owned();
    house.archive.on_tool("look_up", move |received| {
        if received.header("mcp-session-id") == Some(&lost) {
            return Answer::Raw(404, "text/plain", "no such session".into());
        }
        Answer::text("found")
    });
    let reply = rita.call("archive__look_up", json!({})).await;
    assert_eq!(reply.text(), "found", "{}", reply.http.text());
    assert_eq!(house.archive.requests("initialize").len(), 2);
    house.archive.on_tool("look_up", |_| Answer::Raw(404, "text/plain", "never".into()));
    let reply = rita.call("archive__look_up", json!({})).await;
    assert_eq!((reply.status(), reply.error_code()), (200, Some(-32603)), "{}", reply.http.text());
    assert!(rita.call("deliveries__track_parcel", json!({ "parcel": "p" })).await.is_done());
}

#[tokio::test]
async fn a_process_that_dies_is_started_again_for_the_next_call() {
    let house = House::start().await;
    let rita = house.connect("rita", Era::Legacy).await;
    assert!(!rita.call("process__crash", json!({})).await.is_done());
    let reply = rita.call("process__whoami", json!({})).await;
    assert!(reply.is_done(), "{}", reply.http.text());
}

#[tokio::test]
async fn a_session_belongs_to_its_party_and_endpoint() {
    let house = House::start().await;
    let rita = house.connect("rita", Era::Legacy).await;
    let of_rita = rita.session().expect("a session").to_owned();
    let ron = house.connect("ron", Era::Legacy).await.with_session(Some(&of_rita));
    assert_eq!(ron.call("archive__look_up", json!({})).await.status(), 404, "another's");
    assert_eq!(ron.end().await.status, 404);
    assert_eq!(ron.listen(&[]).await.status(), 404);
    let direct = house.gateway.connect(&house.issuer, "rita", "archive", Era::Legacy).await;
    let of_archive = direct.session().expect("a session").to_owned();
    let direct = direct.with_session(Some(&of_rita));
    assert_eq!(direct.call("look_up", json!({})).await.status(), 404, "of another endpoint");
    let rita = rita.with_session(Some(&of_archive));
    assert_eq!(rita.call("archive__look_up", json!({})).await.status(), 404, "of one server");
    let rita = rita.with_session(None);
    assert_eq!(rita.call("archive__look_up", json!({})).await.status(), 400, "none");
    let rita = rita.with_session(Some(&of_rita));
    assert!(rita.call("archive__look_up", json!({})).await.is_done());
}

#[tokio::test]
async fn the_level_of_log_messages_holds_everywhere() {
    let house = House::start().await;
    let rita = house.connect("rita", Era::Legacy).await;
    assert!(rita.call("archive__look_up", json!({})).await.is_done());
    let reply = rita.request("logging/setLevel", json!({ "level": "error" })).await;
    assert_eq!(*reply.result(), json!({}));
    assert_eq!(house.archive.requests("logging/setLevel").len(), 1);
    assert!(rita.call("deliveries__track_parcel", json!({ "parcel": "p" })).await.is_done());
    let told = house.deliveries.requests("logging/setLevel").pop().expect("told when opened");
    assert_eq!(told.params()["level"], "error");
    assert_eq!(*rita.request("ping", json!({})).await.result(), json!({}));
    assert!(house.archive.requests("ping").is_empty());
}

fn elicitation(id: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "elicitation/create", "params": {
        "message": "m", "requestedSchema": { "type": "object", "properties": {} },
        "_meta": { "progressToken": "p1" },
    } })
}

#[tokio::test]
async fn a_request_of_a_server_comes_back_to_it_under_its_own_id() {
    let house = House::start().await;
    let signal = Arc::new(Notify::new());
    let waiting = Arc::clone(&signal);
    house.archive.on_tool("look_up", move |_| {
        let then = Answer::When(Arc::clone(&waiting), Box::new(Answer::text("done")));
        Answer::Events(vec![elicitation("s1")], Box::new(then))
    });
    let token = house.token("rita");
    let mut rita = house.client(Some(&token), Era::Legacy);
    rita.handshake(&json!({ "elicitation": {} })).await;
    let mut stream =
        rita.stream("tools/call", json!({ "name": "archive__look_up", "arguments": {} })).await;
    let asked = stream.next(SOON).await.message();
    assert_eq!(asked["method"], "elicitation/create", "{asked}");
    assert_eq!(asked["id"], "kenward:archive:\"s1\"", "{asked}");
    let token = asked["params"]["_meta"]["progressToken"].clone();
    rita.notify("notifications/progress", json!({ "progressToken": token, "progress": 1 })).await;
    for foreign in
        [json!("s1"), json!("kenward:deliveries:\"s1\""), json!("kenward:archive:\"s2\"")]
    {
        let answer = json!({ "jsonrpc": "2.0", "id": foreign, "result": { "action": "accept" } });
        assert_eq!(post(&rita, &answer).await, 400, "{foreign}");
    }
    let answer = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": { "action": "accept" } });
    assert_eq!(post(&rita, &answer).await, 202);
    assert_eq!(post(&rita, &answer).await, 400, "an answer is taken once");
    let received = house.archive.received();
    let answers: Vec<_> =
        received.iter().filter(|received| received.json().get("result").is_some()).collect();
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].json()["id"], "s1");
    let progress = house.archive.requests("notifications/progress").pop().expect("a note");
    assert_eq!(progress.params()["progressToken"], "p1");
    signal.notify_one();
    let done = stream.next(SOON).await.message();
    assert_eq!(done["result"]["content"][0]["text"], "done", "{done}");
}

async fn post(mcp: &Mcp, message: &Value) -> u16 {
    let headers = mcp.headers(&json!({ "method": "x", "params": {} }));
    mcp.post(&headers, message.to_string()).await.status()
}

#[tokio::test]
async fn a_request_is_called_off_at_the_server_that_it_went_to() {
    let house = House::start().await;
    let rita = house.connect("rita", Era::Legacy).await;
    assert!(rita.call("deliveries__track_parcel", json!({ "parcel": "p" })).await.is_done());
    let message =
        rita.message("tools/call", json!({ "name": "archive__look_up", "arguments": {} }));
    assert!(rita.send(&message).await.is_done());
    let params = json!({ "requestId": message["id"] });
    assert_eq!(rita.notify("notifications/cancelled", params).await.status(), 202);
    assert_eq!(house.archive.requests("notifications/cancelled").len(), 1);
    assert!(house.deliveries.requests("notifications/cancelled").is_empty());
    let other = house.connect("rita", Era::Legacy).await;
    let params = json!({ "requestId": message["id"] });
    assert_eq!(other.notify("notifications/cancelled", params).await.status(), 202);
    assert_eq!(house.archive.requests("notifications/cancelled").len(), 1, "of another session");
}

/// To open a session may take longer than a list waits; the next list finds it open.
#[tokio::test]
async fn a_session_that_opens_slowly_is_there_in_the_end() {
    let house = House::start().await;
    house.archive.on("initialize", |received| {
        let params = received.params();
        let hello = json!({ "protocolVersion": params["protocolVersion"], "capabilities": {},
                            "serverInfo": { "name": "slow", "version": "1" } });
        Answer::Result(hello).after(Duration::from_secs(4))
    });
    let rita = house.connect("rita", Era::Legacy).await;
    let first = rita.tools().await;
    assert!(!first.iter().any(|name| name.starts_with("archive")), "{first:?}");
    let is_there =
        || async { rita.tools().await.iter().any(|name| name.starts_with("archive__look_up")) };
    assert!(crate::until(is_there).await, "{}", house.gateway.log());
    assert_eq!(house.archive.requests("initialize").len(), 1);
}

/// The question of the gateway itself is about a call at one server, and finds its way back.
#[tokio::test]
async fn the_person_is_asked_here_as_they_would_be_there() {
    for era in Era::BOTH {
        let story = crate::agreement::fresh().await;
        let token = story.issuer.token("rita", &format!("{}/mcp", story.gateway.url())).sign();
        let mut rita = Mcp::new(&story.gateway.url(), "/mcp", Some(&token), era);
        if era == Era::Legacy {
            rita.handshake(&json!({ "elicitation": {} })).await;
        }
        let params =
            json!({ "name": "deliveries__get_loyalty", "arguments": { "customer_id": "4711" } });
        let mut message = rita.message("tools/call", params.clone());
        let done = if era == Era::Legacy {
            let mut stream = rita.stream("tools/call", params).await;
            let asked = stream.next(SOON).await.message();
            assert_eq!(asked["method"], "elicitation/create", "{asked}");
            let yes = json!({ "action": "accept", "content": { "go_on": true } });
            let answer = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": yes });
            assert_eq!(post(&rita, &answer).await, 202);
            stream.next(SOON).await.message()
        } else {
            message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
                json!({ "elicitation": { "form": {} } });
            let question = rita.send(&message).await;
            message["params"]["requestState"] = question.result()["requestState"].clone();
            message["params"]["inputResponses"] =
                json!({ "kenward": { "action": "accept", "content": { "go_on": true } } });
            rita.send(&message).await.message
        };
        assert_eq!(done["result"]["content"][0]["text"], "gold", "{era:?}: {done}");
        assert_eq!(story.upstream.calls("get_loyalty").len(), 1, "{era:?}");
    }
}

#[tokio::test]
async fn a_stream_is_resumed_at_the_server_that_its_event_was_of() {
    let house = House::start().await;
    let rita = house.connect("rita", Era::Legacy).await;
    let mut stream = rita.listen(&["kenward:archive:doc://public"]).await;
    assert!(house.archive.until(|archive| archive.open_streams() > 0).await);
    let update = json!({ "jsonrpc": "2.0", "method": "notifications/resources/updated",
                         "params": { "uri": "doc://public" } });
    house.archive.push(format!("id: e:7\ndata: {update}\n\n"));
    stream.next(SOON).await.message();
    assert!(stream.seen().contains("id: kenward:archive:e:7\n"), "{}", stream.seen());
    drop(stream);
    house.archive.forget();
    house.deliveries.forget();
    let bearer = format!("Bearer {}", house.token("rita"));
    let headers = [
        ("accept", "text/event-stream"),
        ("authorization", bearer.as_str()),
        ("mcp-session-id", rita.session().expect("a session")),
        ("last-event-id", "kenward:archive:e:7"),
    ];
    let response = rita.http().open("GET", "/mcp", &headers, "").await;
    assert_eq!(response.status(), 200);
    let got = |received: &kenward_testkit::Received| received.verb == "GET";
    let resumed = house.archive.received().into_iter().find(got).expect("a stream");
    assert_eq!(resumed.header("last-event-id"), Some("e:7"));
    assert!(!house.deliveries.received().iter().any(got), "no other server is asked");
}
