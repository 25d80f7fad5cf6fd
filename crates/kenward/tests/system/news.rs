//! Promise: what a server says beside its answers passes the same question as the answers do.

use kenward_testkit::{Answer, Deployment, Era, EventStream, Mcp, Next};
use serde_json::{Value, json};

use crate::{QUIET, SOON, Story};

const LOG: &str = "notifications/message";
const UPDATED: &str = "notifications/resources/updated";
const TOOLS: &str = "notifications/tools/list_changed";
const SECRET: &str = "12 Cherry Lane";

/// Ways of saying where the protected customer lives in a log message.
fn slips() -> Vec<Value> {
    vec![
        json!({ "level": "info", "data": format!("Taylor Swift lives at {SECRET}") }),
        json!({ "level": "info", "data": { "customer": "taylor@example.com", "at": SECRET } }),
        json!({ "level": "info", "data": [["x", { "customer_id": 4711, "at": SECRET }]] }),
        json!({ "level": "info", "logger": "Taylor Swift", "data": SECRET }),
        json!({ "level": "info", "data": { "Taylor Swift": SECRET } }),
        json!({ "level": "info", "data": "{\"who\":\"T\\u0061ylor Swift\",\"at\":\"12 Cherry Lane\"}" }),
        json!({ "level": "info", "data": SECRET, "_meta": { "of": "Swift, Taylor" } }),
    ]
}

fn plain(word: &str) -> Value {
    json!({ "level": "info", "data": format!("the van is {word}") })
}

#[tokio::test]
async fn a_log_message_on_a_standing_stream_names_nobody_who_is_protected() {
    let story = Story::start().await;
    let (rita, mut stream) = open(&story, "rita", Era::Legacy, &[]).await;
    for slip in slips() {
        story.upstream.notify(LOG, &slip);
    }
    story.upstream.notify(LOG, &plain("late"));
    let heard = stream.next_of(LOG, SOON).await.message();
    assert_eq!(heard["params"], plain("late"), "{}", stream.seen());
    assert_eq!(stream.next_of(LOG, QUIET).await, Next::Silence, "{}", stream.seen());
    assert!(!stream.seen().contains(SECRET), "{}", stream.seen());
    let told = Value::from(format!("Johnny Cash lives at {SECRET}"));
    story.upstream.notify(LOG, &json!({ "level": "info", "data": told }));
    assert!(matches!(stream.next_of(LOG, SOON).await, Next::Message(_)), "her own customer");
    let held_back = story.decisions_of_delivery().await;
    assert_eq!(held_back.len(), slips().len(), "each is in the log: {held_back:#?}");
    assert!(held_back.iter().all(|record| !record.to_string().contains(SECRET)));
    story.upstream.end_streams();
    drop(rita);
    let (_petra, mut stream) = open(&story, "petra", Era::Legacy, &[]).await;
    for slip in slips() {
        story.upstream.notify(LOG, &slip);
        let heard = stream.next_of(LOG, SOON).await.message();
        assert_eq!(heard["params"], slip, "the protection desk may know it");
    }
}

#[tokio::test]
async fn news_carry_no_texts_beside_what_was_asked_for() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let (_rita, mut stream) = open(&story, "rita", era, &["doc://public"]).await;
        let slip = format!("Taylor Swift lives at {SECRET}");
        story.upstream.notify(UPDATED, &json!({ "uri": "doc://public", "title": slip }));
        story.upstream.notify(TOOLS, &json!({ "why": slip }));
        story.upstream.notify(TOOLS, &json!({ "_meta": { "x": { slip: 1 } } }));
        let hidden =
            format!("event: {SECRET}\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"{TOOLS}\"}}\n\n");
        story.upstream.push(hidden);
        story.upstream.notify(UPDATED, &json!({ "uri": "doc://public" }));
        let heard = stream.next_of(UPDATED, SOON).await.message();
        assert!(heard["params"].get("title").is_none(), "{era:?}: {heard}");
        assert!(!stream.seen().contains(SECRET), "{era:?}: {}", stream.seen());
        story.upstream.notify(TOOLS, &json!({ "why": "a van is late" }));
        let heard = stream.next_of(TOOLS, SOON).await.message();
        assert_eq!(heard["params"]["why"], "a van is late", "{era:?}");
        story.upstream.end_streams();
    }
}

#[tokio::test]
async fn a_modern_stream_carries_no_log_at_all() {
    let story = Story::start().await;
    let (_rita, mut stream) = open(&story, "rita", Era::Modern, &[]).await;
    story.upstream.notify(LOG, &plain("late"));
    story.upstream.notify(LOG, &slips()[0]);
    assert_eq!(stream.next_of(LOG, QUIET).await, Next::Silence, "{}", stream.seen());
}

