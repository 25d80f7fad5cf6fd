//! Promise: no method of the table is without a test here that names it.

use std::path::Path;

use kenward_mcp::method::TABLE;
use kenward_testkit::{Era, Next};
use serde_json::json;

use crate::{QUIET, SOON, Story};

#[test]
fn every_method_is_named_by_a_test_of_the_system() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/system");
    let files = std::fs::read_dir(&folder).expect("the folder of these tests");
    let paths = files.map(|file| file.expect("a file").path());
    let of_rust = paths.filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    let texts: Vec<String> =
        of_rust.map(|path| std::fs::read_to_string(path).expect("a test")).collect();
    let names = |method: &str| {
        let quoted = format!("\"{method}\"");
        texts.iter().any(|text| text.contains(&quoted))
    };
    let unnamed: Vec<&str> =
        TABLE.iter().map(|row| row.name).filter(|method| !names(method)).collect();
    assert!(unnamed.is_empty(), "no test names {unnamed:?}");
}

#[tokio::test]
async fn methods_of_extensions_that_nobody_polices_are_refused() {
    let story = Story::start().await;
    let methods = [
        "resources/directory/read",
        "skills/get",
        "tasks/cancel",
        "tasks/get",
        "tasks/result",
        "tasks/update",
    ];
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        story.upstream.forget();
        for method in methods {
            let reply = rita.request(method, json!({ "taskId": "t", "uri": "doc://public" })).await;
            // What has no place in this era, or lacks its headers, is refused for that first.
            let code = reply.error_code();
            assert!(
                matches!(code, Some(-32601 | -32602 | -32020)),
                "{era:?} {method}: {}",
                reply.http.text()
            );
        }
        assert!(story.upstream.received().is_empty(), "{era:?}: something reached the server");
    }
}

#[tokio::test]
async fn what_belongs_to_a_session_exists_in_the_legacy_era_alone() {
    let permit = "permit (principal in Group::\"representatives\", \
                  action == Mcp::Action::\"logging/setLevel\", \
                  resource == Mcp::Server::\"deliveries\");";
    let story = Story::start_with(|deployment| deployment.add_policies(permit)).await;
    let rita = story.connect("rita", Era::Legacy).await;
    let told = |upstream: &kenward_testkit::Upstream| {
        !upstream.requests("notifications/initialized").is_empty()
    };
    assert!(story.upstream.until(told).await, "the server hears that the session has begun");
    story.upstream.forget();
    assert_eq!(*rita.request("ping", json!({})).await.result(), json!({}));
    let swallowed = rita.notify("notifications/roots/list_changed", json!({})).await;
    assert_eq!(swallowed.status(), 202, "{}", swallowed.http.text());
    assert!(story.upstream.received().is_empty(), "neither is the server's business");
    let level = json!({ "level": "error" });
    assert_eq!(*rita.request("logging/setLevel", level.clone()).await.result(), json!({}));
    assert_eq!(story.upstream.requests("logging/setLevel").len(), 1);
    let modern = story.connect("rita", Era::Modern).await;
    for (method, params) in [("ping", json!({})), ("logging/setLevel", level)] {
        let reply = modern.request(method, params).await;
        assert_eq!(reply.error_code(), Some(-32601), "{method}: {}", reply.http.text());
    }
}

#[tokio::test]
async fn a_stream_carries_the_news_of_its_era_and_no_others() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        let mut stream = rita.listen(&[]).await;
        assert!(story.upstream.until(|upstream| upstream.open_streams() > 0).await, "{era:?}");
        story.upstream.notify("notifications/tasks/status", &json!({ "taskId": "t" }));
        story.upstream.notify("notifications/initialized", &json!({}));
        let done = "notifications/elicitation/complete";
        story.upstream.notify(done, &json!({ "elicitationId": "e" }));
        for method in ["notifications/prompts/list_changed", "notifications/resources/list_changed"]
        {
            story.upstream.notify(method, &json!({}));
            let heard = stream.next_of(method, SOON).await;
            assert!(matches!(heard, Next::Message(_)), "{era:?} {method}: {}", stream.seen());
        }
        assert_eq!(stream.next(QUIET).await, Next::Silence, "{era:?}");
        let seen = stream.seen();
        assert!(
            !seen.contains("tasks/status") && !seen.contains("/initialized"),
            "{era:?}: {seen}"
        );
        assert_eq!(seen.contains(done), era == Era::Legacy, "{era:?}: {seen}");
        story.upstream.end_streams();
    }
}
