//! What is printed of a real log, whole and damaged.

use std::path::Path;

use kenward_audit::{ChangeOf, Kind, Record, Verdict};
use kenward_model::{DecisionId, EntityUid, Question, ServerName, Timestamp};
use kenward_store::segments::{Log, Sync};

use super::{Answer, Outcome, Tail, Where, check, head, print_decision, print_tail};
use crate::report::Format;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// A log with a refusal of rita, an allowed call of bob and a change.
fn log(directory: &Path) -> DecisionId {
    let log = Log::open(directory, Sync::Os, || NOW).unwrap();
    let id = DecisionId::new(NOW, &[7; 10]);
    let refused = Record {
        id: Some(id),
        user: Some("rita".into()),
        agent: Some("agent\u{1b}[2J".into()),
        server: Some(ServerName::try_from("deliveries".to_owned()).unwrap()),
        method: Some("tools/call".into()),
        target: Some("get_customer_address".into()),
        objects: vec![EntityUid::new("Customer", "4711")],
        verdict: Some(Verdict::Refuse),
        question: Some(Question::Fact),
        policies: vec!["protected".into()],
        reasons: vec!["Known to the desk alone.".into()],
        ..Record::new(Kind::Decision, NOW)
    };
    let allowed = Record {
        id: Some(DecisionId::new(NOW, &[8; 10])),
        user: Some("bob".into()),
        verdict: Some(Verdict::Allow),
        ..Record::new(Kind::Decision, NOW)
    };
    for record in [refused, allowed, Record::change(NOW, ChangeOf::Policy, "file a.cedar")] {
        let _written = log.append(&record).unwrap();
    }
    id
}

fn printed(
    write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<Outcome>,
) -> (Outcome, String) {
    let mut out = anstream::StripStream::new(Vec::new());
    let outcome = write(&mut out).unwrap();
    (outcome, String::from_utf8(out.into_inner()).unwrap())
}

fn tail_of(verdict: Option<Answer>, user: Option<&str>, last: usize) -> Tail {
    Tail {
        log: Where { config: "kenward.yaml".into(), directory: None },
        last,
        follow: false,
        user: user.map(Into::into),
        agent: None,
        server: None,
        target: None,
        verdict,
    }
}

#[test]
fn a_whole_log_is_said_to_be_whole() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path());
    let (outcome, text) = printed(|out| check(folder.path(), &[], Format::Text, out));
    assert_eq!(outcome, Outcome::Good);
    assert!(text.starts_with("whole: "), "{text}");
    let (_, json) = printed(|out| check(folder.path(), &[], Format::Json, out));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["whole"], true);
    let known = head(json["head"].as_str().unwrap()).unwrap();
    assert!(text.contains(json["head"].as_str().unwrap()), "{text}");
    let (outcome, _) = printed(|out| check(folder.path(), &[known], Format::Text, out));
    assert_eq!(outcome, Outcome::Good);
}

/// Leaves only the lines of `text` that are wanted.
fn keep(text: &mut String, wanted: fn(&str) -> bool) {
    *text = text.split_inclusive('\n').filter(|line| wanted(line)).collect();
}

#[test]
fn every_kind_of_damage_is_a_finding() {
    let damages: [fn(&mut String); 3] = [
        |text| *text = text.replace("\"rita\"", "\"bob\""),
        |text| keep(text, |line| !line.contains("rita")),
        |text| keep(text, |line| !line.contains("\"kind\":\"stop\"")),
    ];
    for damage in damages {
        let folder = tempfile::tempdir().unwrap();
        log(folder.path());
        let segment = folder.path().join("segment-0000000001.jsonl");
        let mut text = std::fs::read_to_string(&segment).unwrap();
        damage(&mut text);
        std::fs::write(&segment, text).unwrap();
        let (outcome, text) = printed(|out| check(folder.path(), &[], Format::Text, out));
        assert_eq!(outcome, Outcome::Found, "{text}");
        assert!(text.starts_with("broken: "), "{text}");
        let (outcome, json) = printed(|out| check(folder.path(), &[], Format::Json, out));
        assert_eq!(outcome, Outcome::Found);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["whole"], false);
    }
}

#[test]
fn a_log_that_was_replaced_lacks_the_head_that_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path());
    let kept = head(&format!("2:{}", "ab".repeat(32))).unwrap();
    let (outcome, _) = printed(|out| check(folder.path(), &[kept], Format::Text, out));
    assert_eq!(outcome, Outcome::Found);
}

#[test]
fn heads_are_read_as_they_are_printed() {
    assert!(head("").is_err() && head("1").is_err() && head("1:xyz").is_err());
    assert_eq!(head(&format!("12:{}", "0f".repeat(32))).unwrap().sequence, 12);
}

#[test]
fn the_tail_is_filtered_and_shows_no_escapes() {
    let folder = tempfile::tempdir().unwrap();
    let id = log(folder.path());
    let print = |tail: &Tail, format| printed(|out| print_tail(folder.path(), tail, format, out)).1;
    let refused = print(&tail_of(Some(Answer::Refuse), None, 20), Format::Text);
    assert_eq!(
        refused,
        format!(
            "2027-01-15T08:00:00.000000Z refused   rita agent\u{fffd}[2J deliveries tools/call \
             get_customer_address (question 3) {id}\n"
        )
    );
    let bobs = print(&tail_of(None, Some("bob"), 20), Format::Text);
    assert!(bobs.lines().count() == 1 && bobs.contains(" allowed "), "{bobs}");
    assert_eq!(print(&tail_of(None, None, 2), Format::Text).lines().count(), 2);
    let json = print(&tail_of(Some(Answer::Refuse), None, 1), Format::Json);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["user"], &json["question"]), (&"rita".into(), &3.into()));
}

#[test]
fn a_decision_is_shown_with_everything_about_it() {
    let folder = tempfile::tempdir().unwrap();
    let id = log(folder.path()).to_string();
    let show = |id: &str| printed(|out| print_decision(folder.path(), id, Format::Text, out));
    let (outcome, text) = show(&id.to_ascii_uppercase());
    assert_eq!(outcome, Outcome::Good);
    for part in ["Customer::\"4711\"", "protected", "Known to the desk alone.", "may they learn"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert_eq!(show("0190d5e0-7f3a-7c4e-9a51-3e5b1c2d4f60"), (Outcome::Found, String::new()));
}
