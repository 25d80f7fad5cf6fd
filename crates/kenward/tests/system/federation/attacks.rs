//! Names and tokens that are meant to be taken for others.

use kenward_testkit::{Era, Mcp, run};
use serde_json::json;

use super::House;
use crate::KENWARD;

#[tokio::test]
async fn a_token_for_all_servers_opens_none_and_the_other_way() {
    let house = House::start().await;
    let url = house.gateway.url();
    let for_all = house.token("rita");
    let for_one = house.gateway.token(&house.issuer, "rita", "deliveries");
    for era in Era::BOTH {
        for (path, good, bad) in
            [("/mcp", &for_all, &for_one), ("/mcp/deliveries", &for_one, &for_all)]
        {
            let mcp = Mcp::connect(&url, path, good, era).await;
            assert!(mcp.request("tools/list", json!({})).await.is_done(), "{path} {era:?}");
            let mcp = mcp.with_token(Some(bad));
            let reply = mcp.request("tools/list", json!({})).await;
            assert_eq!(reply.status(), 401, "{path} {era:?}: {}", reply.http.text());
            let metadata = format!("{url}/.well-known/oauth-protected-resource{path}\"");
            let challenge = reply.http.header("www-authenticate").to_owned();
            assert!(challenge.contains(&metadata), "{path} {era:?}: {challenge}");
        }
    }
}

