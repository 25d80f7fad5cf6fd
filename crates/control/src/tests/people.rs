//! Histories by the admin API: no values, no change without a record, and only what was meant.

use kenward_audit::ChangeOf;
use kenward_disclosure::{Entry, Learnt, Shadow, ShadowSource};
use kenward_model::{DecisionId, Fact, Precision};

use super::*;

const ANN: &str = "/api/v1/people/ann/history";
const SHADOWS: &str = "/api/v1/people/ann/history/shadows";

fn fact(subject: u32, attribute: &str) -> Fact {
    Fact {
        subject: EntityUid::new("Customer", subject.to_string()),
        attribute: attribute.into(),
        family: "location".into(),
        precision: Precision(1),
    }
}

fn decision(number: u8) -> DecisionId {
    DecisionId::new(Timestamp::from_seconds(0), &[number; 10])
}

fn row(subject: u32) -> Learnt {
    Learnt {
        fact: fact(subject, "address"),
        first: Timestamp::from_seconds(subject.into()),
        last: Timestamp::from_seconds(9_000),
        via: "desk/find".into(),
        decision: decision(1),
        answers: vec![77_777],
    }
}

fn refused(subject: Option<u32>, family: &str, source: ShadowSource) -> Entry {
    Entry::Refused(Shadow {
        subject: subject.map(|subject| fact(subject, "address").subject),
        family: family.into(),
        fact: subject.map(|subject| fact(subject, "address")),
        source,
        cast: Timestamp::from_seconds(1),
        expires: Timestamp::from_seconds(100_000_000_000),
        decision: decision(2),
        tools: vec!["desk/find".into(), "desk/list".into()],
    })
}

async fn add(house: &House, person: &EntityUid, entries: &[Entry]) {
    let histories = house.control.live.histories();
    let held = histories.of(person).await.expect("a history");
    {
        let mut history = held.lock();
        for entry in entries {
            history.apply(entry);
        }
    }
    histories.keep(person, entries).await.expect("kept");
}

async fn ann_with_shadows() -> House {
    let house = House::new().await;
    let entries = [
        refused(Some(1), "location", ShadowSource::Policy),
        refused(Some(1), "location", ShadowSource::Upstream),
        refused(Some(1), "contact", ShadowSource::Policy),
        refused(Some(2), "location", ShadowSource::Policy),
        refused(None, "location", ShadowSource::Unresolved),
    ];
    for id in ["ann", "bob"] {
        add(&house, &EntityUid::new("User", id), &entries).await;
    }
    house
}

async fn standing(house: &House, id: &str) -> usize {
    let held = house.control.live.histories().of(&EntityUid::new("User", id)).await;
    held.expect("a history").lock().shadows(Timestamp::from_seconds(2)).count()
}

#[tokio::test]
async fn a_history_says_what_and_whence_but_no_value_and_no_argument() {
    let house = House::new().await;
    let entries = [
        Entry::Learnt(row(1)),
        Entry::Reserved(decision(3), vec![row(2)]),
        refused(Some(3), "location", ShadowSource::Policy),
    ];
    add(&house, &EntityUid::new("User", "ann"), &entries).await;
    let (status, body) = house.ask(Method::GET, ANN, "").await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(body["person"], json!({ "type": "User", "id": "ann" }));
    assert_eq!((&body["total"], &body["next"]), (&json!(3), &Value::Null));
    let learnt = json!({
        "kind": "learnt", "subject": { "type": "Customer", "id": "1" }, "family": "location",
        "attribute": "address", "precision": 1, "via": "desk/find", "decision": decision(1),
        "first": "1970-01-01T00:00:01.000000Z", "last": "1970-01-01T02:30:00.000000Z",
    });
    assert_eq!(body["entries"][0], learnt);
    assert_eq!(body["entries"][1]["kind"], "reserved");
    let shadow = &body["entries"][2];
    assert_eq!(
        (&shadow["kind"], &shadow["source"], &shadow["tools"], &shadow["decision"]),
        (
            &json!("shadow"),
            &json!("policy"),
            &json!(["desk/find", "desk/list"]),
            &json!(decision(2))
        )
    );
    assert!(!body.to_string().contains("77777"), "digests of answers stay inside");
    let (_, nobody) = house.ask(Method::GET, "/api/v1/people/bob/history", "").await;
    assert_eq!(nobody["total"], 0);
    assert!(house.changes().is_empty(), "looking changes nothing");
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap() {
    let house = House::new().await;
    let entries: Vec<Entry> = (0..25).map(|number| Entry::Learnt(row(number))).collect();
    add(&house, &EntityUid::new("User", "ann"), &entries).await;
    let (mut from, mut seen) = (json!(0), Vec::new());
    while !from.is_null() {
        let (status, body) =
            house.ask(Method::GET, &format!("{ANN}?from={from}&limit=7"), "").await;
        assert_eq!(status, StatusCode::OK);
        let page = body["entries"].as_array().expect("a page");
        assert!(page.len() <= 7);
        seen.extend(page.iter().map(|line| line["subject"]["id"].clone()));
        from = body["next"].clone();
    }
    let wanted: Vec<Value> = (0..25).map(|number| json!(number.to_string())).collect();
    assert_eq!(seen, wanted);
    let (_, beyond) = house.ask(Method::GET, &format!("{ANN}?from={}", usize::MAX), "").await;
    assert_eq!((&beyond["entries"], &beyond["next"]), (&json!([]), &Value::Null));
    for wrong in ["limit=0", "limit=1001", "limit=-1", "from=x", "page=2", "limit=5&limit=6"] {
        let (status, body) = house.ask(Method::GET, &format!("{ANN}?{wrong}"), "").await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}: {body}");
    }
}

