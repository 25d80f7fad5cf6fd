//! Promise: at `/mcp` all servers are one, and nothing is possible there that would not be at each.

mod attacks;
mod lists;
mod sessions;
mod streams;

use std::time::Duration;

use kenward_testkit::{Answer, Deployment, Era, Gateway, Issuer, Mcp, Upstream};
use serde_json::{Value, json};

use crate::KENWARD;

/// Two servers over HTTP and one that is a process, behind one gateway.
struct House {
    issuer: Issuer,
    deliveries: Upstream,
    archive: Upstream,
    gateway: Gateway,
}

/// What representatives may do beyond the deliveries.
const POLICIES: &str = r#"
permit (principal in Group::"representatives", action == Mcp::Action::"tools/call", resource in Mcp::Server::"archive")
unless { resource == Mcp::Tool::"archive/burn" };
permit (principal in Group::"representatives", action == Mcp::Action::"prompts/get", resource == Mcp::Prompt::"archive/greeting");
permit (principal in Group::"representatives", action == Mcp::Action::"resources/read", resource == Mcp::Resource::"archive/doc://public");
permit (principal in Group::"representatives", action in Mcp::Action::"tools/call", resource in Mcp::Server::"process")
unless { resource == Mcp::Tool::"process/hidden" };
permit (principal in Group::"representatives", action == Mcp::Action::"elicitation/create", resource == Mcp::Server::"archive");
"#;

impl House {
    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    async fn start_with(change: impl FnOnce(&mut Deployment)) -> Self {
        let issuer = Issuer::start().await;
        let (deliveries, archive) = (Upstream::start().await, Upstream::start().await);
        let tool = |name: &str| json!({ "name": name, "inputSchema": { "type": "object" } });
        archive.set_tools(["look_up", "files/read", "burn"].map(tool).to_vec());
        archive.set_prompts(vec![json!({ "name": "greeting" }), json!({ "name": "private" })]);
        let resource = |uri: &str| json!({ "uri": uri, "name": uri });
        archive.set_resources(["doc://public", "doc://secret"].map(resource).to_vec());
        let mut deployment = Deployment::deliveries(&issuer, &deliveries);
        let tools = json!({ "look_up": {}, "files/read": {}, "burn": {} });
        deployment.add_server(
            "archive",
            json!({ "url": archive.url(), "tools": tools, "definitions": "live" }),
        );
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/system/stdio_server.py");
        let command = json!([crate::stdio::python(), script, "good"]);
        deployment.add_server("process", json!({ "command": command, "tools": { "whoami": {} } }));
        // Pages and names that no approved copy would have.
        deployment.config["servers"]["deliveries"]["definitions"] = json!("live");
        deployment.add_policies(POLICIES);
        change(&mut deployment);
        let gateway = Gateway::start(KENWARD, deployment).await;
        Self { issuer, deliveries, archive, gateway }
    }

    fn token(&self, user: &str) -> String {
        self.issuer.token(user, &format!("{}/mcp", self.gateway.url())).sign()
    }

    /// `user` at the endpoint of all servers.
    async fn connect(&self, user: &str, era: Era) -> Mcp {
        Mcp::connect(&self.gateway.url(), "/mcp", &self.token(user), era).await
    }

    /// A client with this token, or none, that has said nothing yet.
    fn client(&self, token: Option<&str>, era: Era) -> Mcp {
        Mcp::new(&self.gateway.url(), "/mcp", token, era)
    }

    /// The same, with a process that runs already: to start one takes as long as it takes.
    async fn connect_to_running(&self, user: &str, era: Era) -> Mcp {
        let mcp = self.connect(user, era).await;
        let reply = mcp.call("process__whoami", json!({})).await;
        assert!(reply.is_done(), "{era:?}: {}", reply.http.text());
        mcp
    }

    async fn decisions(&self, server: &str, target: &str, verdict: &str) -> Vec<Value> {
        let records = self.gateway.records(KENWARD).await;
        let wanted = |record: &Value| {
            record["server"] == server && record["target"] == target && record["verdict"] == verdict
        };
        records.into_iter().filter(wanted).collect()
    }
}

