//! 2025-11-25 and earlier: a handshake, a session, and streams on which the server may ask.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinHandle;

use super::call::{Ask, Call, Failure, Outcome, Said, Talk, tool_error};
use super::http::{Answer, empty, events, failed, header, json as as_json};
use super::sessions::Session;
use super::sse::Stream;
use super::{LEGACY, Server, headers, identity, methods};
use crate::Era;

/// How often one request may ask the client.
const ROUNDS: usize = 8;

pub(super) async fn post(server: &Arc<Server>, headers: &HeaderMap, message: &Value) -> Answer {
    let id = message.get("id").cloned().unwrap_or_default();
    if message["method"] == "initialize" {
        return initialize(server, &id, &message["params"]);
    }
    let session = match enter(server, headers) {
        Ok(session) => session,
        Err(failure) => return as_json(failure.status, &failure.response(&id)),
    };
    let Some(method) = message["method"].as_str() else {
        // An answer that comes too late is no fault of the client.
        let _late = session.answered(message.clone());
        return empty(StatusCode::ACCEPTED);
    };
    if message.get("id").is_none() {
        if method == "notifications/cancelled" {
            session.cancel(&message["params"]["requestId"]);
        }
        return empty(StatusCode::ACCEPTED);
    }
    if !(id.is_string() || id.is_i64()) {
        return failed(&Failure::new(-32600, "the id is no string or integer"), &Value::Null);
    }
    request(server, session, id, method, &message["params"]).await
}

/// A session for a client, in the revision that it asks for or in the newest one.
fn initialize(server: &Server, id: &Value, params: &Value) -> Answer {
    let asked = params["protocolVersion"].as_str().unwrap_or_default();
    let version = LEGACY.into_iter().find(|known| *known == asked).unwrap_or(LEGACY[0]);
    let session = server.sessions.begin(version, params["capabilities"].clone());
    let result = json!({
        "protocolVersion": version,
        "capabilities": methods::capabilities(Era::Legacy),
        "serverInfo": identity(),
        "instructions": methods::INSTRUCTIONS,
    });
    let response = json!({ "jsonrpc": "2.0", "id": id, "result": result });
    let mut answer = as_json(StatusCode::OK, &response);
    let session = HeaderValue::from_str(&session.id).expect("hexadecimal digits");
    answer.headers_mut().insert("mcp-session-id", session);
    answer
}

/// The session that a request belongs to.
fn enter(server: &Server, headers: &HeaderMap) -> Result<Arc<Session>, Failure> {
    let refuse = |status, message: &str| Failure::new(-32000, message).with_status(status);
    let version = headers::version(headers);
    if version.is_some_and(|version| !LEGACY.contains(&version)) {
        return Err(refuse(
            StatusCode::BAD_REQUEST,
            "this revision of the protocol is not spoken here",
        ));
    }
    let id = header(headers, "mcp-session-id")
        .ok_or_else(|| refuse(StatusCode::BAD_REQUEST, "the header `mcp-session-id` is missing"))?;
    server
        .sessions
        .find(id)
        .ok_or_else(|| refuse(StatusCode::NOT_FOUND, "there is no such session"))
}

/// GET: the stream on which the server speaks by itself, or the rest of one that was lost.
pub(super) fn listen(server: &Server, headers: &HeaderMap) -> Answer {
    let session = match enter(server, headers) {
        Ok(session) => session,
        Err(failure) => return empty(failure.status),
    };
    let Some(last) = header(headers, "last-event-id") else {
        return events(session.standing.open());
    };
    let numbers = last.split_once('-').and_then(|(stream, event)| {
        Some((stream.parse::<u64>().ok()?, event.parse::<u64>().ok()?))
    });
    let found = numbers.and_then(|(stream, event)| Some((session.find_stream(stream)?, event)));
    match found {
        Some((stream, event)) => events(stream.resume(event)),
        None => empty(StatusCode::BAD_REQUEST),
    }
}

/// DELETE: the end of a session.
pub(super) fn end(server: &Server, headers: &HeaderMap) -> Answer {
    match enter(server, headers) {
        Ok(session) if server.sessions.end(&session.id) => empty(StatusCode::OK),
        Ok(_) => empty(StatusCode::NOT_FOUND),
        Err(failure) => empty(failure.status),
    }
}

