//! 2026-07-28: everything that a request needs is in the request.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::call::{Ask, Call, Failure, Outcome, Said};
use super::http::{Answer, empty, events, failed, json as as_json};
use super::{MODERN, Server, headers, identity, methods, sse, subscriptions};
use crate::Era;

/// Where a request says which revision it is of.
pub(super) const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const LEVEL: &str = "io.modelcontextprotocol/logLevel";
const SERVER: &str = "io.modelcontextprotocol/serverInfo";

/// How long a result may be kept, in milliseconds.
const TTL: u32 = 60_000;

pub(super) async fn post(server: &Arc<Server>, headers: &HeaderMap, message: &Value) -> Answer {
    let Some(method) = message["method"].as_str() else {
        let failure = Failure::new(-32600, "only requests and notifications are taken");
        return failed(&failure, &Value::Null);
    };
    let Some(id) = message.get("id") else { return empty(StatusCode::ACCEPTED) };
    if !(id.is_string() || id.is_i64()) {
        return failed(&Failure::new(-32600, "the id is no string or integer"), &Value::Null);
    }
    let params = &message["params"];
    let (talk, said) = mpsc::unbounded_channel();
    let read =
        accept(server, headers, method, params).and_then(|()| read(server, method, params, talk));
    match read {
        Err(failure) => failed(&failure, id),
        Ok(call) if method == "subscriptions/listen" => subscriptions::open(server, id, &call),
        Ok(call) => run(server, id.clone(), call, said).await,
    }
}

/// Whether this is a request of a revision that is spoken here, whose headers agree with it.
fn accept(
    server: &Server,
    headers: &HeaderMap,
    method: &str,
    params: &Value,
) -> Result<(), Failure> {
    let meta = &params["_meta"];
    let versions = server.eras.versions();
    if method == "initialize" && meta.get(VERSION).is_none() {
        return Err(unsupported(&versions, &params["protocolVersion"]));
    }
    let header = headers::version(headers)
        .ok_or_else(|| headers::mismatch("the header `mcp-protocol-version` is missing"))?;
    let bad = |what: &str| Failure::invalid(what).with_status(StatusCode::BAD_REQUEST);
    let version =
        meta[VERSION].as_str().ok_or_else(|| bad(&format!("`_meta` lacks `{VERSION}`")))?;
    if !meta[CAPABILITIES].is_object() {
        return Err(bad(&format!("`_meta` lacks `{CAPABILITIES}`")));
    }
    if header != version {
        return Err(headers::mismatch("the header `mcp-protocol-version` differs from `_meta`"));
    }
    if version != MODERN {
        return Err(unsupported(&versions, &json!(version)));
    }
    headers::check(headers, method, params)
}

fn unsupported(versions: &[&str], requested: &Value) -> Failure {
    let requested = requested.as_str().unwrap_or_default();
    Failure::new(-32022, "this revision of the protocol is not spoken here")
        .with_status(StatusCode::BAD_REQUEST)
        .with_data(json!({ "supported": versions, "requested": requested }))
}

fn read(
    server: &Server,
    method: &str,
    params: &Value,
    talk: UnboundedSender<Said>,
) -> Result<Call, Failure> {
    let answers = match params.get("inputResponses") {
        None => Map::new(),
        Some(Value::Object(answers)) => answers.clone(),
        Some(_) => return Err(Failure::invalid("`inputResponses` is no object")),
    };
    let subject = subject(method, params);
    let remembered = match params.get("requestState") {
        None => None,
        Some(sealed) => Some(
            sealed
                .as_str()
                .and_then(|sealed| server.seal.open(&subject, sealed))
                .ok_or_else(|| Failure::invalid("`requestState` is not what was given out here"))?,
        ),
    };
    let meta = &params["_meta"];
    Ok(Call {
        method: method.to_owned(),
        params: params.clone(),
        era: Era::Modern,
        capabilities: meta[CAPABILITIES].clone(),
        level: meta[LEVEL].as_str().map(str::to_owned),
        answers,
        remembered,
        talk,
    })
}

