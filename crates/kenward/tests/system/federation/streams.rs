//! The streams of all servers as one.

use kenward_testkit::{Era, Next};
use serde_json::json;

use super::House;
use crate::{QUIET, SOON};

const UPDATED: &str = "notifications/resources/updated";
const TOOLS: &str = "notifications/tools/list_changed";

#[tokio::test]
async fn news_of_all_servers_come_on_one_stream_under_their_names_here() {
    let house = House::start().await;
    for era in Era::BOTH {
        let rita = house.connect("rita", era).await;
        let uris = ["kenward:archive:doc://public", "kenward:deliveries:doc://customer/1001"];
        let mut stream = rita.listen(&uris).await;
        assert!(stream.is_events(), "{era:?}: {}", stream.status());
        for upstream in [&house.archive, &house.deliveries] {
            assert!(upstream.until(|upstream| upstream.open_streams() > 0).await, "{era:?}");
        }
        // Equal URIs: the one of the deliveries was not asked for.
        for upstream in [&house.deliveries, &house.archive] {
            upstream.notify(UPDATED, &json!({ "uri": "doc://public" }));
        }
        let update = stream.next_of(UPDATED, SOON).await.message();
        assert_eq!(update["params"]["uri"], uris[0], "{era:?}: {}", stream.seen());
        assert_eq!(stream.next_of(UPDATED, QUIET).await, Next::Silence, "{}", stream.seen());
        house.deliveries.notify(UPDATED, &json!({ "uri": "doc://customer/1001" }));
        let update = stream.next_of(UPDATED, SOON).await.message();
        assert_eq!(update["params"]["uri"], uris[1], "{era:?}: {}", stream.seen());
        house.archive.notify(TOOLS, &json!({}));
        assert_eq!(stream.next_of(TOOLS, SOON).await.message()["method"], TOOLS, "{era:?}");
        house.archive.end_streams();
        house.deliveries.notify(UPDATED, &json!({ "uri": "doc://customer/1001" }));
        stream.next_of(UPDATED, SOON).await.message();
        house.deliveries.end_streams();
    }
}

#[tokio::test]
async fn a_subscription_is_acknowledged_once_for_all_and_asked_of_each_for_its_own() {
    let house = House::start().await;
    let rita = house.connect("rita", Era::Modern).await;
    let wanted = [
        "kenward:archive:doc://public",
        "kenward:archive:doc://secret",
        "kenward:nowhere:doc://public",
        "doc://public",
    ];
    let mut stream = rita.listen(&wanted).await;
    let first = stream.next(SOON).await.message();
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    let honoured = &first["params"]["notifications"];
    assert_eq!(honoured["resourceSubscriptions"], json!([wanted[0]]), "{first}");
    assert_eq!(honoured["toolsListChanged"], true, "{first}");
    let asked = house.archive.requests("subscriptions/listen").pop().expect("a request");
    assert_eq!(asked.params()["notifications"]["resourceSubscriptions"], json!(["doc://public"]));
    let asked = house.deliveries.requests("subscriptions/listen").pop().expect("a request");
    assert_eq!(asked.params()["notifications"]["resourceSubscriptions"], json!([]));
    // The process tells of its list when somebody listens; nothing else comes, no second word above all.
    match stream.next(QUIET).await {
        Next::Silence => {}
        other @ (Next::Message(_) | Next::End) => {
            assert_eq!(other.message()["method"], TOOLS, "{}", stream.seen());
        }
    }
    assert_eq!(stream.next(QUIET).await, Next::Silence, "{}", stream.seen());
}

#[tokio::test]
async fn a_right_that_is_withdrawn_ends_the_stream() {
    let house = House::start().await;
    for era in Era::BOTH {
        let rita = house.connect("rita", era).await;
        rita.tools().await;
        let mut stream = rita.listen(&["kenward:archive:doc://public"]).await;
        for upstream in [&house.archive, &house.deliveries] {
            assert!(upstream.until(|upstream| upstream.open_streams() > 0).await, "{era:?}");
        }
        crate::streams::set_groups(&house.gateway, &[]).await;
        house.archive.notify(UPDATED, &json!({ "uri": "doc://public" }));
        let (rest, last) = stream.rest(SOON).await;
        let methods: Vec<_> = rest.iter().map(|message| message["method"].clone()).collect();
        assert!(!methods.contains(&json!(UPDATED)), "{era:?}: {methods:?}");
        assert_eq!(last, Next::End, "{era:?}: {}", stream.seen());
        let responses = rest.iter().filter(|message| message.get("result").is_some()).count();
        assert_eq!(responses, usize::from(era == Era::Modern), "{era:?}: one end for all");
        crate::streams::set_groups(&house.gateway, &["representatives"]).await;
    }
}

#[tokio::test]
async fn a_client_that_leaves_leaves_every_server() {
    let house = House::start().await;
    for era in Era::BOTH {
        let rita = house.connect("rita", era).await;
        let stream = rita.listen(&["kenward:archive:doc://public"]).await;
        for upstream in [&house.archive, &house.deliveries] {
            assert!(upstream.until(|upstream| upstream.open_streams() > 0).await, "{era:?}");
        }
        drop(stream);
        for upstream in [&house.archive, &house.deliveries] {
            assert!(upstream.until(|upstream| upstream.open_streams() == 0).await, "{era:?}");
        }
    }
}
