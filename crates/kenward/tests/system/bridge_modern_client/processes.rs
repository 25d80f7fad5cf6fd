//! The same before a server that is a process.

use kenward_testkit::{Deployment, Era, Gateway, Issuer, Mcp};
use serde_json::{Value, json};

use crate::KENWARD;

async fn start() -> (Issuer, Gateway) {
    let issuer = Issuer::start().await;
    let mut deployment = Deployment::empty(issuer.url());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/system/stdio_legacy_server.py");
    let tools = json!({ "whoami": {}, "hidden": {} });
    let server = json!({ "command": [crate::stdio::python(), script], "tools": tools });
    deployment.add_server("process", server);
    deployment.write(
        "policies/all.cedar",
        "permit (principal, action in Mcp::Action::\"tools/call\", resource in Mcp::Server::\"process\")\n\
         unless { resource == Mcp::Tool::\"process/hidden\" };\n\
         permit (principal, action == Mcp::Action::\"elicitation/create\", resource == Mcp::Server::\"process\");\n",
    );
    let gateway = Gateway::start(KENWARD, deployment).await;
    (issuer, gateway)
}

async fn who(mcp: &Mcp) -> Value {
    let reply = mcp.call("whoami", json!({})).await;
    serde_json::from_str(&reply.text()).unwrap_or_else(|_| panic!("{}", reply.http.text()))
}

#[tokio::test]
async fn each_party_has_a_process_that_is_initialized_once() {
    let (issuer, gateway) = start().await;
    let rita = gateway.connect(&issuer, "rita", "process", Era::Modern).await;
    let ron = gateway.connect(&issuer, "ron", "process", Era::Modern).await;
    let discovered = rita.request("server/discover", json!({})).await;
    assert_eq!(discovered.result()["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(rita.tools().await, ["whoami", "ask", "steps"]);
    let (first, second) = (who(&rita).await, who(&ron).await);
    assert_ne!(first["pid"], second["pid"]);
    assert_eq!(who(&rita).await["pid"], first["pid"]);
    assert_eq!(first["handshakes"], 1);
    assert_eq!(first["meta"], json!(["dev.kenward/txn-token"]), "the grant, and nothing modern");
    let hidden = rita.call("hidden", json!({})).await;
    assert_eq!(hidden.error_code(), Some(-32602), "{}", hidden.http.text());
    let unknown = rita.request("prompts/list", json!({})).await;
    assert_eq!(
        (unknown.status(), unknown.error_code()),
        (404, Some(-32601)),
        "{}",
        unknown.http.text()
    );
}

#[tokio::test]
async fn progress_and_questions_cross_the_bridge() {
    let (issuer, gateway) = start().await;
    let rita = gateway.connect(&issuer, "rita", "process", Era::Modern).await;
    let steps = json!({ "name": "steps", "arguments": {}, "_meta": { "progressToken": "mine" } });
    let reply = rita.request("tools/call", steps).await;
    assert_eq!(reply.text(), "stepped", "{}", reply.http.text());
    let tokens: Vec<&Value> =
        reply.before.iter().map(|message| &message["params"]["progressToken"]).collect();
    assert_eq!(tokens, ["mine", "mine"], "{}", reply.http.text());
    let mut ask = rita.message("tools/call", json!({ "name": "ask", "arguments": {} }));
    ask["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
        json!({ "elicitation": {} });
    let asked = rita.send(&ask).await;
    assert_eq!(asked.result()["resultType"], "input_required", "{}", asked.http.text());
    ask["id"] = json!("again");
    ask["params"]["requestState"] = asked.result()["requestState"].clone();
    ask["params"]["inputResponses"] = json!({ "input": { "action": "decline" } });
    let done = rita.send(&ask).await;
    assert!(done.text().contains("decline"), "{}", done.http.text());
    assert_eq!(done.message["id"], "again");
}

#[tokio::test]
async fn nothing_is_left_when_the_gateway_stops() {
    let (issuer, gateway) = start().await;
    let rita = gateway.connect(&issuer, "rita", "process", Era::Modern).await;
    let pid = who(&rita).await["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
    let pid = pid.expect("a pid");
    assert!(kenward_testkit::proc::lives(pid));
    assert_eq!(gateway.stop().await.code, Some(0));
    assert!(!kenward_testkit::proc::lives(pid));
}
