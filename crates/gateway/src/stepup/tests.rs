//! A state that was made for one call fits no other, and is taken once.

use kenward_model::EntityUid;

use super::*;
use crate::tests::{call, decision};

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"track","arguments":{"of":"1"}}}"#;

fn ask() -> Ask {
    let subject = EntityUid::new("Customer", "4711");
    Ask { subject, family: "location".into(), reason: AskReason::Probes }
}

fn ann() -> Call {
    call("ann", "2026-07-28", CALL)
}

fn now() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

fn sealed(sealer: &Sealer) -> String {
    sealer.seal(&ann(), &ask(), now().plus(PATIENCE))
}

#[test]
fn a_state_opens_once_for_the_call_that_it_was_made_for() {
    let sealer = Sealer::new().unwrap();
    let state = sealed(&sealer);
    assert!(Sealer::is_ours(&state));
    assert_eq!(sealer.open(&state, &ann(), now()), Ok(ask()));
    assert!(sealer.open(&state, &ann(), now()).unwrap_err().contains("already"));
}

#[test]
fn a_state_fits_no_other_person_tool_or_arguments() {
    let sealer = Sealer::new().unwrap();
    let state = sealed(&sealer);
    let other_tool = CALL.replace("track", "trace");
    let mut swapped = ann();
    swapped.digest = [9; 32];
    for other in [call("bob", "2026-07-28", CALL), call("ann", "2026-07-28", &other_tool), swapped]
    {
        assert!(sealer.open(&state, &other, now()).is_err());
    }
    // None of them has spent it.
    assert!(sealer.open(&state, &ann(), now()).is_ok());
}

#[test]
fn a_state_that_is_late_or_altered_or_from_elsewhere_does_not_open() {
    let sealer = Sealer::new().unwrap();
    let state = sealed(&sealer);
    let late = now().plus(PATIENCE + Duration::from_secs(1));
    assert!(sealer.open(&state, &ann(), late).is_err());
    assert!(Sealer::new().unwrap().open(&state, &ann(), now()).is_err());
    for at in (QUESTION.len()..state.len()).step_by(7) {
        let mut altered = state.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        if altered != state {
            assert!(sealer.open(&altered, &ann(), now()).is_err(), "{altered}");
        }
    }
}

#[test]
fn only_a_plain_yes_agrees() {
    let yes = json!({ "action": "accept", "content": { "go_on": true } });
    assert!(agrees(&yes));
    for no in [
        json!({ "action": "accept" }),
        json!({ "action": "accept", "content": { "go_on": false } }),
        json!({ "action": "accept", "content": { "go_on": "true" } }),
        json!({ "action": "decline", "content": { "go_on": true } }),
        json!({ "action": "cancel" }),
        json!(true),
        Value::Null,
    ] {
        assert!(!agrees(&no), "{no}");
    }
}

#[test]
fn the_question_names_nobody() {
    let refusal = Refusal {
        question: kenward_model::Question::Inference,
        hidden: false,
        reasons: Vec::new(),
        missing_scopes: Vec::new(),
        cause: kenward_policy::Cause::History("several tools were tried".to_owned()),
        ask: Some(Box::new(ask())),
        basis: kenward_policy::Basis::default(),
        effects: kenward_policy::Effects::default(),
    };
    let asked = elicitation(&ann(), &refusal).to_string();
    assert!(!asked.contains("4711") && !asked.contains("location"), "{asked}");
    assert!(asked.contains(&decision(7).to_string()));
}