#[tokio::test]
async fn people_are_named_as_the_directory_names_them() {
    let house = House::new().await;
    let odd = EntityUid::new("User", "https://idp.example.com#a/b?ä");
    add(&house, &odd, &[Entry::Learnt(row(1))]).await;
    add(&house, &EntityUid::new("My::Agent", "x"), &[Entry::Learnt(row(1))]).await;
    for path in [
        "https:%2F%2Fidp.example.com%23a%2Fb%3F%C3%A4",
        "User::%22https:%2F%2Fidp.example.com%23a%2Fb%3F%C3%A4%22",
        "My::Agent::%22x%22",
    ] {
        let path = format!("/api/v1/people/{path}/history");
        assert_eq!(house.ask(Method::GET, &path, "").await.1["total"], 1, "{path}");
    }
}

#[tokio::test]
async fn only_the_shadows_that_were_named_are_lifted_and_only_of_that_person() {
    for (query, left) in [
        ("subject=Customer::%221%22&family=location", 3),
        ("subject=Customer::%221%22", 2),
        ("family=location", 1),
        ("subject=none&family=location", 4),
        ("all=true", 0),
    ] {
        let house = ann_with_shadows().await;
        let (status, body) = house.ask(Method::DELETE, &format!("{SHADOWS}?{query}"), "").await;
        assert_eq!((status, body), (StatusCode::OK, json!({ "lifted": 5 - left })), "{query}");
        assert_eq!((standing(&house, "ann").await, standing(&house, "bob").await), (left, 5));
        let changes = house.changes();
        let change = &changes[0];
        assert_eq!((changes.len(), change.change), (1, Some(ChangeOf::Histories)));
        assert_eq!((change.by.as_deref(), change.user.as_deref()), (Some("admin"), Some("ann")));
        let (status, _) = house.ask(Method::DELETE, &format!("{SHADOWS}?{query}"), "").await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{query}: they are gone");
        assert_eq!(house.changes().len(), 1);
    }
}

#[tokio::test]
async fn what_names_nothing_or_too_much_lifts_nothing() {
    let house = ann_with_shadows().await;
    for (query, answer) in [
        ("", StatusCode::BAD_REQUEST),
        ("?", StatusCode::BAD_REQUEST),
        ("?all=false", StatusCode::BAD_REQUEST),
        ("?all=1", StatusCode::BAD_REQUEST),
        ("?all=true&family=location", StatusCode::BAD_REQUEST),
        ("?famly=location", StatusCode::BAD_REQUEST),
        ("?family=location&family=contact", StatusCode::BAD_REQUEST),
        ("?family=", StatusCode::NOT_FOUND),
        ("?subject=", StatusCode::NOT_FOUND),
        ("?subject=Customer::%229%22", StatusCode::NOT_FOUND),
        ("?subject=1&family=location", StatusCode::NOT_FOUND),
        ("?subject=none&family=contact", StatusCode::NOT_FOUND),
        ("?family=Location", StatusCode::NOT_FOUND),
    ] {
        let (status, body) = house.ask(Method::DELETE, &format!("{SHADOWS}{query}"), "").await;
        assert_eq!(status, answer, "{query}: {body}");
    }
    assert_eq!(standing(&house, "ann").await, 5);
    assert!(house.changes().is_empty());
}

#[tokio::test]
async fn when_the_state_is_away_nothing_is_shown_or_lifted() {
    let house = ann_with_shadows().await;
    house.control.live.state().close().await;
    let away = (StatusCode::SERVICE_UNAVAILABLE, json!({ "error": "the state is away" }));
    let carl = "/api/v1/people/carl/history";
    assert_eq!(house.ask(Method::GET, carl, "").await, away);
    assert_eq!(house.ask(Method::DELETE, &format!("{SHADOWS}?all=true"), "").await, away);
    assert_eq!(house.ask(Method::GET, "/api/v1/approvals", "").await, away);
    assert_eq!(standing(&house, "ann").await, 5);
    assert!(house.changes().is_empty());
}
