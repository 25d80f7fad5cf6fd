//! What a record looks like when written, and that it is read as it was written.

use kenward_model::Precision;
use serde_json::{Value, json};

use super::*;

fn full() -> Record {
    let time = Timestamp::from_micros(1_800_000_000_000_042);
    Record {
        id: Some(DecisionId::new(time, &[7; 10])),
        user: Some("rita".into()),
        agent: Some("assistant \"1\"".into()),
        issuer: Some("https://idp.example.com".into()),
        server: Some(ServerName::try_from("deliveries".to_owned()).unwrap()),
        method: Some("tools/call".into()),
        target: Some("get_customer_address".into()),
        objects: vec![EntityUid::new("Customer", "4711")],
        facts: vec![Fact {
            subject: EntityUid::new("Customer", "4711"),
            attribute: "address".into(),
            family: "location".into(),
            precision: Precision::EXACT,
        }],
        verdict: Some(Verdict::Refuse),
        question: Some(Question::Fact),
        policies: vec!["protected".into()],
        reasons: vec!["Known to the protection desk alone.\n".into()],
        policy_epoch: Some("00ff".into()),
        revision: Some(Revision(17)),
        arguments_sha256: Some(Digest::of(b"{}")),
        outcome: Some(Outcome::Withheld),
        change: Some(ChangeOf::Policy),
        by: Some("file policies/base.cedar".into()),
        note: Some("\u{7}".into()),
        sequence: Some(3),
        previous: Some(Digest::of(b"line")),
        ..Record::new(Kind::Decision, time)
    }
}

fn written(record: &Record) -> Value {
    serde_json::to_value(record).unwrap()
}

#[test]
fn the_members_have_their_agreed_names() {
    let json = written(&full());
    let names: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    for name in [
        "id",
        "time",
        "user",
        "agent",
        "issuer",
        "server",
        "method",
        "target",
        "objects",
        "facts",
        "verdict",
        "question",
        "policies",
        "policy_epoch",
        "revision",
        "arguments_sha256",
        "outcome",
        "previous",
    ] {
        assert!(names.contains(&name), "{name}");
    }
    assert_eq!(names.first(), Some(&"kind"));
    assert_eq!(names.last(), Some(&"previous"));
}

#[test]
fn the_members_have_their_agreed_forms() {
    let json = written(&full());
    assert_eq!(json["kind"], "decision");
    assert_eq!(json["time"], "2027-01-15T08:00:00.000042Z");
    assert_eq!(json["verdict"], "refuse");
    assert_eq!(json["question"], 3);
    assert_eq!(json["objects"], json!([{ "type": "Customer", "id": "4711" }]));
    assert_eq!(json["facts"][0]["precision"], 0);
    assert_eq!(json["revision"], 17);
    assert_eq!(
        json["arguments_sha256"],
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    );
    assert_eq!(json["outcome"], "withheld");
}

#[test]
fn what_is_not_said_is_left_out_but_for_the_question() {
    let time = Timestamp::from_micros(0);
    let start = written(&Record::new(Kind::Start, time));
    assert_eq!(start, json!({ "kind": "start", "time": "1970-01-01T00:00:00.000000Z" }));
    let allowed = Record { verdict: Some(Verdict::Allow), ..Record::new(Kind::Decision, time) };
    let allowed = written(&allowed);
    assert_eq!(allowed["verdict"], "allow");
    assert_eq!(allowed.get("question"), Some(&Value::Null));
}

#[test]
fn an_outcome_carries_the_id_of_its_decision() {
    let decision = full();
    let outcome = Record::outcome(decision.id.unwrap(), decision.time, Outcome::Delivered);
    let json = written(&outcome);
    assert_eq!(json["id"], written(&decision)["id"]);
    assert_eq!((&json["kind"], &json["outcome"]), (&json!("outcome"), &json!("delivered")));
    assert_eq!(json.as_object().unwrap().len(), 4);
}

#[test]
fn a_change_says_what_and_who() {
    let change = Record::change(Timestamp::from_micros(0), ChangeOf::Directory, "admin");
    let json = written(&change);
    assert_eq!((&json["change"], &json["by"]), (&json!("directory"), &json!("admin")));
}

#[test]
fn a_record_is_read_as_it_was_written() {
    for question in [1, 2, 3, 4, 5] {
        let mut json = written(&full());
        json["question"] = json!(question);
        let read: Record = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(written(&read), json);
    }
    let full = full();
    assert_eq!(serde_json::from_value::<Record>(written(&full)).unwrap(), full);
    let line = serde_json::to_string(&full).unwrap();
    assert!(!line.contains('\n'));
    assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), full);
}

#[test]
fn what_is_no_record_is_refused() {
    for (member, value) in [
        ("kind", json!("segment")),
        ("time", json!("yesterday")),
        ("time", json!(0)),
        ("question", json!(0)),
        ("question", json!(6)),
        ("verdict", json!("maybe")),
        ("arguments_sha256", json!("00")),
        ("previous", json!("G".repeat(64))),
        ("previous", json!("A".repeat(64))),
        ("server", json!("Not A Name")),
    ] {
        let mut json = written(&full());
        json[member] = value;
        assert!(serde_json::from_value::<Record>(json).is_err(), "{member}");
    }
}

#[test]
fn times_agree_with_the_general_formatter() {
    for micros in [
        0,
        -1,
        1,
        999_999,
        1_709_210_096_789_012,
        -62_135_596_800_000_000,
        253_402_207_200_000_000 - 1,
        i64::MAX,
        i64::MIN,
    ] {
        let time = Timestamp::from_micros(micros);
        let text = serde_json::to_value(Rfc3339(time)).unwrap();
        assert_eq!(text, time.to_string(), "{micros}");
    }
}

proptest::proptest! {
    #[test]
    fn any_time_agrees_with_the_general_formatter(micros in -62_135_596_800_000_000..253_402_207_200_000_000_i64) {
        let time = Timestamp::from_micros(micros);
        let text = serde_json::to_string(&Rfc3339(time)).unwrap();
        proptest::prop_assert_eq!(text, format!("\"{time}\""));
    }

    #[test]
    fn any_text_stays_on_one_line(text in "\\PC*|[\\x00-\\x1f]*") {
        let record = Record { target: Some(text.as_str().into()), ..full() };
        let line = serde_json::to_string(&record).unwrap();
        proptest::prop_assert!(!line.contains('\n'));
        let read: Record = serde_json::from_str(&line).unwrap();
        proptest::prop_assert_eq!(read, record);
    }
}
