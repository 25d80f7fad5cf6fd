//! Promise: the admin API is for administrators, apart from the MCP endpoints, and in effect before
//! it answers.

use kenward_testkit::{Answer, Deployment, Era, Response};
use serde_json::{Value, json};

use crate::Story;

#[tokio::test]
async fn nothing_is_told_or_changed_without_the_bearer() {
    let story = Story::start().await;
    let admin = story.gateway.admin();
    let body =
        json!({ "type": "User", "id": "eve", "parents": [{ "type": "Group", "id": "admins" }] });
    let almost = format!("Bearer {}x", Deployment::ADMIN_TOKEN);
    let mcp_token = format!("Bearer {}", story.token("alice"));
    for credential in [None, Some("Bearer"), Some("Bearer wrong"), Some(&almost), Some(&mcp_token)]
    {
        for (method, path) in [
            ("GET", "/api/v1/entities/User/rita"),
            ("PUT", "/api/v1/entities/User/eve"),
            ("DELETE", "/api/v1/entities/User/eve"),
            ("POST", "/api/v1/entities"),
            ("GET", "/api/v1/nothing"),
        ] {
            let headers: Vec<(&str, &str)> =
                credential.into_iter().map(|value| ("authorization", value)).collect();
            let answer = admin.send(method, path, &headers, body.to_string()).await;
            assert_eq!(answer.status, 401, "{credential:?} {method} {path}: {}", answer.text());
            assert!(!answer.text().contains("representatives"), "{}", answer.text());
        }
    }
    let answer = story.gateway.administrate("GET", "/api/v1/entities/User/eve", "").await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn health_and_readiness_need_none() {
    let story = Story::start().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(story.gateway.admin().get(path, &[]).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn the_two_listeners_are_apart() {
    let story = Story::start().await;
    let bearer = format!("Bearer {}", Deployment::ADMIN_TOKEN);
    let headers = [("authorization", bearer.as_str())];
    for path in ["/api/v1/entities/User/rita", "/metrics", "/healthz", "/readyz", "/openapi.json"] {
        let answer = story.gateway.http().get(path, &headers).await;
        assert_eq!(answer.status, 404, "{path} on the MCP listener");
    }
    let answer = story.gateway.administrate("POST", "/mcp/deliveries", "{}").await;
    assert!(matches!(answer.status.as_u16(), 404 | 405), "MCP on the admin listener");
}

#[tokio::test]
async fn a_change_is_in_effect_when_it_is_answered() {
    let story = Story::start().await;
    let token = story.token("nora");
    for round in 0..5 {
        let nora = story.client(Some(&token), Era::Modern);
        assert!(nora.tools().await.is_empty(), "round {round}");
        let first =
            put(&story, "User", "nora", json!({ "parents": [group("representatives")] })).await;
        assert!(
            nora.call("track_parcel", json!({ "parcel": "p" })).await.is_done(),
            "round {round}"
        );
        let second = put(&story, "User", "nora", json!({ "parents": [] })).await;
        assert!(
            !nora.call("track_parcel", json!({ "parcel": "p" })).await.is_done(),
            "round {round}"
        );
        assert!(second > first, "revisions grow: {first}, {second}");
    }
}

#[tokio::test]
async fn entities_can_be_read_back_and_removed() {
    let story = Story::start().await;
    let attributes = json!({ "protected": false, "assigned_to": { "__entity": { "type": "User", "id": "rita" } } });
    let entity = json!({ "attributes": attributes, "aliases": ["Willie Nelson"] });
    let revision = put(&story, "Customer", "1003", entity).await;
    let read = story.gateway.administrate("GET", "/api/v1/entities/Customer/1003", "").await;
    assert_eq!(read.status, 200);
    let text = read.text();
    assert!(text.contains("Willie Nelson") && text.contains("assigned_to"), "{text}");
    assert_eq!(read.json()["revision"], revision);
    let none = json!({ "locations": [] });
    story.upstream.on_tool("get_dropoff_locations", move |_| Answer::structured(&none));
    let rita = story.connect("rita", Era::Modern).await;
    let places =
        async || rita.call("get_dropoff_locations", json!({ "near": "Willie Nelson" })).await;
    assert!(places().await.is_done(), "the alias is known at once");
    let removed = story.gateway.administrate("DELETE", "/api/v1/entities/Customer/1003", "").await;
    assert!(removed.status.is_success(), "{}", removed.text());
    assert!(places().await.is_refused(), "and unknown at once");
    let read = story.gateway.administrate("GET", "/api/v1/entities/Customer/1003", "").await;
    assert_eq!(read.status, 404);
}

#[tokio::test]
async fn many_entities_arrive_together_or_not_at_all() {
    let story = Story::start().await;
    let line = |id: &str| {
        json!({ "type": "User", "id": id, "attributes": {}, "parents": [group("representatives")], "aliases": [] })
            .to_string()
    };
    let bad = format!("{}\n{}\n{{\"type\":\"User\"}}\n", line("u1"), line("u2"));
    let answer = story.gateway.administrate("POST", "/api/v1/entities", &bad).await;
    assert!(matches!(answer.status.as_u16(), 400 | 422), "{}", answer.text());
    assert!(answer.text().contains('3'), "the line is named: {}", answer.text());
    assert_eq!(story.gateway.administrate("GET", "/api/v1/entities/User/u1", "").await.status, 404);
    let good: Vec<String> = (0..2_000).map(|n| line(&format!("u{n}"))).collect();
    let answer = story.gateway.administrate("POST", "/api/v1/entities", &good.join("\n")).await;
    assert!(answer.status.is_success(), "{}", answer.text());
    assert!(answer.json()["revision"].is_u64(), "{}", answer.text());
    let last = story.client(Some(&story.token("u1999")), Era::Modern);
    assert!(last.call("track_parcel", json!({ "parcel": "p" })).await.is_done());
}

#[tokio::test]
async fn what_a_file_says_the_api_does_not_overwrite() {
    let story = Story::start().await;
    let body = json!({ "type": "User", "id": "mallory", "attributes": {},
                       "parents": [group("admins")], "aliases": [] });
    let path = "/api/v1/entities/User/mallory";
    let answer = story.gateway.administrate("PUT", path, &body.to_string()).await;
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert!(answer.text().contains("directory.yaml"), "{}", answer.text());
    assert_eq!(story.gateway.administrate("DELETE", path, "").await.status, 409);
    let mallory = story.client(Some(&story.token("mallory")), Era::Modern);
    assert!(mallory.tools().await.is_empty());
}

#[tokio::test]
async fn nonsense_is_refused_with_words() {
    let story = Story::start().await;
    let path = "/api/v1/entities/User/zoe";
    for body in [
        "",
        "{",
        "[]",
        "{\"type\":\"User\",\"id\":\"zoe\",\"parents\":\"admins\"}",
        "{\"type\":\"User\",\"id\":\"zoe\",\"atributes\":{}}",
        "{\"type\":\"User\",\"id\":\"another\"}",
        "{\"type\":\"Group\",\"id\":\"zoe\"}",
        "{\"type\":\"User\",\"id\":\"zoe\",\"id\":\"zoe\"}",
    ] {
        let answer = story.gateway.administrate("PUT", path, body).await;
        assert!(
            matches!(answer.status.as_u16(), 400 | 422),
            "{body}: {} {}",
            answer.status,
            answer.text()
        );
        assert!(answer.text().len() > 10, "{body}: nothing is said");
    }
    assert_eq!(story.gateway.administrate("GET", path, "").await.status, 404);
}

#[tokio::test]
async fn what_the_api_changed_outlives_the_gateway_and_stands_in_the_log() {
    let story = Story::start().await;
    let revision =
        put(&story, "User", "nora", json!({ "parents": [group("representatives")] })).await;
    let records = story.records().await;
    let change = records.iter().find(|record| record["kind"] == "change");
    let change = change.unwrap_or_else(|| panic!("no change in {records:#?}"));
    assert_eq!(change["by"], "admin", "{change}");
    assert_eq!(change["revision"], revision, "{change}");
    let Story { issuer, upstream, gateway } = story;
    let gateway = gateway.restart(crate::KENWARD).await;
    let story = Story { issuer, upstream, gateway };
    let nora = story.client(Some(&story.token("nora")), Era::Modern);
    assert!(nora.call("track_parcel", json!({ "parcel": "p" })).await.is_done());
    let read = story.gateway.administrate("GET", "/api/v1/entities/User/nora", "").await;
    let now = read.json()["revision"].as_u64().expect("a revision");
    assert!(now >= revision, "revisions never go back: {revision}, then {now}");
}

#[tokio::test]
async fn a_caller_can_ask_to_be_decided_on_a_revision() {
    let story = Story::start().await;
    let revision =
        put(&story, "User", "nora", json!({ "parents": [group("representatives")] })).await;
    let nora = story.client(Some(&story.token("nora")), Era::Modern);
    let ask = async |revision: u64| {
        let params = json!({ "name": "track_parcel", "arguments": { "parcel": "p" } });
        let message = nora.message("tools/call", params);
        let mut headers = nora.headers(&message);
        headers.push(("kenward-revision".to_owned(), revision.to_string()));
        nora.post(&headers, message.to_string()).await
    };
    assert!(ask(revision).await.is_done());
    assert!(ask(0).await.is_done());
    let reply = ask(revision + 1_000).await;
    assert!(!reply.is_done(), "a revision that does not exist yet: {}", reply.http.text());
}

#[tokio::test]
async fn without_a_token_one_is_made_that_only_its_owner_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let story = Story::start_with(|deployment| {
        deployment.config["admin"].as_object_mut().expect("an object").remove("token");
    })
    .await;
    let with_config_token =
        story.gateway.administrate("GET", "/api/v1/entities/User/rita", "").await;
    assert_eq!(with_config_token.status, 401);
    let files = std::fs::read_dir(story.gateway.deployment().folder()).expect("the folder");
    let mut opened = 0;
    for file in files.flatten().filter(|file| file.file_name().to_string_lossy().contains("token"))
    {
        let mode = file.metadata().expect("metadata").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.path().display());
        let token = std::fs::read_to_string(file.path()).expect("a token");
        let bearer = format!("Bearer {}", token.trim());
        let headers = [("authorization", bearer.as_str())];
        let answer = story.gateway.admin().get("/api/v1/entities/User/rita", &headers).await;
        opened += usize::from(answer.status == 200);
        assert!(!story.gateway.log().contains(token.trim()), "the token is in the log");
    }
    assert_eq!(opened, 1, "no file holds the token: {}", story.gateway.log());
}

fn group(name: &str) -> Value {
    json!({ "type": "Group", "id": name })
}

/// Puts an entity and gives the revision that it is in effect from.
async fn put(story: &Story, kind: &str, id: &str, mut entity: Value) -> u64 {
    entity["type"] = json!(kind);
    entity["id"] = json!(id);
    let path = format!("/api/v1/entities/{kind}/{id}");
    let answer: Response = story.gateway.administrate("PUT", &path, &entity.to_string()).await;
    assert!(answer.status.is_success(), "{} {}", answer.status, answer.text());
    answer.json()["revision"].as_u64().unwrap_or_else(|| panic!("no revision: {}", answer.text()))
}