#[tokio::test]
async fn what_is_said_before_a_list_or_an_error_is_looked_at_too() {
    // Lists that are copies pass nothing of this on.
    let live = |deployment: &mut Deployment| {
        deployment.config["servers"]["deliveries"]["definitions"] = json!("live");
    };
    let story = Story::start_with(live).await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        for method in ["tools/list", "resources/templates/list"] {
            story.upstream.on(method, move |_| {
                let log =
                    |params: Value| json!({ "jsonrpc": "2.0", "method": LOG, "params": params });
                let mut said: Vec<Value> = slips().into_iter().map(log).collect();
                said.push(log(plain("late")));
                let words = format!("no customer Taylor Swift at {SECRET}");
                Answer::Events(said, Box::new(Answer::Error(-32000, words)))
            });
            let reply = rita.request(method, json!({})).await;
            assert_eq!(reply.error_code(), Some(-32000), "{era:?} {method}: {}", reply.http.text());
            let heard = reply.http.text();
            assert!(!heard.contains(SECRET), "{era:?} {method}: {heard}");
            assert!(heard.contains("the van is late"), "{era:?} {method}: {heard}");
        }
    }
}

#[tokio::test]
async fn after_a_refusal_disguises_are_heard_no_more() {
    let story = Story::start().await;
    let (rita, mut stream) = open(&story, "rita", Era::Legacy, &[]).await;
    let refused = rita.call("get_customer_address", json!({ "customer_id": "4711" })).await;
    assert!(refused.is_refused(), "{}", refused.http.text());
    for name in ["Taylr Swift", "t a y l o r  s w i f t", "taylorswift", "T\u{430}ylor Swift"] {
        let data = format!("{name} lives at {SECRET}");
        story.upstream.notify(LOG, &json!({ "level": "info", "data": data }));
    }
    story.upstream.notify(LOG, &plain("late"));
    stream.next_of(LOG, SOON).await.message();
    assert!(!stream.seen().contains(SECRET), "{}", stream.seen());
}

#[tokio::test]
async fn a_question_to_the_client_tells_nothing_either() {
    let permit = "permit (principal in Group::\"representatives\", \
                  action == Mcp::Action::\"elicitation/create\", \
                  resource == Mcp::Server::\"deliveries\");";
    let story = Story::start_with(|deployment| deployment.add_policies(permit)).await;
    let token = story.token("rita");
    let mut rita = story.client(Some(&token), Era::Legacy);
    rita.handshake(&json!({ "elicitation": {} })).await;
    let mut stream = rita.listen(&[]).await;
    assert!(story.upstream.until(|upstream| upstream.open_streams() > 0).await);
    let ask = |id: &str, message: &str| {
        let schema = json!({ "type": "object", "properties": {} });
        let params = json!({ "message": message, "requestedSchema": schema });
        json!({ "jsonrpc": "2.0", "id": id, "method": "elicitation/create", "params": params })
    };
    let slip = ask("s1", &format!("Does Taylor Swift live at {SECRET}?"));
    story.upstream.push(format!("data: {slip}\n\n"));
    story.upstream.push(format!("data: {}\n\n", ask("s2", "Is the van late?")));
    let asked = stream.next_of("elicitation/create", SOON).await.message();
    assert_eq!(asked["id"], "s2", "{}", stream.seen());
    assert!(!stream.seen().contains(SECRET), "{}", stream.seen());
    let told_no = |upstream: &kenward_testkit::Upstream| {
        upstream.received().iter().any(|received| {
            received.json()["id"] == "s1" && received.json()["error"]["code"] == -32601
        })
    };
    assert!(story.upstream.until(told_no).await, "the server is told that nobody was asked");
}

impl Story {
    /// The records of what was held back from a stream.
    async fn decisions_of_delivery(&self) -> Vec<Value> {
        let records = self.records().await;
        records.into_iter().filter(|record| record["kind"] == "delivery").collect()
    }
}

async fn open(story: &Story, user: &str, era: Era, uris: &[&str]) -> (Mcp, EventStream) {
    let mcp = story.connect(user, era).await;
    let stream = mcp.listen(uris).await;
    assert!(stream.is_events(), "{era:?}: {}", stream.status());
    assert!(story.upstream.until(|upstream| upstream.open_streams() > 0).await, "{era:?}");
    (mcp, stream)
}
