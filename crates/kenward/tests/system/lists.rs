//! Promise: a list shows exactly what some call could use, and what it hides does not exist.

use kenward_testkit::{Answer, Era, Reply};
use serde_json::{Value, json};

use crate::Story;

const REPRESENTATIVES: [&str; 7] = [
    "track_parcel",
    "get_customer_address",
    "get_dropoff_locations",
    "add_note",
    "list_customers",
    "set_limit",
    "export_all",
];

#[tokio::test]
async fn each_person_sees_their_own_tools() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        assert_eq!(rita.tools().await, REPRESENTATIVES, "{era:?}");
        let alice = story.connect("alice", era).await;
        assert!(alice.tools().await.contains(&"purge_records".to_owned()), "{era:?}");
    }
}

#[tokio::test]
async fn who_may_use_nothing_is_shown_nothing() {
    let story = Story::start().await;
    let token = story.token("mallory");
    let mallory = story.client(Some(&token), Era::Modern);
    for (method, list) in [
        ("tools/list", "tools"),
        ("prompts/list", "prompts"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
    ] {
        let reply = mallory.request(method, json!({})).await;
        assert_eq!(reply.result()[list], json!([]), "{method}: {}", reply.http.text());
    }
    let reply = mallory.request("server/discover", json!({})).await;
    assert!(reply.message.get("result").is_none(), "{}", reply.http.text());
    let mut mallory = story.client(Some(&token), Era::Legacy);
    let reply = mallory.handshake(&json!({})).await;
    assert!(reply.message.get("result").is_none(), "{}", reply.http.text());
    assert!(!reply.http.text().contains("Use the tools."), "{}", reply.http.text());
}

#[tokio::test]
async fn one_tool_that_nobody_has_seen_yet_is_enough_to_be_let_in() {
    for era in Era::BOTH {
        let story = Story::start_with(|deployment| {
            deployment.add_policies(
                "permit (principal == User::\"mallory\", \
                 action == Mcp::Action::\"deliveries/track_parcel\", resource);",
            );
        })
        .await;
        let mallory = story.connect("mallory", era).await;
        assert_eq!(mallory.tools().await, ["track_parcel"], "{era:?}");
    }
}

#[tokio::test]
async fn prompts_resources_and_templates_are_filtered_one_by_one() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        let prompts = rita.request("prompts/list", json!({})).await;
        assert_eq!(prompts.names("prompts", "name"), ["greeting"], "{era:?}");
        let resources = rita.request("resources/list", json!({})).await;
        let uris = resources.names("resources", "uri");
        assert_eq!(uris, ["doc://public", "doc://customer/1001"], "{era:?}");
        let templates = rita.request("resources/templates/list", json!({})).await;
        let templates = templates.names("resourceTemplates", "uriTemplate");
        assert_eq!(templates, ["doc://customer/{id}"], "{era:?}");
    }
}

#[tokio::test]
async fn hidden_and_unknown_tools_answer_with_the_same_bytes() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        story.upstream.forget();
        let hidden = ask(&rita, "tools/call", "name", "purge_records").await;
        for unknown in ["purge_recordx", "no_such_thing"] {
            let other = ask(&rita, "tools/call", "name", unknown).await;
            assert_same(&hidden, "purge_records", &other, unknown, era);
        }
        assert_eq!(hidden.error_code(), Some(-32602), "{era:?}: {}", hidden.http.text());
        assert!(story.upstream.requests("tools/call").is_empty(), "{era:?}: the server would tell");
    }
}

#[tokio::test]
async fn hidden_and_unknown_prompts_and_resources_answer_with_the_same_bytes() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        story.upstream.forget();
        for (method, key, hidden, unknown) in [
            ("prompts/get", "name", "secret_plan", "secret_plax"),
            ("resources/read", "uri", "doc://secret", "doc://secrex"),
            ("resources/read", "uri", "doc://customer/1002", "doc://customer/9999"),
        ] {
            let first = ask(&rita, method, key, hidden).await;
            let second = ask(&rita, method, key, unknown).await;
            assert_same(&first, hidden, &second, unknown, era);
            assert!(first.error_code().is_some(), "{era:?} {method}: {}", first.http.text());
        }
        assert!(story.upstream.received().is_empty(), "{era:?}: the server would answer otherwise");
    }
}

#[tokio::test]
async fn a_tool_of_the_policy_that_the_server_lacks_does_not_exist_either() {
    let story = Story::start().await;
    let mut tools = vec![json!({ "name": "track_parcel", "inputSchema": { "type": "object" } })];
    story.upstream.on("tools/list", move |_| Answer::Result(json!({ "tools": tools.clone() })));
    tools = Vec::new();
    assert!(tools.is_empty());
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        let ghost = ask(&rita, "tools/call", "name", "ghost_tool_xx").await;
        let hidden = ask(&rita, "tools/call", "name", "purge_records").await;
        assert_same(&hidden, "purge_records", &ghost, "ghost_tool_xx", era);
    }
}