#[tokio::test]
async fn the_endpoint_is_a_resource_of_its_own() {
    let house = House::start().await;
    let path = "/.well-known/oauth-protected-resource/mcp";
    let response = house.gateway.http().get(path, &[]).await;
    assert_eq!(response.status, 200);
    let metadata = response.json();
    assert_eq!(metadata["resource"], json!(format!("{}/mcp", house.gateway.url())));
    assert_eq!(metadata["authorization_servers"], json!([house.issuer.url()]));
    assert_eq!(metadata["scopes_supported"], json!(["deliveries:export"]));
    let rita = house.connect("rita", Era::Modern).await;
    let reply = rita.call("deliveries__export_all", json!({})).await;
    assert_eq!(reply.status(), 403, "{}", reply.http.text());
    let challenge = reply.http.header("www-authenticate").to_owned();
    assert!(challenge.contains(&format!("{path}\"")), "{challenge}");
    assert!(challenge.contains("deliveries:export"), "{challenge}");
    for path in ["/mcp/", "/mcp//", "/MCP", "/mcp/.", "/mcp%2f"] {
        let mcp = Mcp::new(&house.gateway.url(), path, Some(&house.token("rita")), Era::Modern);
        assert_eq!(mcp.request("tools/list", json!({})).await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn what_is_hidden_and_what_does_not_exist_are_the_same() {
    let house = House::start().await;
    for era in Era::BOTH {
        // Alice may use the deliveries alone: the archive does not exist for her.
        for (user, hidden) in [
            ("rita", "archive__burn"),
            ("rita", "process__hidden"),
            ("rita", "archive__no_such_tool"),
            ("alice", "archive__look_up"),
            ("alice", "process__whoami"),
        ] {
            let mcp = house.connect(user, era).await;
            let (_, tool) = hidden.split_once("__").expect("a tool");
            let hidden = mcp.call(hidden, json!({})).await;
            let nowhere = mcp.call(&format!("nowhere__{tool}"), json!({})).await;
            assert_eq!(nowhere.error_code(), Some(-32602), "{era:?}: {}", nowhere.http.text());
            assert_eq!(nowhere.status(), hidden.status(), "{era:?} {user} {tool}");
            let words = hidden.message["error"].to_string();
            let words = words.replace("archive__", "nowhere__").replace("process__", "nowhere__");
            assert_eq!(words, nowhere.message["error"].to_string(), "{era:?} {user} {tool}");
        }
    }
    assert!(house.archive.requests("tools/call").is_empty());
    let refused = house.decisions("archive", "burn", "refuse").await;
    assert_eq!(refused.len(), 2, "{refused:?}");
    let records = house.gateway.records(KENWARD).await;
    let unknown = records.iter().filter(|record| record["target"] == "nowhere__burn").count();
    assert_eq!(unknown, 2, "what is aimed at nothing is in the log as well");
}

#[tokio::test]
async fn no_other_spelling_of_a_name_works() {
    let house = House::start().await;
    for era in Era::BOTH {
        let rita = house.connect("rita", era).await;
        rita.tools().await;
        for name in [
            "track_parcel",
            "deliveries/track_parcel",
            "deliveries.track_parcel",
            "deliveries_track_parcel",
            "deliveries___track_parcel",
            "Deliveries__track_parcel",
            "deliveries__deliveries__track_parcel",
            "archive__deliveries__track_parcel",
            "kenward:deliveries:track_parcel",
            "__track_parcel",
            "deliveries__",
            "",
            // In its plain form this name is not accepted by every client, so it is not given.
            "archive__files/read",
            "archive__files_read",
            "archive__files_read_aaaaaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            let reply = rita.call(name, json!({})).await;
            assert_eq!(reply.error_code(), Some(-32602), "{era:?} `{name}`: {}", reply.http.text());
        }
        for upstream in [&house.deliveries, &house.archive] {
            assert!(upstream.requests("tools/call").is_empty(), "{era:?}");
        }
    }
}

/// Two servers try to name a tool alike: `a` with `_x`, and `a_` with `x`; `a` with `b__x` would be
/// taken for a tool of `a__b`, which can therefore be no server's name.
#[tokio::test]
async fn servers_cannot_take_each_others_names() {
    let house = House::start_with(|deployment| {
        let (deliveries, archive) = (
            deployment.config["servers"]["deliveries"]["url"].clone(),
            deployment.config["servers"]["archive"]["url"].clone(),
        );
        deployment.add_server("a", json!({ "url": deliveries, "tools": { "_x": {}, "b__x": {} } }));
        deployment.add_server("a_", json!({ "url": archive, "tools": { "x": {} } }));
        deployment.add_policies(
            r#"permit (principal in Group::"representatives", action in Mcp::Action::"tools/call", resource in Mcp::Server::"a_");
               permit (principal in Group::"representatives", action in Mcp::Action::"tools/call", resource in Mcp::Server::"a");"#,
        );
    })
    .await;
    let tool = |name: &str| json!({ "name": name, "inputSchema": { "type": "object" } });
    house.deliveries.set_tools(["_x", "b__x"].map(tool).to_vec());
    house.archive.set_tools(vec![tool("x")]);
    for era in Era::BOTH {
        let rita = house.connect("rita", era).await;
        let tools = rita.tools().await;
        let mut distinct = tools.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), tools.len(), "{tools:?}");
        assert!(rita.call("a___x", json!({ "of": "a" })).await.is_done(), "{era:?}");
        assert_eq!(house.deliveries.calls("_x").len(), 1, "{era:?}");
        assert!(rita.call("a__b__x", json!({})).await.is_done(), "{era:?}");
        assert_eq!(house.deliveries.calls("b__x").len(), 1, "{era:?}");
        let digested = tools.iter().find(|name| name.starts_with("a___x_")).expect("a short name");
        assert!(rita.call(digested, json!({})).await.is_done(), "{era:?} {digested}");
        assert_eq!(house.archive.calls("x").len(), 1, "{era:?}");
        house.deliveries.forget();
        house.archive.forget();
    }
    let path = house.gateway.deployment().path("taken.yaml");
    let mut config = house.gateway.deployment().config.clone();
    config["servers"]["a__b"] = config["servers"]["a"].clone();
    std::fs::write(&path, config.to_string()).expect("a file");
    let checked = run(KENWARD, &["check", "--config", path.to_str().expect("a path")]).await;
    assert_ne!(checked.code, Some(0), "{}{}", checked.stdout, checked.stderr);
}

#[tokio::test]
async fn a_name_in_the_header_must_be_that_of_the_body() {
    let house = House::start().await;
    let rita = house.connect("rita", Era::Modern).await;
    let call = json!({ "name": "archive__look_up", "arguments": {} });
    let message = rita.message("tools/call", call);
    let mut headers = rita.headers(&message);
    for (name, value) in &mut headers {
        if name == "mcp-name" {
            *value = "look_up".to_owned();
        }
    }
    let reply = rita.post(&headers, message.to_string()).await;
    assert_eq!(reply.error_code(), Some(-32020), "{}", reply.http.text());
    assert!(house.archive.requests("tools/call").is_empty());
}
