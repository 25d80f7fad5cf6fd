//! What the scriptable server says by itself: handshake, lists and ordinary answers, in both eras.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Answer, Received, Shared};

const MODERN: &str = "2026-07-28";

/// One message as an event of a stream.
pub(super) fn event(message: &Value) -> Bytes {
    Bytes::from(format!("event: message\ndata: {message}\n\n"))
}

/// What to do with a request: what a test said, or what any server would do.
pub(super) fn answer(shared: &Shared, received: &Received) -> Answer {
    let method = received.method();
    let named = format!("{method} {}", received.params()["name"].as_str().unwrap_or_default());
    let script = {
        let scripts = shared.scripts.lock().expect("scripts");
        scripts.get(&named).or_else(|| scripts.get(&method)).cloned()
    };
    match script {
        Some(script) => script(received),
        None => usual(shared, received, &method),
    }
}

fn usual(shared: &Shared, received: &Received, method: &str) -> Answer {
    let params = received.params();
    match method {
        "initialize" => Answer::Result(handshake(&params)),
        "server/discover" if shared.modern.load(Ordering::SeqCst) => Answer::Result(json!({
            "supportedVersions": versions(shared), "capabilities": capabilities(),
            "ttlMs": 60_000, "cacheScope": "public",
        })),
        "ping" | "logging/setLevel" => Answer::Result(json!({})),
        "tools/list" => list(shared, "tools"),
        "prompts/list" => list(shared, "prompts"),
        "resources/list" => list(shared, "resources"),
        "resources/templates/list" => list(shared, "resourceTemplates"),
        "resources/subscribe" | "resources/unsubscribe" => subscribe(shared, method, &params),
        "completion/complete" => {
            Answer::Result(json!({ "completion": { "values": ["one", "two"] } }))
        }
        "tools/call" | "prompts/get" | "resources/read" => called(shared, method, &params),
        _ => Answer::Error(-32601, "Method not found".to_owned()),
    }
}

fn versions(shared: &Shared) -> Value {
    if shared.legacy.load(Ordering::SeqCst) {
        return json!([MODERN, "2025-11-25", "2025-06-18", "2025-03-26"]);
    }
    json!([MODERN])
}

fn called(shared: &Shared, method: &str, params: &Value) -> Answer {
    let name = params["name"].as_str().unwrap_or_default();
    let uri = params["uri"].as_str().unwrap_or_default();
    match method {
        "tools/call" if !has(shared, "tools", "name", name) => {
            Answer::Error(-32602, format!("upstream does not know tool {name}"))
        }
        "tools/call" => Answer::text(&format!("{name} did {}", params["arguments"])),
        "prompts/get" if !has(shared, "prompts", "name", name) => {
            Answer::Error(-32602, format!("upstream does not know prompt {name}"))
        }
        "prompts/get" => {
            let text = format!("the prompt {name}");
            let message = json!({ "role": "user", "content": { "type": "text", "text": text } });
            Answer::Result(json!({ "messages": [message] }))
        }
        _ => Answer::Result(json!({
            "contents": [{ "uri": uri, "mimeType": "text/plain", "text": format!("the text of {uri}") }],
        })),
    }
}

fn has(shared: &Shared, list: &str, key: &str, name: &str) -> bool {
    let lists = shared.lists.lock().expect("lists");
    lists.get(list).is_some_and(|items| items.iter().any(|item| item[key] == name))
}

fn list(shared: &Shared, list: &'static str) -> Answer {
    let items = shared.lists.lock().expect("lists").get(list).cloned().unwrap_or_default();
    Answer::Result(json!({ list: items, "ttlMs": 3_600_000, "cacheScope": "public" }))
}

fn subscribe(shared: &Shared, method: &str, params: &Value) -> Answer {
    let uri = params["uri"].as_str().unwrap_or_default().to_owned();
    let mut subscribed = shared.subscribed.lock().expect("subscribed");
    subscribed.retain(|known| *known != uri);
    if method == "resources/subscribe" {
        subscribed.push(uri);
    }
    Answer::Result(json!({}))
}

fn handshake(params: &Value) -> Value {
    json!({
        "protocolVersion": params["protocolVersion"],
        "capabilities": capabilities(),
        "serverInfo": { "name": "scripted", "version": "1" },
        "instructions": "Use the tools.",
    })
}

fn capabilities() -> Value {
    json!({
        "tools": { "listChanged": true },
        "prompts": { "listChanged": true },
        "resources": { "listChanged": true, "subscribe": true },
        "completions": {}, "logging": {},
    })
}

/// The result as the era of the request wants it.
pub(super) fn dress(mut result: Value, received: &Received) -> Value {
    let Some(members) = result.as_object_mut() else { return result };
    if received.is_modern() {
        members.entry("resultType").or_insert(json!("complete"));
        if received.method() == "resources/read" {
            members.entry("ttlMs").or_insert(json!(3_600_000));
            members.entry("cacheScope").or_insert(json!("public"));
        }
    } else {
        for modern in ["resultType", "ttlMs", "cacheScope"] {
            members.remove(modern);
        }
    }
    result
}