#[tokio::test]
async fn an_item_that_is_shown_is_shown_byte_for_byte() {
    let story = Story::start_with(live).await;
    let item = "{ \"name\" :\"track_parcel\", \"inputSchema\":{\"type\":\"object\"}, \
                \"x-future\" : [1.0, 12345678901234567890123 ], \"title\":\"\\u00e9\" }";
    let body = move |id: &Value| {
        format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"resultType\":\"complete\",\"tools\":[{item},\
             {{\"name\":\"purge_records\",\"inputSchema\":{{\"type\":\"object\"}}}}],\
             \"nextCursor\":\"next/+ \",\"ttlMs\":86400000,\"cacheScope\":\"public\"}}}}"
        )
    };
    story.upstream.on("tools/list", move |received| {
        let body = body(&received.json()["id"]);
        Answer::Raw(200, "application/json", body.into())
    });
    let rita = story.connect("rita", Era::Modern).await;
    let reply = rita.request("tools/list", json!({})).await;
    assert!(reply.http.text().contains(item), "{}", reply.http.text());
    assert_eq!(reply.names("tools", "name"), ["track_parcel"]);
    assert_eq!(reply.result()["nextCursor"], "next/+ ");
    assert_eq!(
        reply.result()["cacheScope"],
        "private",
        "what is filtered for one is for one alone"
    );
    let ttl = reply.result()["ttlMs"].as_u64().expect("a time");
    assert!(ttl <= 60_000, "{ttl} ms is longer than a change of rights may take");
}

#[tokio::test]
async fn pages_pass_through_and_an_empty_page_still_leads_to_the_next() {
    let story = Story::start_with(live).await;
    story.upstream.on("tools/list", |received| {
        let tool = |name: &str| json!({ "name": name, "inputSchema": { "type": "object" } });
        match received.params()["cursor"].as_str() {
            None => Answer::Result(json!({ "tools": [tool("purge_records")], "nextCursor": "2" })),
            Some("2") => Answer::Result(json!({ "tools": [tool("track_parcel")] })),
            Some(_) => Answer::Error(-32602, "no such page".to_owned()),
        }
    });
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        let first = rita.request("tools/list", json!({})).await;
        assert_eq!(first.result()["tools"], json!([]), "{era:?}");
        let cursor = first.result()["nextCursor"].as_str().expect("a cursor").to_owned();
        let second = rita.request("tools/list", json!({ "cursor": cursor })).await;
        assert_eq!(second.names("tools", "name"), ["track_parcel"], "{era:?}");
        assert!(second.result().get("nextCursor").is_none(), "{era:?}");
    }
}

#[tokio::test]
async fn lists_that_make_no_sense_are_withheld() {
    let story = Story::start().await;
    let lists = [
        json!({ "tools": "all" }),
        json!({ "tools": [{ "description": "nameless" }] }),
        json!({ "tools": [{ "name": 7, "inputSchema": {} }] }),
        json!({ "tools": { "track_parcel": {} } }),
        json!([]),
        json!({}),
    ];
    for list in lists {
        let answered = list.clone();
        story.upstream.on("tools/list", move |_| Answer::Result(answered.clone()));
        let rita = story.connect("rita", Era::Modern).await;
        let reply = rita.request("tools/list", json!({})).await;
        assert_eq!(reply.error_code(), Some(-32603), "{list}: {}", reply.http.text());
    }
    let twice =
        "{\"tools\":[{\"name\":\"track_parcel\",\"name\":\"purge_records\",\"inputSchema\":{}}]}";
    story.upstream.on("tools/list", move |received| {
        let id = received.json()["id"].clone();
        let body = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{twice}}}");
        Answer::Raw(200, "application/json", body.into())
    });
    let reply = story.connect("rita", Era::Modern).await.request("tools/list", json!({})).await;
    assert_eq!(reply.error_code(), Some(-32603), "a name twice: {}", reply.http.text());
}

/// Definitions as the server says them now.
fn live(deployment: &mut kenward_testkit::Deployment) {
    deployment.config["servers"]["deliveries"]["definitions"] = json!("live");
}

/// Asks under an id that is the same for every question, so that whole answers can be compared.
async fn ask(mcp: &kenward_testkit::Mcp, method: &str, key: &str, name: &str) -> Reply {
    let mut message = mcp.message(method, json!({ key: name }));
    message["id"] = json!(7);
    if method == "tools/call" {
        message["params"]["arguments"] = json!({ "confirm": true });
    }
    mcp.send(&message).await
}

fn assert_same(first: &Reply, name: &str, second: &Reply, other: &str, era: Era) {
    let plain = |reply: &Reply, name: &str| reply.http.text().replace(name, "NAME");
    assert_eq!(plain(first, name), plain(second, other), "{era:?}");
    assert_eq!(first.status(), second.status(), "{era:?}");
    let headers = |reply: &Reply| {
        let mut headers: Vec<String> = reply.http.headers.keys().map(ToString::to_string).collect();
        headers.sort();
        headers
    };
    assert_eq!(headers(first), headers(second), "{era:?}");
}