/// Answers with JSON, or with a stream as soon as something has to be said before the result.
///
/// The work goes on when the client goes away: in these revisions that does not cancel it.
async fn request(
    server: &Arc<Server>,
    session: Arc<Session>,
    id: Value,
    method: &str,
    params: &Value,
) -> Answer {
    let (talk, mut said) = mpsc::unbounded_channel();
    let call = call(&session, method, params, talk);
    let mut work = {
        let (server, session, id) = (Arc::clone(server), Arc::clone(&session), id.clone());
        tokio::spawn(async move {
            let response = answer(&server, &session, &id, call).await;
            session.ran(&id);
            response
        })
    };
    session.runs(&id, work.abort_handle());
    tokio::select! {
        biased;
        Some(first) = said.recv() => {
            let stream = session.stream();
            let body = stream.open();
            say(&stream, first);
            tokio::spawn(follow(stream, said, work));
            events(body)
        }
        done = &mut work => match done {
            Ok(response) => as_json(StatusCode::OK, &response),
            // It was cancelled, so that nobody waits for an answer.
            Err(_) => empty(StatusCode::ACCEPTED),
        },
    }
}

/// Puts what is said, and then the response, on the stream.
async fn follow(
    stream: Arc<Stream>,
    mut said: UnboundedReceiver<Said>,
    mut work: JoinHandle<Value>,
) {
    loop {
        tokio::select! {
            biased;
            Some(next) = said.recv() => say(&stream, next),
            done = &mut work => {
                while let Ok(next) = said.try_recv() {
                    say(&stream, next);
                }
                if let Ok(response) = done {
                    stream.say(&response);
                }
                return stream.finish();
            }
        }
    }
}

fn say(stream: &Stream, said: Said) {
    match said {
        Said::Message(message) => stream.say(&message),
        Said::Disconnect => stream.disconnect(),
    }
}

fn call(session: &Session, method: &str, params: &Value, talk: Talk) -> Call {
    Call {
        method: method.to_owned(),
        params: params.clone(),
        era: Era::Legacy,
        capabilities: session.capabilities.clone(),
        level: Some(session.level()),
        answers: Map::new(),
        remembered: None,
        talk,
    }
}

async fn answer(server: &Arc<Server>, session: &Session, id: &Value, call: Call) -> Value {
    let outcome = match within(session, &call) {
        Some(outcome) => outcome,
        None => ask_until_done(server, session, call).await,
    };
    match outcome {
        Outcome::Done(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Outcome::Fail(failure) => failure.response(id),
        Outcome::Ask(_) => Failure::new(-32603, "asked too often").response(id),
    }
}

/// The methods that are about the session itself.
fn within(session: &Session, call: &Call) -> Option<Outcome> {
    let on = match call.method.as_str() {
        "ping" => return Some(Outcome::Done(json!({}))),
        "logging/setLevel" => {
            session.set_level(call.params["level"].as_str().unwrap_or("info"));
            return Some(Outcome::Done(json!({})));
        }
        "resources/subscribe" => true,
        "resources/unsubscribe" => false,
        _ => return None,
    };
    let Some(uri) = call.params["uri"].as_str() else {
        return Some(Outcome::Fail(Failure::invalid("`uri` is missing")));
    };
    session.subscribe(uri, on);
    Some(Outcome::Done(json!({})))
}

/// Asks the client whatever the call wants to know, and calls again with the answers.
async fn ask_until_done(server: &Arc<Server>, session: &Session, mut call: Call) -> Outcome {
    for _round in 0..ROUNDS {
        let ask = match methods::answer(server, call.clone()).await {
            Outcome::Ask(ask) => ask,
            outcome @ (Outcome::Done(_) | Outcome::Fail(_)) => return outcome,
        };
        // This one tool asks whatever the client declared, as careless servers do.
        let careless = call.method == "tools/call" && call.name() == "test_missing_capability";
        if let Some(capability) = ask.lacks(&call).filter(|_| !careless) {
            let message = format!("the client does not offer {capability}, which this needs");
            return match call.method.as_str() {
                "tools/call" => tool_error(message),
                _ => Outcome::Fail(Failure::new(-32603, message)),
            };
        }
        if let Err(message) = put(session, &ask, &mut call).await {
            return tool_error(message);
        }
        call.remembered = ask.remembers;
    }
    Outcome::Fail(Failure::new(-32603, "asked too often"))
}

/// Puts all questions at once and waits for all answers.
async fn put(session: &Session, ask: &Ask, call: &mut Call) -> Result<(), String> {
    let mut waiting = Vec::new();
    for question in &ask.questions {
        let (id, answer) = session.ask(question.key);
        let request = json!({
            "jsonrpc": "2.0", "id": id, "method": question.method, "params": question.params,
        });
        let _gone = call.talk.send(Said::Message(request));
        waiting.push((question, answer));
    }
    for (question, answer) in waiting {
        let response = answer.await.map_err(|_| "the session ended".to_owned())?;
        let Some(result) = response.get("result").filter(|result| question.is_answered_by(result))
        else {
            return Err(format!("the client did not answer: {}", response["error"]["message"]));
        };
        call.answers.insert(question.key.to_owned(), result.clone());
    }
    Ok(())
}