#[tokio::test]
async fn a_call_reaches_its_server_under_its_name_there() {
    let house = House::start().await;
    for era in Era::BOTH {
        let rita = house.connect("rita", era).await;
        let reply = rita.call("deliveries__track_parcel", json!({ "parcel": "7" })).await;
        assert!(reply.text().contains("track_parcel did"), "{era:?}: {}", reply.http.text());
        let call = house.deliveries.calls("track_parcel").pop().expect("a call");
        assert_eq!(call.params()["arguments"], json!({ "parcel": "7" }), "{era:?}");
        if era == Era::Modern {
            assert_eq!(call.header("mcp-name"), Some("track_parcel"));
        }
        assert_ne!(call.header("mcp-session-id"), rita.session().or(Some("")), "{era:?}");
        assert!(rita.call("archive__look_up", json!({})).await.is_done(), "{era:?}");
        assert_eq!(house.archive.calls("look_up").len(), 1, "{era:?}");
        house.archive.forget();
        let reply = rita.call("process__slow", json!({ "a": "\u{e9}" })).await;
        assert!(reply.text().contains("done"), "{era:?}: {}", reply.http.text());
    }
    let allowed = house.decisions("deliveries", "track_parcel", "allow").await;
    assert_eq!(allowed.len(), 2, "{allowed:?}");
}

#[tokio::test]
async fn a_name_that_no_client_takes_is_shortened_and_works() {
    let house = House::start().await;
    for era in Era::BOTH {
        let rita = house.connect("rita", era).await;
        let tools = rita.tools().await;
        let short: Vec<_> = tools.iter().filter(|name| name.contains("files_read")).collect();
        assert_eq!(short.len(), 1, "{tools:?}");
        for name in &tools {
            let accepted = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            assert!(name.len() <= 64 && name.chars().all(accepted), "{name}");
        }
        assert!(rita.call(short[0], json!({})).await.is_done(), "{era:?}: {}", short[0]);
        assert!(!house.archive.calls("files/read").is_empty(), "{era:?}");
        house.archive.forget();
    }
}

/// A gateway that has just started has seen no list, yet the clients remember the names.
#[tokio::test]
async fn a_shortened_name_works_before_anybody_has_listed_anything() {
    let first = House::start().await;
    let rita = first.connect("rita", Era::Modern).await;
    let tools = rita.tools().await;
    let short = tools.iter().find(|name| name.contains("files_read")).expect("a name").clone();
    for era in Era::BOTH {
        let house = House::start().await;
        let rita = house.connect("rita", era).await;
        let reply = rita.call(&short, json!({})).await;
        assert!(reply.is_done(), "{era:?}: {}", reply.http.text());
    }
}

#[tokio::test]
async fn what_is_refused_at_a_server_is_refused_here_and_the_other_way() {
    let house = House::start().await;
    for era in Era::BOTH {
        let direct = house.gateway.connect(&house.issuer, "rita", "deliveries", era).await;
        let rita = house.connect("rita", era).await;
        house.deliveries.forget();
        let subject = json!({ "customer_id": "4711" });
        let refused = direct.call("get_customer_address", subject.clone()).await;
        assert!(refused.is_refused(), "{era:?}: {}", refused.http.text());
        let refused = rita.call("deliveries__get_customer_address", subject).await;
        assert!(refused.is_refused(), "{era:?}: {}", refused.http.text());
        assert_eq!(refused.decision()["question"], 3, "{era:?}: {}", refused.http.text());
        // The other way to the same fact: the history is the person's, wherever they ask.
        let near = json!({ "near": "Taylor Swift's home" });
        let refused = rita.call("deliveries__get_dropoff_locations", near).await;
        assert!(refused.is_refused(), "{era:?}: {}", refused.http.text());
        assert!(house.deliveries.requests("tools/call").is_empty(), "{era:?}");
    }
    let refused = house.decisions("deliveries", "get_customer_address", "refuse").await;
    assert_eq!(refused.len(), 4, "{refused:?}");
}

#[tokio::test]
async fn rows_of_others_are_taken_out_here_too() {
    let house = House::start().await;
    let customers = json!({ "customers": [
        { "id": "1001", "name": "Johnny Cash", "zip": "37201" },
        { "id": "4711", "name": "Taylor Swift", "zip": "37203" },
    ] });
    house.deliveries.on_tool("list_customers", move |_| Answer::structured(&customers));
    for events in [false, true] {
        house.deliveries.answer_as_events(events);
        for era in Era::BOTH {
            let rita = house.connect("rita", era).await;
            let reply = rita.call("deliveries__list_customers", json!({})).await;
            let all = reply.http.text();
            assert!(all.contains("37201") && !all.contains("37203"), "{era:?}: {all}");
        }
    }
}

