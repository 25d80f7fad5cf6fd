//! What waits is one party's, fits one call, and is little; what a server may ask is what was
//! declared.

use std::time::Duration;

use base64::Engine as _;
use kenward_model::Timestamp;
use tokio::sync::oneshot;

use super::parked::Parked;
use super::seal::Seal;
use super::*;
use crate::tests::{call, caller};

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"track","arguments":{"of":"1"}}}"#;
const TICKET: [u8; 16] = [7; 16];
const MINUTE: Duration = Duration::from_mins(1);

fn now() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

fn ann() -> Call {
    call("ann", "2026-07-28", CALL)
}

fn sealed(seal: &Seal) -> String {
    seal.seal(&ann(), TICKET, now().plus(MINUTE)).unwrap()
}

#[test]
fn a_state_opens_for_the_call_that_it_was_made_for() {
    let seal = Seal::new().unwrap();
    assert_eq!(seal.open(&sealed(&seal), &ann(), now()), Ok(TICKET));
}

#[test]
fn a_state_shows_nothing_of_what_it_carries() {
    let seal = Seal::new().unwrap();
    let first = sealed(&seal);
    let encoded = first.split('.').next_back().unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(encoded).unwrap();
    let shown = String::from_utf8_lossy(&bytes).into_owned();
    assert!(!shown.contains("ann") && !shown.contains("track"), "{shown}");
    assert_ne!(first, sealed(&seal));
}

#[test]
fn a_state_fits_no_other_party_method_target_or_arguments() {
    let seal = Seal::new().unwrap();
    let state = sealed(&seal);
    let mut swapped = ann();
    swapped.digest = [9; 32];
    let mut agent = ann();
    let mut other = (*agent.entry.caller).clone();
    other.agent = kenward_model::EntityUid::new("Mcp::Agent", "another");
    agent.entry.caller = Arc::new(other);
    let mut issuer = ann();
    let mut other = (*issuer.entry.caller).clone();
    other.issuer = "https://elsewhere.example".into();
    issuer.entry.caller = Arc::new(other);
    let prompt = CALL.replace("tools/call", "prompts/get");
    for other in [
        call("bob", "2026-07-28", CALL),
        call("ann", "2026-07-28", &CALL.replace("track", "trace")),
        call("ann", "2026-07-28", &prompt),
        swapped,
        agent,
        issuer,
    ] {
        assert!(seal.open(&state, &other, now()).is_err());
    }
    assert_eq!(seal.open(&state, &ann(), now()), Ok(TICKET));
}

#[test]
fn a_state_that_is_late_altered_or_from_elsewhere_does_not_open() {
    let seal = Seal::new().unwrap();
    let state = sealed(&seal);
    assert!(seal.open(&state, &ann(), now().plus(MINUTE)).is_err());
    assert!(Seal::new().unwrap().open(&state, &ann(), now()).is_err());
    for at in 0..state.len() {
        let mut altered = state.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        assert!(seal.open(&altered, &ann(), now()).is_err(), "{altered}");
    }
    for short in ["", "kenward-call1.", "kenward-call1.AAAA", "kenward1.AAAA.AAAA"] {
        assert!(seal.open(short, &ann(), now()).is_err(), "{short}");
    }
}

#[test]
fn what_waits_is_given_once_and_to_its_party_alone() {
    let parked = Parked::default();
    parked.enter(&caller("ann"), TICKET, now().plus(MINUTE), Waiting::Visit);
    assert!(parked.take(&caller("bob"), &TICKET).is_none());
    assert!(parked.take(&caller("ann"), &[8; 16]).is_none());
    assert!(parked.take(&caller("ann"), &TICKET).is_some());
    assert!(parked.take(&caller("ann"), &TICKET).is_none());
}

#[test]
fn one_party_lets_little_wait_and_nothing_of_others_gives_way() {
    let parked = Parked::default();
    let expires = now().plus(MINUTE);
    parked.enter(&caller("bob"), TICKET, expires, Waiting::Visit);
    let mut waiting = Vec::new();
    for number in 0..40 {
        let (sender, receiver) = oneshot::channel();
        parked.enter(&caller("ann"), [number; 16], expires, Waiting::Call(sender));
        waiting.push(receiver);
    }
    let has_given_up = |one: &mut oneshot::Receiver<Resume>| {
        matches!(one.try_recv(), Err(oneshot::error::TryRecvError::Closed))
    };
    assert_eq!(waiting.iter_mut().map(has_given_up).filter(|gone| *gone).count(), 24);
    assert!(parked.take(&caller("ann"), &[0; 16]).is_none());
    assert!(parked.take(&caller("ann"), &[39; 16]).is_some());
    assert!(parked.take(&caller("bob"), &TICKET).is_some());
}

#[test]
fn what_waited_too_long_is_forgotten() {
    let parked = Parked::default();
    parked.enter(&caller("ann"), TICKET, now(), Waiting::Visit);
    parked.enter(&caller("ann"), [8; 16], now().plus(MINUTE), Waiting::Visit);
    parked.forget_old(now());
    assert!(parked.take(&caller("ann"), &TICKET).is_none());
    assert!(parked.take(&caller("ann"), &[8; 16]).is_some());
}

#[test]
fn a_server_is_told_what_was_declared_and_let_through() {
    let declares = |capabilities: Value| {
        let mut message: Value = serde_json::from_str(CALL).unwrap();
        message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities;
        call("ann", "2026-07-28", &message.to_string())
    };
    let all = ["elicitation/create", "sampling/createMessage", "roots/list"];
    let rich = declares(json!({
        "elicitation": { "form": {}, "url": {}, "x": {} }, "sampling": { "tools": {} },
        "roots": { "listChanged": true }, "tasks": {}, "experimental": { "y": {} },
    }));
    let told = json!({ "elicitation": { "form": {}, "url": {} }, "sampling": { "tools": {} }, "roots": {} });
    assert_eq!(Declared::of(&rich, &all).json(), told);
    assert_eq!(Declared::of(&rich, &all[2..]).json(), json!({ "roots": {} }));
    assert_eq!(Declared::of(&rich, &[]).json(), json!({}));
    let plain = Declared::of(&declares(json!({ "elicitation": {} })), &all);
    assert_eq!(plain.json(), json!({ "elicitation": { "form": {} } }));
    assert!(plain.can_fill_forms() && !plain.can_visit() && !plain.can_sample_with_tools());
    let pages = Declared::of(&declares(json!({ "elicitation": { "url": {} } })), &all);
    assert!(!pages.can_fill_forms() && pages.can_visit());
    assert_ne!(plain, pages);
}

#[test]
fn people_are_sent_to_good_addresses_alone() {
    assert!(exchange::is_good("https://a.example/sign-in?x=1"));
    for bad in [
        "http://a.example/",
        "javascript:alert(1)",
        "https://a.example@evil.example/",
        "file:///etc/passwd",
        "/relative",
        "",
    ] {
        assert!(!exchange::is_good(bad), "{bad}");
    }
}
