//! The command that the suite runs: a client of the gateway, which stands before the suite's server.

use std::time::Duration;

use kenward_mcp::dialect::encode_header_value;
use kenward_testkit::{Deployment, Era, Gateway, Issuer, Mcp, Next, Reply};
use serde_json::{Map, Value, json};

use crate::KENWARD;

/// Everything that the server offers may be used, and it may ask for everything.
const POLICIES: &str = r#"
permit (principal, action in Mcp::Action::"tools/call", resource in Mcp::Server::"suite");
permit (principal, action == Mcp::Action::"prompts/get", resource in Mcp::Server::"suite");
permit (principal, action == Mcp::Action::"resources/read", resource in Mcp::Server::"suite");
permit (principal, action in [
    Mcp::Action::"elicitation/create",
    Mcp::Action::"sampling/createMessage",
    Mcp::Action::"roots/list"
], resource == Mcp::Server::"suite");
"#;

const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const CLIENT: &str = "io.modelcontextprotocol/clientInfo";

/// How long something may take that has to happen.
const SOON: Duration = Duration::from_secs(5);

/// What the suite runs; it adds the URL of its server.
pub(crate) fn command() -> String {
    let program = std::env::current_exe().expect("this program");
    let program = program.to_str().expect("a path");
    format!("{program} player::play --exact --ignored --nocapture")
}

#[tokio::test]
#[ignore = "the suite runs it"]
async fn play() {
    let url = std::env::args().next_back().expect("the URL of the suite's server");
    let variable = |name: &str| std::env::var(name).expect("a variable of the suite");
    let scenario = variable("MCP_CONFORMANCE_SCENARIO");
    let era = match variable("MCP_CONFORMANCE_PROTOCOL_VERSION").as_str() {
        "2026-07-28" => Era::Modern,
        _ => Era::Legacy,
    };
    let issuer = Issuer::start().await;
    let mut deployment = Deployment::empty(issuer.url());
    deployment.add_server("suite", json!({ "url": url }));
    deployment.write("policies/suite.cedar", POLICIES);
    deployment.write("directory.yaml", "- { type: User, id: player }\n");
    let gateway = Gateway::start(KENWARD, deployment).await;
    let token = gateway.token(&issuer, "player", "suite");
    let mut mcp = Mcp::new(&gateway.url(), "/mcp/suite", Some(&token), era);
    if era == Era::Legacy {
        mcp.handshake(&capabilities()).await;
    } else {
        ask(&mcp, "server/discover", json!({})).await;
    }
    let listed = ask(&mcp, "tools/list", json!({})).await;
    let tools = listed.message["result"]["tools"].as_array().cloned().unwrap_or_default();
    match scenario.as_str() {
        "initialize" | "request-metadata" | "json-schema-ref-no-deref" => {}
        "tools_call" => add(&mcp).await,
        "elicitation-sep1034-client-defaults" => elicited(&mcp).await,
        "sse-retry" => reconnect(&mcp).await,
        "json-schema-2020-12-preservation" => echo(&mcp, &tools).await,
        "http-standard-headers" => everything(&mcp, &tools).await,
        "http-custom-headers" => mirrored(&mcp, &tools).await,
        "http-invalid-tool-headers" => all(&mcp, &tools).await,
        "sep-2322-client-request-state" => rounds(&mcp).await,
        other => panic!("the scenario {other} is not known here"),
    }
    gateway.stop().await;
}

fn capabilities() -> Value {
    json!({ "elicitation": { "form": {} }, "sampling": {}, "roots": {} })
}

/// A request of a client that can do everything, and that tries again where its revision is refused.
async fn ask(mcp: &Mcp, method: &str, params: Value) -> Reply {
    let reply = send(mcp, method, &params, &[]).await;
    match reply.error_code() {
        Some(-32022) => send(mcp, method, &params, &[]).await,
        _ => reply,
    }
}

async fn send(mcp: &Mcp, method: &str, params: &Value, more: &[(String, String)]) -> Reply {
    let mut message = mcp.message(method, params.clone());
    if mcp.era() == Era::Modern {
        message["params"]["_meta"][CAPABILITIES] = capabilities();
        message["params"]["_meta"][CLIENT] = json!({ "name": "player", "version": "1" });
    }
    let headers = [mcp.headers(&message), more.to_vec()].concat();
    mcp.post(&headers, message.to_string()).await
}

async fn call(mcp: &Mcp, tool: &str, arguments: Value) -> Reply {
    ask(mcp, "tools/call", json!({ "name": tool, "arguments": arguments })).await
}

async fn add(mcp: &Mcp) {
    let reply = call(mcp, "add_numbers", json!({ "a": 5, "b": 3 })).await;
    assert!(reply.text().contains('8'), "{}", reply.http.text());
}