#[tokio::test]
async fn prompts_and_completions_go_to_their_server() {
    let house = House::start().await;
    for era in Era::BOTH {
        let rita = house.connect("rita", era).await;
        let names = rita.request("prompts/list", json!({})).await.names("prompts", "name");
        assert_eq!(names, ["archive__greeting", "deliveries__greeting"], "{era:?}");
        let reply = rita.request("prompts/get", json!({ "name": "archive__greeting" })).await;
        assert!(reply.http.text().contains("the prompt greeting"), "{era:?}");
        let argument = json!({ "name": "a", "value": "o" });
        let prompt = json!({ "type": "ref/prompt", "name": "deliveries__greeting" });
        let params = json!({ "ref": prompt, "argument": argument });
        let reply = rita.request("completion/complete", params).await;
        assert_eq!(reply.result()["completion"]["values"], json!(["one", "two"]), "{era:?}");
        let asked = house.deliveries.requests("completion/complete").pop().expect("a request");
        assert_eq!(asked.params()["ref"]["name"], "greeting", "{era:?}");
        let template =
            json!({ "type": "ref/resource", "uri": "kenward:deliveries:doc://customer/{id}" });
        let params = json!({ "ref": template, "argument": argument });
        assert!(rita.request("completion/complete", params).await.is_done(), "{era:?}");
        let asked = house.deliveries.requests("completion/complete").pop().expect("a request");
        assert_eq!(asked.params()["ref"]["uri"], "doc://customer/{id}", "{era:?}");
        let hidden = rita.request("prompts/get", json!({ "name": "archive__private" })).await;
        let nowhere = rita.request("prompts/get", json!({ "name": "nowhere__private" })).await;
        assert_eq!(
            hidden.message["error"].to_string().replace("archive", "nowhere"),
            nowhere.message["error"].to_string(),
            "{era:?}"
        );
    }
}

#[tokio::test]
async fn equal_uris_of_two_servers_are_two_resources() {
    let house = House::start().await;
    house.archive.on("resources/read", |_| {
        Answer::Result(json!({ "contents": [{ "uri": "doc://public", "text": "the archive's" }] }))
    });
    for era in Era::BOTH {
        let rita = house.connect("rita", era).await;
        let uris = rita.request("resources/list", json!({})).await.names("resources", "uri");
        let expected = [
            "kenward:archive:doc://public",
            "kenward:deliveries:doc://public",
            "kenward:deliveries:doc://customer/1001",
        ];
        assert_eq!(uris, expected, "{era:?}");
        let templates = rita.request("resources/templates/list", json!({})).await;
        let templates = templates.names("resourceTemplates", "uriTemplate");
        assert_eq!(templates, ["kenward:deliveries:doc://customer/{id}"], "{era:?}");
        for (uri, text) in
            [(expected[0], "the archive's"), (expected[1], "the text of doc://public")]
        {
            let reply = rita.request("resources/read", json!({ "uri": uri })).await;
            let contents = &reply.result()["contents"][0];
            assert_eq!(
                (&contents["uri"], &contents["text"]),
                (&json!(uri), &json!(text)),
                "{era:?}"
            );
        }
        let asked = house.deliveries.requests("resources/read").pop().expect("a request");
        assert_eq!(asked.params()["uri"], "doc://public", "{era:?}");
        let hidden =
            rita.request("resources/read", json!({ "uri": "kenward:archive:doc://secret" })).await;
        let nowhere =
            rita.request("resources/read", json!({ "uri": "kenward:nowhere:doc://secret" })).await;
        let unmarked = rita.request("resources/read", json!({ "uri": "doc://public" })).await;
        for reply in [&hidden, &nowhere, &unmarked] {
            let code = if era == Era::Modern { -32602 } else { -32002 };
            assert_eq!(reply.error_code(), Some(code), "{era:?}: {}", reply.http.text());
        }
        assert_eq!(
            hidden.message["error"]["data"]["uri"], "kenward:archive:doc://secret",
            "{era:?}"
        );
    }
}

