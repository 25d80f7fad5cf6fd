use kenward_mcp::reply;
use kenward_model::{EntityUid, Question};
use kenward_policy::{Basis, Cause, Reason, Refusal};
use serde_json::Value;

use super::{refusal_body, refuse, withheld_body};
use crate::pipeline::Call;
use crate::stop::Stop;
use crate::tests::{LEGACY, MODERN, call, decision, in_force};

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"track","arguments":{"customer":"SECRET"}}}"#;
const PROMPT: &str =
    r#"{"jsonrpc":"2.0","id":"p","method":"prompts/get","params":{"name":"SECRET"}}"#;
const READ: &str =
    r#"{"jsonrpc":"2.0","id":2,"method":"resources/read","params":{"uri":"doc://SECRET"}}"#;
const PING: &str = r#"{"jsonrpc":"2.0","id":3,"method":"ping"}"#;

fn refusal(question: Question, cause: Cause) -> Refusal {
    let basis = Basis { objects: vec![EntityUid::new("Customer", "SECRET")], ..Basis::default() };
    let reason = Reason { policy: "no-SECRET".into(), text: Some("Because of SECRET.".into()) };
    Refusal {
        ask: None,
        effects: kenward_policy::Effects::default(),
        question,
        hidden: false,
        reasons: vec![reason],
        missing_scopes: Vec::new(),
        cause,
        basis,
    }
}

/// What a model reads.
fn text(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).expect("JSON");
    body["result"]["content"][0]["text"].as_str().expect("a text").to_owned()
}

fn causes() -> [Cause; 5] {
    let why = || "SECRET is why".to_owned();
    [
        Cause::Policy,
        Cause::Unresolved(why()),
        Cause::Mapping(why()),
        Cause::Arguments(why()),
        Cause::PolicyError(why()),
    ]
}

#[test]
fn refusals_about_an_object_are_one_text_apart_from_the_reference() {
    for version in [MODERN, LEGACY] {
        let mut asked = call("ann", version, CALL);
        let constant = text(&withheld_body(&asked)).replace(&asked.id.to_string(), "");
        for question in [Question::Object, Question::Fact, Question::Inference, Question::Result] {
            for cause in causes() {
                let refusal = refusal(question, cause);
                asked.id = decision(question.number());
                let body = refusal_body(&asked, &refusal);
                assert!(!String::from_utf8_lossy(&body).contains("SECRET"), "{body:?}");
                let said = text(&body);
                assert!(said.contains(&asked.id.to_string()));
                assert_eq!(said.replace(&asked.id.to_string(), ""), constant, "{question:?}");
            }
        }
    }
}

#[test]
fn the_decision_beside_a_refusal_names_question_and_reference_and_nothing_else() {
    for (text, kind) in [(CALL, "tool"), (PROMPT, "prompt"), (READ, "resource")] {
        let asked = call("ann", MODERN, text);
        let body: Value =
            serde_json::from_slice(&refusal_body(&asked, &refusal(Question::Fact, Cause::Policy)))
                .expect("JSON");
        let meta = match kind {
            "tool" => &body["result"]["_meta"],
            _ => &body["error"]["data"]["_meta"],
        };
        let decision = meta["dev.kenward/decision"].as_object().expect("a decision");
        let names: Vec<_> = decision.keys().map(String::as_str).collect();
        assert_eq!(names, ["id", "verdict", "question"], "{body}");
        assert_eq!(decision["id"], asked.id.to_string());
    }
}

#[test]
fn the_reason_of_an_operation_is_told_and_that_of_a_standing_is_not() {
    let asked = call("ann", MODERN, CALL);
    let told = text(&refusal_body(&asked, &refusal(Question::Operation, Cause::Policy)));
    assert!(told.contains("Because of SECRET."), "a rule's own words for people: {told}");
    let standing = text(&refusal_body(&asked, &refusal(Question::Operation, Cause::Standing)));
    assert!(!standing.contains("SECRET"), "{standing}");
    let nothing = Refusal { reasons: Vec::new(), ..refusal(Question::Operation, Cause::Policy) };
    assert!(text(&refusal_body(&asked, &nothing)).contains("Nothing permits it."));
}

/// The answer to a call whose target is hidden, whatever hides it.
fn hidden(asked: &Call, question: Question, cause: Cause) -> bytes::Bytes {
    let missing_scopes = vec!["SECRET:scope".into()];
    let refused = Refusal { hidden: true, missing_scopes, ..refusal(question, cause) };
    let Stop::Answer(body) = refuse(asked, &refused) else { panic!("a challenge tells of it") };
    assert_eq!(body, refusal_body(asked, &refused));
    body
}

/// The answer to a call whose target the server does not have.
fn unknown(asked: &Call, name: &str) -> bytes::Bytes {
    let (id, era) = (asked.request_id().expect("an id"), asked.dialect.era);
    match asked.row.name {
        "tools/call" => reply::unknown_tool(id, era, name),
        "prompts/get" => reply::unknown_prompt(id, era, name),
        _ => reply::unknown_resource(id, era, name),
    }
}

#[test]
fn what_is_hidden_is_answered_with_the_bytes_of_what_is_unknown() {
    let calls = [(CALL, "track"), (PROMPT, "SECRET"), (READ, "doc://SECRET")];
    let questions = [Question::Operation, Question::Object, Question::Fact, Question::Inference];
    for (version, (text, name)) in
        [MODERN, LEGACY].into_iter().flat_map(|version| calls.map(|call| (version, call)))
    {
        let mut asked = call("ann", version, text);
        for (question, cause) in
            questions.into_iter().flat_map(|question| causes().map(|cause| (question, cause)))
        {
            asked.id = decision(question.number());
            assert_eq!(hidden(&asked, question, cause), unknown(&asked, name), "{version} {text}");
        }
    }
}

#[test]
fn for_policies_as_they_are_a_hidden_tool_and_one_that_is_not_there_answer_alike() {
    let rules = in_force("");
    for version in [MODERN, LEGACY] {
        let answer = |tool: &str| {
            let asked = call("ann", version, &CALL.replace("track", tool));
            let (verdict, _entries) = asked.judge(&rules, asked.entry.time);
            match super::unless_allowed(&asked, verdict) {
                Err(Stop::Answer(body)) => String::from_utf8(body.to_vec()).expect("text"),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(answer("track"), answer("trick").replace("trick", "track"));
    }
}

#[test]
fn a_missing_scope_is_challenged_and_named() {
    let asked = call("ann", MODERN, CALL);
    let missing_scopes = vec!["deliveries:read".into(), "deliveries:write".into()];
    let refused = Refusal { missing_scopes, ..refusal(Question::Operation, Cause::Scope) };
    let Stop::Scope { challenge, body } = refuse(&asked, &refused) else { panic!("no challenge") };
    assert!(challenge.contains("scope=\"deliveries:read deliveries:write\""), "{challenge}");
    assert!(
        challenge.contains("/.well-known/oauth-protected-resource/mcp/deliveries"),
        "{challenge}"
    );
    assert!(!challenge.contains("SECRET") && !String::from_utf8_lossy(&body).contains("SECRET"));
}

#[test]
fn a_server_that_may_not_be_used_says_so_without_a_reason() {
    let asked = call("ann", MODERN, PING);
    let body = hidden(&asked, Question::Operation, Cause::Policy);
    let text = String::from_utf8(body.to_vec()).expect("text");
    assert!(!text.contains("SECRET") && text.contains("You may not use this server."), "{text}");
}
