//! Servers of others behind the gateway, over HTTP and as processes.

use kenward_testkit::{Deployment, Era, Gateway, Issuer, Mcp, ports, proc};
use serde_json::{Value, json};

use crate::KENWARD;
use crate::installed::Peers;

/// What a representative may use of the server that exercises everything.
const EVERYTHING: &str = r#"
permit (principal, action in Mcp::Action::"tools/call", resource in Mcp::Server::"everything")
unless { resource == Mcp::Tool::"everything/get-env" };
permit (principal, action == Mcp::Action::"prompts/get", resource == Mcp::Prompt::"everything/simple-prompt");
permit (principal, action == Mcp::Action::"resources/read", resource in Mcp::Server::"everything");
"#;

#[tokio::test]
async fn the_server_that_exercises_everything_over_http() {
    let Some(peers) = Peers::find() else { return };
    let port = ports::free().to_string();
    let index = peers.package("@modelcontextprotocol/server-everything/dist/index.js");
    let address = format!("127.0.0.1:{port}");
    let arguments = [index.as_str(), "streamableHttp"];
    let _server = Peers::serve(&peers.node(), &arguments, &[("PORT", &port)], &address).await;
    everything(json!({ "url": format!("http://{address}/mcp") })).await;
}

#[tokio::test]
async fn the_server_that_exercises_everything_as_a_process() {
    let Some(peers) = Peers::find() else { return };
    let index = peers.package("@modelcontextprotocol/server-everything/dist/index.js");
    everything(json!({ "command": [peers.node(), index, "stdio"] })).await;
}

async fn everything(server: Value) {
    let issuer = Issuer::start().await;
    let mut deployment = Deployment::empty(issuer.url());
    deployment.add_server("everything", server);
    deployment.config["servers"]["everything"]["tools"] = json!({ "get-env": {} });
    deployment.write("policies/everything.cedar", EVERYTHING);
    let gateway = Gateway::start(KENWARD, deployment).await;
    let rita = gateway.connect(&issuer, "rita", "everything", Era::Legacy).await;
    let tools = rita.tools().await;
    assert!(
        tools.contains(&"echo".to_owned()) && tools.contains(&"get-sum".to_owned()),
        "{tools:?}"
    );
    assert!(!tools.contains(&"get-env".to_owned()), "{tools:?}");
    let reply = rita.call("echo", json!({ "message": "h\u{e9}llo" })).await;
    assert_eq!(reply.text(), "Echo: h\u{e9}llo", "{}", reply.http.text());
    let reply = rita.call("get-sum", json!({ "a": 2, "b": 40 })).await;
    assert!(reply.text().contains("42"), "{}", reply.http.text());
    let reply = rita.call("get-env", json!({})).await;
    assert_eq!(reply.error_code(), Some(-32602), "{}", reply.http.text());

    let params = json!({
        "name": "trigger-long-running-operation", "arguments": { "duration": 1, "steps": 4 },
        "_meta": { "progressToken": "p" },
    });
    let reply = rita.request("tools/call", params).await;
    assert!(reply.is_done(), "{}", reply.http.text());
    let progress =
        reply.before.iter().filter(|message| message["method"] == "notifications/progress");
    assert!(progress.count() >= 3, "{}", reply.http.text());

    let prompts = rita.request("prompts/list", json!({})).await.names("prompts", "name");
    assert_eq!(prompts, ["simple-prompt"]);
    let prompt = rita.request("prompts/get", json!({ "name": "simple-prompt" })).await;
    assert!(prompt.result()["messages"].is_array(), "{}", prompt.http.text());
    let resources = rita.request("resources/list", json!({})).await.names("resources", "uri");
    let uri = resources.first().expect("a resource").clone();
    let read = rita.request("resources/read", json!({ "uri": uri })).await;
    assert!(read.result()["contents"].is_array(), "{}", read.http.text());

    let many: Vec<_> = (0..16).map(|n| echo(&rita, n)).collect();
    for one in many {
        one.await;
    }
    assert!(rita.end().await.status.is_success());
}

async fn echo(mcp: &Mcp, n: u32) {
    let reply = mcp.call("echo", json!({ "message": format!("m{n}") })).await;
    assert_eq!(reply.text(), format!("Echo: m{n}"), "{}", reply.http.text());
}

#[tokio::test]
async fn the_file_server_gives_each_person_their_own_files() {
    let Some(peers) = Peers::find() else { return };
    let issuer = Issuer::start().await;
    let mut deployment = Deployment::empty(issuer.url());
    let files = deployment.path("files");
    std::fs::create_dir_all(files.join("rita")).expect("a folder");
    std::fs::create_dir_all(files.join("ron")).expect("a folder");
    std::fs::write(files.join("rita/letter.txt"), "dear rita").expect("a file");
    std::fs::write(files.join("ron/letter.txt"), "dear ron").expect("a file");
    let files = files.to_str().expect("a path").to_owned();
    let index = peers.package("@modelcontextprotocol/server-filesystem/dist/index.js");
    deployment.add_server(
        "files",
        json!({
            "command": [peers.node(), index, files],
            "tools": { "read_text_file": { "mapping": { "evaluation": {
                "action": { "name": "open" },
                "resource": { "type": "File", "id": "$params.arguments.path" },
            } } } },
        }),
    );
    deployment.write(
        "policies/files.cedarschema",
        "entity File { owner?: User };\naction open appliesTo { principal: [User], resource: [File] };\n",
    );
    deployment.write(
        "policies/files.cedar",
        "permit (principal, action in [Mcp::Action::\"files/read_text_file\"], resource);\n\
         permit (principal, action == Action::\"open\", resource is File)\n\
         when { resource has owner && resource.owner == principal };\n",
    );
    let owned = |user: &str| {
        format!(
            "- {{ type: File, id: \"{files}/{user}/letter.txt\", attributes: \
             {{ owner: {{ __entity: {{ type: User, id: {user} }} }} }} }}\n"
        )
    };
    deployment.write("directory.yaml", &format!("{}{}", owned("rita"), owned("ron")));
    let gateway = Gateway::start(KENWARD, deployment).await;
    for (user, other) in [("rita", "ron"), ("ron", "rita")] {
        let mcp = gateway.connect(&issuer, user, "files", Era::Legacy).await;
        assert_eq!(mcp.tools().await, ["read_text_file"]);
        let read = async |path: String| mcp.call("read_text_file", json!({ "path": path })).await;
        let own = read(format!("{files}/{user}/letter.txt")).await;
        assert!(own.text().contains(&format!("dear {user}")), "{}", own.http.text());
        for path in [
            format!("{files}/{other}/letter.txt"),
            format!("{files}/{user}/../{other}/letter.txt"),
            format!("{files}/{user}/letter.txt/../../{other}/letter.txt"),
            format!("{files}//{other}/letter.txt"),
        ] {
            let reply = read(path.clone()).await;
            assert!(reply.is_refused(), "{path}: {}", reply.http.text());
        }
    }
    let running = proc::with_argument(&files);
    assert!(!running.is_empty());
    let ended = gateway.stop().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(running.iter().all(|pid| !proc::lives(*pid)), "{running:?} are orphans");
}
