//! Promise: prompts, MCP resources, templates and completions are no second path.

use kenward_testkit::{Answer, Era};
use serde_json::json;

use crate::Story;

#[tokio::test]
async fn what_is_permitted_is_served() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        let prompt = rita.request("prompts/get", json!({ "name": "greeting" })).await;
        assert!(prompt.http.text().contains("the prompt greeting"), "{era:?}");
        for uri in ["doc://public", "doc://customer/1001"] {
            let reply = rita.request("resources/read", json!({ "uri": uri })).await;
            let text = format!("the text of {uri}");
            assert!(reply.http.text().contains(&text), "{era:?}: {}", reply.http.text());
        }
    }
}

#[tokio::test]
async fn a_right_on_a_template_is_none_on_what_it_expands_to() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        story.upstream.forget();
        let reply = rita.request("resources/read", json!({ "uri": "doc://customer/4711" })).await;
        assert!(reply.message.get("result").is_none(), "{era:?}: {}", reply.http.text());
        let reply = rita.request("resources/read", json!({ "uri": "doc://customer/{id}" })).await;
        assert!(reply.message.get("result").is_none(), "{era:?}: {}", reply.http.text());
        assert!(story.upstream.received().is_empty(), "{era:?}");
    }
}

#[tokio::test]
async fn a_uri_is_judged_exactly_as_it_is_sent_on() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    story.upstream.forget();
    for uri in [
        "doc://Public",
        "DOC://public",
        "doc://public/",
        "doc://public#x",
        "doc://public?x",
        "doc://./public",
        "doc://secret/../public",
        "doc://public/../secret",
        "doc://%70ublic",
        "",
        "file:///etc/passwd",
        "doc://public\u{0}",
        "doc://public ",
    ] {
        let mut message = rita.message("resources/read", json!({ "uri": "doc://public" }));
        let mut headers = rita.headers(&message);
        headers.retain(|(name, _)| name != "mcp-name");
        message["params"]["uri"] = json!(uri);
        let reply = rita.post(&headers, message.to_string()).await;
        assert!(reply.message.get("result").is_none(), "{uri:?}: {}", reply.http.text());
    }
    assert!(story.upstream.received().is_empty());
}

#[tokio::test]
async fn subscriptions_need_the_right_to_read() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Legacy).await;
    for uri in ["doc://secret", "doc://customer/4711"] {
        let reply = rita.request("resources/subscribe", json!({ "uri": uri })).await;
        assert!(reply.error_code().is_some(), "{uri}: {}", reply.http.text());
    }
    assert!(story.upstream.subscribed().is_empty());
    let reply = rita.request("resources/subscribe", json!({ "uri": "doc://public" })).await;
    assert!(reply.message.get("result").is_some(), "{}", reply.http.text());
    assert_eq!(story.upstream.subscribed(), ["doc://public"]);
    let reply = rita.request("resources/unsubscribe", json!({ "uri": "doc://public" })).await;
    assert!(reply.message.get("result").is_some(), "{}", reply.http.text());
    assert!(story.upstream.subscribed().is_empty());
}

#[tokio::test]
async fn completions_belong_to_what_they_complete() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        let ask =
            |reference| json!({ "ref": reference, "argument": { "name": "a", "value": "o" } });
        let prompt = |name: &str| ask(json!({ "type": "ref/prompt", "name": name }));
        let resource = |uri: &str| ask(json!({ "type": "ref/resource", "uri": uri }));
        let reply = rita.request("completion/complete", prompt("greeting")).await;
        assert!(reply.http.text().contains("two"), "{era:?}: {}", reply.http.text());
        story.upstream.forget();
        for params in [
            prompt("secret_plan"),
            prompt("no_such_prompt"),
            resource("doc://secret"),
            resource("doc://secret/{id}"),
            ask(json!({ "type": "ref/tool", "name": "track_parcel" })),
            ask(json!({ "name": "greeting" })),
            ask(json!("greeting")),
        ] {
            let reply = rita.request("completion/complete", params.clone()).await;
            assert!(
                reply.message.get("result").is_none(),
                "{era:?} {params}: {}",
                reply.http.text()
            );
        }
        assert!(story.upstream.received().is_empty(), "{era:?}");
    }
}

#[tokio::test]
async fn what_a_read_returns_besides_is_not_delivered() {
    let story = Story::start().await;
    story.upstream.on("resources/read", |_| {
        Answer::Result(json!({ "contents": [
            { "uri": "doc://public", "text": "open" },
            { "uri": "doc://secret", "text": "closed-secret" },
        ] }))
    });
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        let reply = rita.request("resources/read", json!({ "uri": "doc://public" })).await;
        assert!(!reply.http.text().contains("closed-secret"), "{era:?}: {}", reply.http.text());
    }
}

#[tokio::test]
async fn an_embedded_resource_in_a_prompt_is_judged_as_a_read() {
    let story = Story::start().await;
    story.upstream.on("prompts/get", |_| {
        let embedded = |uri: &str, text: &str| {
            json!({ "role": "user", "content": {
                "type": "resource", "resource": { "uri": uri, "text": text },
            } })
        };
        let messages =
            [embedded("doc://public", "open"), embedded("doc://secret", "closed-secret")];
        Answer::Result(json!({ "messages": messages }))
    });
    for events in [false, true] {
        story.upstream.answer_as_events(events);
        for era in Era::BOTH {
            let rita = story.connect("rita", era).await;
            let reply = rita.request("prompts/get", json!({ "name": "greeting" })).await;
            assert!(!reply.http.text().contains("closed-secret"), "{era:?}: {}", reply.http.text());
        }
    }
}

#[tokio::test]
async fn an_embedded_resource_in_a_tools_answer_is_judged_as_a_read() {
    let story = Story::start().await;
    story.upstream.on_tool("track_parcel", |_| {
        let resource = |uri: &str, text: &str| {
            json!({ "type": "resource", "resource": { "uri": uri, "text": text } })
        };
        Answer::Result(json!({ "content": [
            resource("doc://public", "open"), resource("doc://secret", "closed-secret"),
        ] }))
    });
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        let reply = rita.call("track_parcel", json!({ "parcel": "p" })).await;
        assert!(!reply.http.text().contains("closed-secret"), "{era:?}: {}", reply.http.text());
    }
}