#[tokio::test]
async fn links_in_an_answer_lead_back_to_its_server_and_the_rest_is_untouched() {
    let house = House::start().await;
    let raw = r#"{"content":[{"type":"resource_link","uri":"doc://public","name":"n"},{"type":"text","text":"doc://public"},{"type":"resource","resource":{"uri":"doc://public","text":"t"}},{"type":"resource","resource":{"uri":"doc://secret","text":"s"}}] , "_meta" : {"x":1.50},"resultType":"complete"}"#;
    house.archive.on_tool("look_up", move |received| {
        let id = received.json()["id"].clone();
        let body = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{raw}}}");
        Answer::Raw(200, "application/json", body.into())
    });
    for era in Era::BOTH {
        let rita = house.connect("rita", era).await;
        let reply = rita.call("archive__look_up", json!({})).await;
        let content = &reply.result()["content"];
        assert_eq!(content[0]["uri"], "kenward:archive:doc://public", "{era:?}");
        assert_eq!(content[1]["text"], "doc://public", "{era:?}");
        assert_eq!(content[2]["resource"]["uri"], "kenward:archive:doc://public", "{era:?}");
        assert_eq!(content.as_array().map(Vec::len), Some(3), "{era:?}: {content}");
    }
    let large = "x".repeat(300_000);
    house.archive.on_tool("look_up", move |_| {
        let link = json!({ "type": "resource_link", "uri": "doc://public", "name": "n" });
        Answer::Result(json!({ "content": [{ "type": "text", "text": large }, link] }))
    });
    for era in Era::BOTH {
        let rita = house.connect("rita", era).await;
        let reply = rita.call("archive__look_up", json!({})).await;
        assert_eq!(reply.result()["content"][1]["uri"], "kenward:archive:doc://public", "{era:?}");
    }
}

#[tokio::test]
async fn the_handshake_is_our_own_and_names_the_servers_of_the_caller() {
    let house = House::start_with(|deployment| {
        deployment.add_policies(
            "permit (principal == User::\"mallory\", action == Mcp::Action::\"archive/look_up\", resource);",
        );
    })
    .await;
    let discover = |mcp: Mcp| async move { mcp.request("server/discover", json!({})).await };
    for (user, servers) in [("rita", "archive, deliveries, process"), ("mallory", "archive")] {
        let token = house.token(user);
        let mut legacy = house.client(Some(&token), Era::Legacy);
        let hello = legacy.handshake(&json!({})).await;
        assert_eq!(hello.result()["serverInfo"]["name"], "kenward", "{user}");
        let modern = discover(house.client(Some(&token), Era::Modern)).await;
        assert_eq!(modern.result()["supportedVersions"], json!(["2026-07-28"]), "{user}");
        assert_eq!(modern.result()["cacheScope"], "private", "{user}");
        for reply in [&hello, &modern] {
            let said = reply.result()["instructions"].as_str().expect("instructions");
            assert!(said.contains(&format!("as one: {servers}.")), "{user}: {said}");
            assert!(!reply.http.text().contains("Use the tools."), "{user}: a server's own words");
            assert_eq!(reply.result()["capabilities"]["tools"]["listChanged"], true, "{user}");
        }
    }
    assert!(house.archive.requests("initialize").is_empty(), "sessions are opened when needed");
}

#[tokio::test]
async fn one_server_that_is_down_does_not_take_the_others_along() {
    let house = House::start().await;
    let House { issuer, deliveries, archive, gateway } = house;
    drop(archive);
    for era in Era::BOTH {
        let token = issuer.token("rita", &format!("{}/mcp", gateway.url())).sign();
        let rita = Mcp::connect(&gateway.url(), "/mcp", &token, era).await;
        let reply = rita.call("process__whoami", json!({})).await;
        assert!(reply.is_done(), "{era:?}: {}", reply.http.text());
        let tools = rita.tools().await;
        assert!(tools.contains(&"deliveries__track_parcel".to_owned()), "{era:?}: {tools:?}");
        assert!(tools.contains(&"process__whoami".to_owned()), "{era:?}: {tools:?}");
        assert!(!tools.iter().any(|name| name.starts_with("archive")), "{era:?}: {tools:?}");
        let reply = rita.call("archive__look_up", json!({})).await;
        assert!(!reply.is_done(), "{era:?}: {}", reply.http.text());
        let reply = rita.call("deliveries__track_parcel", json!({ "parcel": "p" })).await;
        assert!(reply.is_done(), "{era:?}: {}", reply.http.text());
    }
    assert!(gateway.says("is left out").await, "{}", gateway.log());
    drop(deliveries);
}

#[tokio::test]
async fn a_server_that_hangs_is_left_out_of_a_list_in_time() {
    let house = House::start().await;
    house.archive.on("tools/list", |_| Answer::Hang);
    for era in Era::BOTH {
        let rita = house.connect("rita", era).await;
        let tools = tokio::time::timeout(Duration::from_secs(8), rita.tools()).await;
        let tools = tools.expect("a list in time");
        assert!(tools.contains(&"deliveries__track_parcel".to_owned()), "{era:?}: {tools:?}");
        assert!(!tools.iter().any(|name| name.starts_with("archive")), "{era:?}: {tools:?}");
    }
}