/// The server asks on the session's own stream, while the call waits.
async fn elicited(mcp: &Mcp) {
    let mut stream = mcp.listen(&[]).await;
    let calling = call(mcp, "test_client_elicitation_defaults", json!({}));
    let answering = async {
        let Next::Message(question) = stream.next(SOON).await else { return };
        let properties = question["params"]["requestedSchema"]["properties"].as_object();
        let defaults = properties
            .into_iter()
            .flatten()
            .filter_map(|(name, schema)| Some((name.clone(), schema.get("default")?.clone())));
        let content: Map<String, Value> = defaults.collect();
        let result = json!({ "action": "accept", "content": content });
        let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": result });
        let taken = mcp.send(&answer).await;
        assert_eq!(taken.status(), 202, "{}", taken.http.text());
    };
    let (reply, ()) = tokio::join!(calling, answering);
    assert!(reply.text().contains("John Doe"), "{}", reply.http.text());
}

/// The server closes the stream of the answer; whoever stands before it comes back for the rest.
async fn reconnect(mcp: &Mcp) {
    let params = json!({ "name": "test_reconnection", "arguments": {} });
    let mut stream = mcp.stream("tools/call", params).await;
    let (messages, _) = stream.rest(SOON).await;
    let done = messages.iter().any(|message| message.get("result").is_some());
    assert!(done, "no result: {messages:?}");
}

async fn echo(mcp: &Mcp, tools: &[Value]) {
    let rich = tools.iter().find(|tool| tool["name"] == "json_schema_2020_12_tool");
    let schema = rich.expect("the tool")["inputSchema"].clone();
    let reply = call(mcp, "json_schema_echo", json!({ "schema": schema })).await;
    assert_eq!(reply.text(), "echoed", "{}", reply.http.text());
}

async fn everything(mcp: &Mcp, tools: &[Value]) {
    all(mcp, tools).await;
    let resources = ask(mcp, "resources/list", json!({})).await;
    for uri in resources.names("resources", "uri") {
        ask(mcp, "resources/read", json!({ "uri": uri })).await;
    }
    let prompts = ask(mcp, "prompts/list", json!({})).await;
    for name in prompts.names("prompts", "name") {
        ask(mcp, "prompts/get", json!({ "name": name })).await;
    }
}

/// Calls every tool that is listed, as a client does that trusts the list.
async fn all(mcp: &Mcp, tools: &[Value]) {
    for tool in tools {
        call(mcp, tool["name"].as_str().expect("a name"), json!({})).await;
    }
}

/// The calls that the suite tells of, with the headers that the tools' definitions want.
async fn mirrored(mcp: &Mcp, tools: &[Value]) {
    let context = std::env::var("MCP_CONFORMANCE_CONTEXT").expect("the calls");
    let context: Value = serde_json::from_str(&context).expect("JSON");
    for planned in context["toolCalls"].as_array().expect("calls") {
        let tool = tools.iter().find(|tool| tool["name"] == planned["name"]).expect("the tool");
        let params = json!({ "name": planned["name"], "arguments": planned["arguments"] });
        let properties = tool["inputSchema"]["properties"].as_object().expect("properties");
        let headers: Vec<(String, String)> = properties
            .iter()
            .filter_map(|(name, schema)| {
                let suffix = schema.get("x-mcp-header")?.as_str()?;
                let value = &planned["arguments"][name];
                let value = match value.as_str() {
                    Some(text) => text.to_owned(),
                    None if value.is_null() => return None,
                    None => value.to_string(),
                };
                Some((
                    format!("mcp-param-{suffix}").to_ascii_lowercase(),
                    encode_header_value(&value),
                ))
            })
            .collect();
        let reply = send(mcp, "tools/call", &params, &headers).await;
        assert!(reply.is_done(), "{}", reply.http.text());
    }
}

/// Answers whatever is asked, and hands back each state as it came.
async fn rounds(mcp: &Mcp) {
    for tool in ["test_mrtr_echo_state", "test_mrtr_no_state"] {
        let first = call(mcp, tool, json!({})).await;
        let result = first.result();
        assert_eq!(result["resultType"], "input_required", "{tool}: {}", first.http.text());
        call(mcp, "test_mrtr_unrelated", json!({})).await;
        let asked = result["inputRequests"].as_object().expect("questions");
        let answer = json!({ "action": "accept", "content": { "confirmed": true } });
        let answers: Map<String, Value> =
            asked.keys().map(|key| (key.clone(), answer.clone())).collect();
        let mut params = json!({ "name": tool, "arguments": {}, "inputResponses": answers });
        if let Some(state) = result.get("requestState") {
            params["requestState"] = state.clone();
        }
        let second = ask(mcp, "tools/call", params).await;
        assert!(second.is_done(), "{tool}: {}", second.http.text());
    }
    call(mcp, "test_mrtr_no_result_type", json!({})).await;
}