/// What a state is bound to: it is of no use in another call.
fn subject(method: &str, params: &Value) -> String {
    let named = params.get("name").or_else(|| params.get("uri")).and_then(Value::as_str);
    format!("{method} {}", named.unwrap_or_default())
}

/// Answers with JSON, or with a stream as soon as something has to be said before the result.
async fn run(
    server: &Arc<Server>,
    id: Value,
    call: Call,
    mut said: UnboundedReceiver<Said>,
) -> Answer {
    let working = Arc::clone(server);
    let request = id.clone();
    let mut work = Box::pin(async move { answer(&working, &request, call).await });
    tokio::select! {
        biased;
        Some(first) = said.recv() => {
            let (chunks, body) = mpsc::unbounded_channel();
            say(&chunks, first);
            tokio::spawn(async move {
                // A client that goes away has cancelled: the work is dropped with its stream.
                tokio::select! {
                    () = chunks.closed() => {}
                    () = stream(work, said, &chunks) => {}
                }
            });
            events(body)
        }
        (status, message) = &mut work => as_json(status, &message),
    }
}

async fn stream(
    mut work: impl Future<Output = (StatusCode, Value)> + Unpin,
    mut said: UnboundedReceiver<Said>,
    chunks: &UnboundedSender<Bytes>,
) {
    loop {
        tokio::select! {
            biased;
            Some(next) = said.recv() => say(chunks, next),
            (_, message) = &mut work => {
                while let Ok(next) = said.try_recv() {
                    say(chunks, next);
                }
                let _gone = chunks.send(sse::event(&message));
                return;
            }
        }
    }
}

fn say(chunks: &UnboundedSender<Bytes>, said: Said) {
    if let Said::Message(message) = said {
        let _gone = chunks.send(sse::event(&message));
    }
}

async fn answer(server: &Arc<Server>, id: &Value, call: Call) -> (StatusCode, Value) {
    let method = call.method.clone();
    let subject = subject(&method, &call.params);
    let outcome = match methods::answer(server, call.clone()).await {
        Outcome::Ask(ask) => asked(server, &subject, &call, ask),
        Outcome::Done(result) => Ok(result),
        Outcome::Fail(failure) => Err(failure),
    };
    match outcome {
        Ok(result) => {
            let result = dress(&method, result);
            (StatusCode::OK, json!({ "jsonrpc": "2.0", "id": id, "result": result }))
        }
        Err(failure) => (failure.status, failure.response(id)),
    }
}

/// The result that puts questions to the client, if it can be asked them.
fn asked(server: &Server, subject: &str, call: &Call, ask: Ask) -> Result<Value, Failure> {
    if let Some(capability) = ask.lacks(call) {
        return Err(Failure::lacking(&json!({ capability: {} })));
    }
    let mut result = json!({ "resultType": "input_required" });
    for question in ask.questions {
        let request = json!({ "method": question.method, "params": question.params });
        result["inputRequests"][question.key] = request;
    }
    if let Some(remembers) = ask.remembers {
        result["requestState"] = server.seal.close(subject, &remembers).into();
    }
    Ok(result)
}

/// Adds what every result of this revision carries.
fn dress(method: &str, mut result: Value) -> Value {
    let kept = matches!(
        method,
        "server/discover"
            | "tools/list"
            | "prompts/list"
            | "resources/list"
            | "resources/templates/list"
            | "resources/read"
            | "resources/directory/read"
            | "skills/list"
            | "skills/get"
    );
    result["_meta"][SERVER] = identity();
    if let Some(members) = result.as_object_mut() {
        members.entry("resultType").or_insert(json!("complete"));
        if kept && members["resultType"] == "complete" {
            members.entry("ttlMs").or_insert(json!(TTL));
            members.entry("cacheScope").or_insert(json!("public"));
        }
    }
    result
}
