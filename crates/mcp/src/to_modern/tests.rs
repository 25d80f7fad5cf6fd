//! What differs between the eras is written anew; every other byte is the server's or the client's.

use serde_json::{Value, json};

use super::*;
use crate::{Limits, Message};

fn dress(cacheable: bool) -> Dress<'static> {
    Dress { id: b"\"mine\"", cacheable, server: Some(r#"{"name":"s"}"#) }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn parsed(bytes: &[u8]) -> Value {
    tree::read(bytes, 64).unwrap()
}

#[test]
fn a_request_loses_what_the_modern_era_alone_knows() {
    let message = r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"t","task":{"ttl":1},"arguments":{"n": 1.00,"_meta":{"io.modelcontextprotocol/x":1}},"requestState":"s","inputResponses":{},"_meta":{"progressToken":"p","com.example/x":[1, 2],"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/logLevel":"debug"}}}"#;
    let said = request(message.as_bytes(), "7", "8").unwrap();
    assert_eq!(
        text(&said),
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"t","arguments":{"n": 1.00,"_meta":{"io.modelcontextprotocol/x":1}},"_meta":{"progressToken":8,"com.example/x":[1, 2]}}}"#
    );
}

#[test]
fn metadata_that_is_empty_afterwards_is_left_out() {
    let message = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
    let said = request(message.as_bytes(), "2", "2").unwrap();
    assert_eq!(text(&said), r#"{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{}}"#);
}

#[test]
fn a_result_gets_what_its_era_demands_and_keeps_the_rest() {
    let answer = r#"{"jsonrpc":"2.0","result":{ "content" : [{"n":1e2}],"x":{"y" :0.10} },"id":9}"#;
    let said = text(&response(answer.as_bytes(), dress(false)).unwrap());
    assert!(said.contains(r#" "content" : [{"n":1e2}],"x":{"y" :0.10} },"id":"mine"}"#), "{said}");
    let said = parsed(said.as_bytes());
    assert_eq!(said["result"]["resultType"], "complete");
    assert_eq!(said["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "s");
    assert!(said["result"].get("ttlMs").is_none());
    let said = parsed(&response(answer.as_bytes(), dress(true)).unwrap());
    assert_eq!(said["result"]["ttlMs"], 0);
    assert_eq!(said["result"]["cacheScope"], "private");
}

#[test]
fn an_empty_result_stays_json() {
    let answer = br#"{"jsonrpc":"2.0","id":9,"result":{}}"#;
    for cacheable in [false, true] {
        assert_eq!(parsed(&response(answer, dress(cacheable)).unwrap())["id"], "mine");
        let bare = Dress { server: None, ..dress(cacheable) };
        assert_eq!(parsed(&response(answer, bare).unwrap())["result"]["resultType"], "complete");
    }
}

#[test]
fn a_legacy_server_cannot_speak_for_the_modern_era() {
    let answer = br#"{"jsonrpc":"2.0","id":9,"result":{"resultType":"input_required","requestState":"x","ttlMs":99999,"cacheScope":"public","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"liar"},"a":1}}}"#;
    let said = parsed(&response(answer, dress(true)).unwrap());
    let result = &said["result"];
    assert_eq!(result["resultType"], "complete");
    assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(0), &json!("private")));
    assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "s");
    assert_eq!(result["_meta"]["a"], 1);
    for twice in [
        r#"{"jsonrpc":"2.0","id":9,"result":{"resultType":"complete","result\u0054ype":"task"}}"#,
        r#"{"jsonrpc":"2.0","id":9,"result":{"_meta":{},"_meta":{}}}"#,
        r#"{"jsonrpc":"2.0","id":9,"result":{"_meta":3}}"#,
    ] {
        assert!(response(twice.as_bytes(), dress(false)).is_err(), "{twice}");
    }
}

#[test]
fn an_unknown_resource_has_the_code_of_the_era_and_keeps_its_uri() {
    let answer = br#"{"jsonrpc":"2.0","id":9,"error":{"code":-32002,"message":"no","data":{"uri":"doc://x"}}}"#;
    let said = parsed(&response(answer, dress(false)).unwrap());
    assert_eq!(said["error"]["code"], -32602);
    assert_eq!(said["error"]["data"]["uri"], "doc://x");
    assert_eq!(said["id"], "mine");
    let other = br#"{"jsonrpc":"2.0","id":9,"error":{"code":-32000,"message":"no"}}"#;
    assert_eq!(parsed(&response(other, dress(false)).unwrap())["error"]["code"], -32000);
}

#[test]
fn progress_has_the_clients_token_again() {
    let said = br#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":7,"progress":0.5}}"#;
    let said = parsed(&progress(said, b"\"p\"").unwrap());
    assert_eq!(said["params"], json!({ "progressToken": "p", "progress": 0.5 }));
    assert!(progress(br#"{"jsonrpc":"2.0","method":"x","params":{}}"#, b"1").is_err());
}

#[test]
fn tools_that_are_tasks_alone_are_left_out() {
    let page = Bytes::from_static(br#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"},{"name":"b","execution":{"taskSupport":"required"}},{"name":"c","execution":{"taskSupport":"optional"}}]}}"#);
    let said = parsed(&without_tasks(&page).unwrap());
    let names: Vec<_> = said["result"]["tools"].as_array().unwrap().iter().collect();
    assert_eq!((names.len(), &names[0]["name"], &names[1]["name"]), (2, &json!("a"), &json!("c")));
}

#[test]
fn a_question_is_said_without_what_the_legacy_era_alone_knows() {
    let asked = br#"{"jsonrpc":"2.0","id":"s1","method":"elicitation/create","params":{"message":"Which?","requestedSchema":{"type" : "object"},"_meta":{"x":1},"task":{},"elicitationId":"e"}}"#;
    let asked = question(asked, 64).unwrap();
    assert_eq!(asked.id, b"\"s1\"");
    assert_eq!(
        asked.json,
        r#"{"method":"elicitation/create","params":{"message":"Which?","requestedSchema":{"type" : "object"}}}"#
    );
    assert_eq!(asked.url, None);
    let page = br#"{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"mode":"url","url":"https://a.example/"}}"#;
    assert_eq!(question(page, 64).unwrap().url.as_deref(), Some("https://a.example/"));
    let twice = br#"{"jsonrpc":"2.0","id":1,"method":"roots/list","params":{"a":1,"a":2}}"#;
    assert!(question(twice, 64).is_err());
}

#[test]
fn pages_to_visit_are_found_in_their_error_alone() {
    let error = |code: i64, data: Value| {
        json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": code, "message": "m", "data": data } })
            .to_string()
    };
    let page = json!({ "elicitations": [{ "mode": "url", "elicitationId": "e", "message": "Sign in", "url": "https://a.example/" }] });
    let found = visits(error(-32042, page.clone()).as_bytes(), 64).unwrap();
    assert_eq!(found[0].url, "https://a.example/");
    assert_eq!(found[0].json()["params"].get("elicitationId"), None);
    for none in [
        error(-32602, page),
        error(-32042, json!({})),
        error(-32042, json!({ "elicitations": [] })),
        error(-32042, json!({ "elicitations": [{ "url": 3 }] })),
    ] {
        assert_eq!(visits(none.as_bytes(), 64), None, "{none}");
    }
}

#[test]
fn the_answer_to_a_question_is_taken_byte_for_byte() {
    let retry = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"t","inputResponses":{"a":{"action":"accept","content":{"n": 1.0}},"b":7}}}"#;
    let retry = Message::parse(Bytes::from(retry), &Limits::default()).unwrap();
    let answer = input_response(&retry, "a");
    assert_eq!(answer, Some(r#"{"action":"accept","content":{"n": 1.0}}"#));
    assert_eq!(input_response(&retry, "b"), None);
    assert_eq!(input_response(&retry, "c"), None);
}

#[test]
fn statuses_follow_the_code() {
    let error = |code: i64| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":{code},"message":"m"}}}}"#)
    };
    assert_eq!(status(error(-32601).as_bytes()), 404);
    assert_eq!(status(error(-32021).as_bytes()), 400);
    assert_eq!(status(error(-32602).as_bytes()), 200);
    let result = br#"{"jsonrpc":"2.0","id":1,"result":{"x":"\"error\"","error":{"code":-32601}}}"#;
    assert_eq!(status(result), 200);
}

#[test]
fn levels_are_ordered() {
    assert!(severity("debug") < severity("warning") && severity("error") < severity("emergency"));
    assert_eq!(severity("loud"), None);
}
