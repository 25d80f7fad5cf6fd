use bytes::Bytes;
use serde_json::{Value, json};

use super::{Answer, Dress, answer, handshake, notification, request};
use crate::{Limits, Message};

const DRESS: Dress<'_> = Dress {
    id: "\"own-1\"",
    capabilities: "{\"elicitation\":{}}",
    client_info: Some("{\"name\":\"c\",\"version\":\"1\"}"),
    log_level: None,
    progress_token: Some("\"own-token\""),
    input_responses: None,
    request_state: None,
};

fn message(text: &str) -> Message {
    Message::parse(Bytes::from(text.to_owned()), &Limits::default()).unwrap()
}

fn value(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn last(response: &str, method: &str) -> Value {
    let answer = answer(&Bytes::from(response.to_owned()), b"7", method, 32).unwrap();
    match answer {
        Answer::Final(bytes) => value(&bytes),
        Answer::Input(input) => panic!("{input:?}"),
    }
}

#[test]
fn a_request_carries_its_arguments_byte_for_byte_and_the_metadata_of_the_server_s_era() {
    let own = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"t","arguments":{ "n" : 1.50e1,"u":"\u00e9" },"_meta":{"progressToken":3,"x":[ 1 ]}}}"#;
    let bytes = request(&message(own), &DRESS);
    let text = std::str::from_utf8(&bytes).unwrap();
    assert!(text.contains(r#""arguments":{ "n" : 1.50e1,"u":"\u00e9" }"#), "{text}");
    let said = value(&bytes);
    assert_eq!(said["id"], "own-1");
    let meta = &said["params"]["_meta"];
    assert_eq!(meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
    assert_eq!(meta["io.modelcontextprotocol/clientCapabilities"], json!({ "elicitation": {} }));
    assert_eq!(meta["progressToken"], "own-token");
    assert_eq!(meta["x"], json!([1]));
    assert!(Message::parse(bytes, &Limits::default()).is_ok());
}

#[test]
fn what_a_client_says_for_the_gateway_is_not_taken_from_it() {
    let own = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"t","requestState":"forged","inputResponses":{"q":{}},"task":{"ttl":1},"_meta":{"io.modelcontextprotocol/clientCapabilities":{"sampling":{}},"io.modelcontextprotocol/logLevel":"debug"}}}"#;
    let said = value(&request(&message(own), &DRESS));
    for member in ["requestState", "inputResponses", "task"] {
        assert!(said["params"].get(member).is_none(), "{said}");
    }
    let meta = &said["params"]["_meta"];
    assert_eq!(meta["io.modelcontextprotocol/clientCapabilities"], json!({ "elicitation": {} }));
    assert!(meta.get("io.modelcontextprotocol/logLevel").is_none(), "{said}");
    assert!(meta.get("progressToken").is_none(), "{said}");
    let round = Dress { request_state: Some("\"s\""), input_responses: Some("{\"q\":1}"), ..DRESS };
    let said = value(&request(&message(own), &round));
    assert_eq!(said["params"]["requestState"], "s");
    assert_eq!(said["params"]["inputResponses"], json!({ "q": 1 }));
}

#[test]
fn a_request_without_parameters_gets_its_metadata_too() {
    let said = value(&request(
        &message(r#"{"jsonrpc":"2.0","id":7,"method":"tools/list"}"#),
        &Dress { log_level: Some("\"info\""), ..DRESS },
    ));
    assert_eq!(said["params"]["_meta"]["io.modelcontextprotocol/logLevel"], "info");
}

#[test]
fn results_lose_what_only_the_modern_era_has_and_keep_the_rest() {
    let response = r#"{"jsonrpc":"2.0","id":"own-1","result":{"resultType":"complete","contents":[ {"uri":"a:b", "text":"t"} ],"ttlMs":5,"cacheScope":"public","nextCursor":"n"}}"#;
    let told = last(response, "resources/read");
    let want = json!({ "jsonrpc": "2.0", "id": 7, "result": {
        "contents": [{ "uri": "a:b", "text": "t" }], "nextCursor": "n" } });
    assert_eq!(told, want);
}

#[test]
fn structure_that_is_no_object_becomes_text_where_there_is_none() {
    let told = last(
        r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"structuredContent":[1,2]}}"#,
        "tools/call",
    );
    assert_eq!(told["result"], json!({ "content": [{ "type": "text", "text": "[1,2]" }] }));
    let told = last(
        r#"{"jsonrpc":"2.0","id":1,"result":{"structuredContent":3,"content":[{"type":"text","text":"three"}]}}"#,
        "tools/call",
    );
    assert_eq!(told["result"], json!({ "content": [{ "type": "text", "text": "three" }] }));
    let told = last(
        r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"structuredContent":{"a":1}}}"#,
        "tools/call",
    );
    assert_eq!(told["result"]["structuredContent"], json!({ "a": 1 }));
}

#[test]
fn a_tool_that_promises_no_object_promises_nothing() {
    let response = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a","outputSchema":{"type":"array"}},{"name":"b", "outputSchema":{"type":"object"}}]}}"#;
    let told = last(response, "tools/list");
    let want = json!([{ "name": "a" }, { "name": "b", "outputSchema": { "type": "object" } }]);
    assert_eq!(told["result"]["tools"], want);
}

