//! Approvals by the admin API: answered once, as it was said, and recorded.

use kenward_audit::ChangeOf;
use kenward_live::Asked;
use kenward_model::DecisionId;

use super::*;

fn ann() -> EntityUid {
    EntityUid::new("User", "ann")
}

fn subject() -> EntityUid {
    EntityUid::new("Customer", "1")
}

/// Asks for Ann about customer 1; the path of the question.
async fn ask(house: &House, number: u8) -> String {
    let decision = DecisionId::new(Timestamp::from_seconds(0), &[number; 10]);
    let (person, subject) = (&ann(), &subject());
    let now = Timestamp::from_seconds(5);
    let asked = Asked { decision, person, subject, family: "location", tool: "desk/find", now };
    let id = house.control.live.histories().ask_approval(asked).await.expect("the state");
    format!("/api/v1/approvals/{}", id.expect("room"))
}

/// When the grant to Ann ends, in seconds from now and to the minute.
async fn granted_for(house: &House) -> Option<i64> {
    let held = house.control.live.histories().of(&ann()).await.expect("a history");
    let now = crate::api::now();
    let ends = |seconds: i64| {
        let then = Timestamp::from_micros(now.as_micros() + seconds * 1_000_000);
        !held.lock().is_granted(&subject(), "location", then)
    };
    if ends(0) {
        return None;
    }
    (0..=366 * 24 * 60).map(|minute| minute * 60).find(|seconds| ends(*seconds))
}

#[tokio::test]
async fn a_question_is_shown_until_it_is_answered() {
    let house = House::new().await;
    let path = ask(&house, 1).await;
    let (status, body) = house.ask(Method::GET, "/api/v1/approvals", "").await;
    assert_eq!(status, StatusCode::OK);
    let shown = json!({
        "id": path.rsplit('/').next(), "person": ann(), "subject": subject(),
        "family": "location", "tool": "desk/find", "asked": "1970-01-01T00:00:05.000000Z",
        "state": "pending",
    });
    assert_eq!(body, json!({ "approvals": [shown] }));
    let (status, body) = house.ask(Method::POST, &path, r#"{"verdict":"approve"}"#).await;
    assert_eq!((status, &body["state"]), (StatusCode::OK, &json!("approved")));
    assert_eq!(house.ask(Method::GET, "/api/v1/approvals", "").await.1, json!({ "approvals": [] }));
    assert_eq!(granted_for(&house).await, Some(60 * 60));
    let changes = house.changes();
    let change = &changes[0];
    assert_eq!((changes.len(), change.change), (1, Some(ChangeOf::Histories)));
    assert_eq!((change.by.as_deref(), change.user.as_deref()), (Some("admin"), Some("ann")));
    assert_eq!(change.objects, [subject()]);
    let note = change.note.as_deref().expect("a note");
    assert!(note.ends_with("was approved"), "{note}");
    let (status, _) = house.ask(Method::POST, &path, r#"{"verdict":"refuse"}"#).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "it was answered");
    assert_eq!((granted_for(&house).await, house.changes().len()), (Some(60 * 60), 1));
}

#[tokio::test]
async fn an_answer_holds_as_long_as_it_says() {
    for (span, seconds) in [("30m", 1_800), ("2h", 7_200), ("1d", 86_400), ("120s", 120)] {
        let house = House::new().await;
        let path = ask(&house, 1).await;
        let body = json!({ "verdict": "approve", "for": span }).to_string();
        assert_eq!(house.ask(Method::POST, &path, body).await.0, StatusCode::OK, "{span}");
        assert_eq!(granted_for(&house).await, Some(seconds), "{span}");
    }
}

#[tokio::test]
async fn what_was_refused_grants_nothing_and_stands_as_a_shadow() {
    let house = House::new().await;
    let path = ask(&house, 1).await;
    let (status, body) = house.ask(Method::POST, &path, r#"{"verdict":"refuse"}"#).await;
    assert_eq!((status, &body["state"]), (StatusCode::OK, &json!("refused")));
    assert_eq!(granted_for(&house).await, None);
    let (_, history) = house.ask(Method::GET, "/api/v1/people/ann/history", "").await;
    let shadow = &history["entries"][0];
    assert_eq!((&history["total"], &shadow["source"]), (&json!(1), &json!("approval")));
    assert!(house.changes()[0].note.as_deref().is_some_and(|note| note.ends_with("was refused")));
}

#[tokio::test]
async fn what_is_no_answer_answers_nothing() {
    let house = House::new().await;
    let path = ask(&house, 1).await;
    for wrong in [
        "",
        "{}",
        "null",
        r#""approve""#,
        r#"{"verdict":"yes"}"#,
        r#"{"verdict":"Approve"}"#,
        r#"{"verdict":true}"#,
        r#"{"verdict":"refuse","verdict":"approve"}"#,
        r#"{"verdict":"approve","until":"1h"}"#,
        r#"{"verdict":"approve","for":""}"#,
        r#"{"verdict":"approve","for":"h"}"#,
        r#"{"verdict":"approve","for":"0h"}"#,
        r#"{"verdict":"approve","for":"-1h"}"#,
        r#"{"verdict":"approve","for":"+1h"}"#,
        r#"{"verdict":"approve","for":"1 h"}"#,
        r#"{"verdict":"approve","for":"1"}"#,
        r#"{"verdict":"approve","for":60}"#,
        r#"{"verdict":"approve","for":"1w"}"#,
        r#"{"verdict":"approve","for":"1ä"}"#,
        r#"{"verdict":"approve","for":"366d"}"#,
        r#"{"verdict":"approve","for":"99999999999999999999d"}"#,
        r#"{"verdict":"approve","for":"18446744073709551615d"}"#,
    ] {
        let (status, body) = house.ask(Method::POST, &path, wrong).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}: {body}");
    }
    for unknown in ["1", "00000000-0000-7000-8000-000000000000", "%00", "x%2Fy"] {
        let path = format!("/api/v1/approvals/{unknown}");
        let (status, _) = house.ask(Method::POST, &path, r#"{"verdict":"approve"}"#).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{unknown}");
    }
    assert_eq!(granted_for(&house).await, None);
    assert!(house.changes().is_empty());
    let (_, body) = house.ask(Method::GET, "/api/v1/approvals", "").await;
    assert_eq!(body["approvals"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn when_the_state_is_away_nothing_is_granted() {
    let house = House::new().await;
    let path = ask(&house, 1).await;
    house.control.live.histories().of(&ann()).await.expect("a history");
    house.control.live.state().close().await;
    let (status, body) = house.ask(Method::POST, &path, r#"{"verdict":"approve"}"#).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body, json!({ "error": "the state is away" }));
    assert_eq!(granted_for(&house).await, None);
    assert!(house.changes().is_empty());
}