#[test]
fn errors_have_codes_that_the_client_knows() {
    let error = |code: i64, data: &Value| {
        json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": code, "message": "m", "data": data } })
            .to_string()
    };
    let uri = json!({ "uri": "a:b" });
    let told = last(&error(-32602, &uri), "resources/read");
    assert_eq!((&told["error"]["code"], &told["error"]["data"]), (&json!(-32002), &uri));
    assert_eq!(last(&error(-32602, &json!({})), "resources/read")["error"]["code"], -32602);
    assert_eq!(last(&error(-32602, &uri), "tools/call")["error"]["code"], -32602);
    assert_eq!(last(&error(-32021, &json!({})), "tools/call")["result"]["isError"], true);
    assert_eq!(last(&error(-32021, &json!({})), "prompts/get")["error"]["code"], -32603);
    for code in [-32020, -32022] {
        let told = last(&error(code, &json!({ "supported": [] })), "tools/call");
        assert_eq!(told["error"]["code"], -32603);
        assert!(told["error"].get("data").is_none(), "{told}");
    }
    assert_eq!(last(&error(-31000, &json!({ "k": 1 })), "tools/call")["error"]["data"]["k"], 1);
}

#[test]
fn a_round_is_read_and_what_is_none_is_refused() {
    let response = |result: &Value| {
        let response = json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string();
        answer(&Bytes::from(response), b"7", "tools/call", 32)
    };
    let good = json!({ "resultType": "input_required", "requestState": "s", "inputRequests": {
        "q": { "method": "elicitation/create", "params": { "message": "m", "mode": "url", "url": "https://a" } } } });
    let Ok(Answer::Input(input)) = response(&good) else { panic!("{good}") };
    assert_eq!(input.state.as_deref(), Some("\"s\""));
    let question = &input.requests[0];
    assert_eq!(question.page().as_deref(), Some("https://a"));
    let asked: Value = serde_json::from_str(&question.as_request("\"k\"", Some("e"))).unwrap();
    assert_eq!(asked["id"], "k");
    assert_eq!(asked["params"]["elicitationId"], "e");
    assert_eq!(asked["params"]["message"], "m");
    for bad in [
        json!({ "resultType": "input_required" }),
        json!({ "resultType": "input_required", "requestState": 3 }),
        json!({ "resultType": "input_required", "inputRequests": [] }),
        json!({ "resultType": "input_required", "inputRequests": { "q": { "params": {} } } }),
        json!({ "resultType": "task" }),
        json!({ "resultType": 1 }),
    ] {
        assert!(response(&bad).is_err(), "{bad}");
    }
    let twice = br#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","resultType":"input_required"}}"#;
    assert!(answer(&Bytes::from_static(twice), b"7", "tools/call", 32).is_err());
}

#[test]
fn notifications_lose_their_tag_and_progress_is_told_under_the_client_s_token() {
    let tagged = r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:b","_meta":{"io.modelcontextprotocol/subscriptionId":"own"}}}"#;
    let told = value(&notification(&Bytes::from(tagged), None).unwrap());
    assert_eq!(told["params"], json!({ "uri": "a:b" }));
    let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"own","progress":1}}"#;
    let bytes = Bytes::from(progress);
    let told = value(&notification(&bytes, Some(("\"own\"", "3"))).unwrap());
    assert_eq!(told["params"], json!({ "progressToken": 3, "progress": 1 }));
    assert!(notification(&bytes, Some(("\"other\"", "3"))).is_none());
    assert!(notification(&bytes, None).is_none());
    let ack =
        r#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{}}"#;
    assert!(notification(&Bytes::from(ack), None).is_none());
}

#[test]
fn a_handshake_is_made_of_what_the_server_says_of_itself() {
    let discovered = json!({ "jsonrpc": "2.0", "id": "own", "result": {
        "resultType": "complete", "supportedVersions": ["2026-07-28"], "ttlMs": 1,
        "capabilities": { "tools": {} }, "instructions": "Use.",
        "_meta": { "io.modelcontextprotocol/serverInfo": { "name": "s", "version": "2" } } } });
    let made = handshake(discovered.to_string().as_bytes(), b"1", "2025-06-18", "named", 32);
    let want = json!({ "jsonrpc": "2.0", "id": 1, "result": {
        "protocolVersion": "2025-06-18", "capabilities": { "tools": {} }, "instructions": "Use.",
        "serverInfo": { "name": "s", "version": "2" } } });
    assert_eq!(value(&made.unwrap().unwrap()), want);
    let bare = br#"{"jsonrpc":"2.0","id":"own","result":{}}"#;
    let made = value(&handshake(bare, b"1", "2025-11-25", "named", 32).unwrap().unwrap());
    assert_eq!(made["result"]["serverInfo"]["name"], "named");
    let error = br#"{"jsonrpc":"2.0","id":"own","error":{"code":1,"message":"m"}}"#;
    assert!(handshake(error, b"1", "2025-11-25", "named", 32).unwrap().is_none());
}
