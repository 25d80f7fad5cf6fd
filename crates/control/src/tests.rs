//! Nobody changes or learns anything without the token, and a change is whole or not made.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use kenward_audit::{Filter, Record};
use kenward_disclosure::{Bindings, Inferences};
use kenward_live::{Desk, Live, file_change};
use kenward_model::{EntityUid, Place, Revision, ServerName, Timestamp};
use kenward_policy::{Sources, Surface};
use kenward_store::State;
use kenward_store::segments::{Log, Sync, read};
use kenward_world::World;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::Control;
use crate::server::router;

mod approvals;
mod people;

const TOKEN: &str = "the-admins-own-token";

struct House {
    folder: tempfile::TempDir,
    control: Arc<Control>,
}

impl House {
    async fn new() -> Self {
        Self::lacking(&[]).await
    }

    async fn lacking(missing: &'static [&'static str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let live = Arc::new(live(folder.path()).await);
        let log = Log::open(&folder.path().join("audit"), Sync::Os, || Timestamp::from_seconds(1));
        let missing = move || missing.iter().map(|what| (*what).to_owned()).collect();
        let control = Control::new(live, Arc::new(log.expect("a log")), TOKEN, missing);
        Self { folder, control: Arc::new(control) }
    }

    fn router(&self) -> Router {
        router(Arc::clone(&self.control))
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, String) {
        let response = self.router().oneshot(request).await.expect("an answer");
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }

    /// As the admin.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: impl Into<String>,
    ) -> (StatusCode, Value) {
        let (status, text) = self.send(request(method, path, &[&bearer(TOKEN)], body.into())).await;
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    fn revision(&self) -> Revision {
        self.control.live.load().world.revision()
    }

    fn holds(&self, id: &str) -> bool {
        self.control.live.load().world.entity(&EntityUid::new("User", id)).is_some()
    }

    fn changes(&self) -> Vec<Record> {
        let records = read(&self.folder.path().join("audit"), Filter::default()).expect("the log");
        let records = records.map(|entry| entry.expect("a record").record);
        records.filter(|record| record.change.is_some()).collect()
    }
}

async fn live(folder: &Path) -> Live {
    let inferences = Inferences::none();
    let place = |_: &ServerName, _: &str, _: &str| Place::whole("kenward.yaml");
    let bindings = Bindings::compile(&place, &BTreeMap::new(), &inferences).expect("bindings");
    let desk = Desk {
        sources: Sources { schemas: Vec::new(), policies: Vec::new() },
        surface: Surface { servers: BTreeMap::new() },
        bindings: Arc::new(bindings),
        inferences: Arc::new(inferences),
    };
    let state = State::open(&format!("sqlite:{}", folder.join("state.db").display())).await;
    let compiled = desk.compile().expect("policies");
    Live::new(desk, compiled, World::empty(), state.expect("a state"))
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn request(method: Method, path: &str, credentials: &[&str], body: String) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for credential in credentials {
        request = request.header("authorization", *credential);
    }
    request.body(Body::from(body)).expect("a request")
}

fn user(id: &str) -> String {
    json!({ "type": "User", "id": id }).to_string()
}

/// Asks everywhere with these credentials, none of which may open anything.
async fn assert_closed(house: &House, places: &[(Method, &str, &[&str])]) {
    for (method, path, credential) in places {
        let asked = request(method.clone(), path, credential, user("ann"));
        let (status, body) = house.send(asked).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} {credential:?}");
        assert!(!body.contains("ann") && !body.contains("revision"), "{body}");
    }
}

#[tokio::test]
async fn without_the_token_every_route_answers_alike_whether_it_exists_or_not() {
    let house = House::new().await;
    let (wrong, longer, shorter) =
        (bearer("wrong"), bearer(&format!("{TOKEN}x")), bearer(TOKEN.trim_start_matches('t')));
    let (lower, basic, empty) =
        (TOKEN.to_uppercase(), format!("Basic {TOKEN}"), "Bearer ".to_owned());
    let (blank, bare) = (format!("Bearer  {TOKEN}"), TOKEN.to_owned());
    let credentials: [&[&str]; 9] = [
        &[],
        &[&wrong],
        &[&longer],
        &[&shorter],
        &[&bearer(&lower)],
        &[&basic],
        &[&empty],
        &[&blank],
        &[&bare],
    ];
    let paths = [
        "/api/v1/entities/User/ann",
        "/api/v1/entities",
        "/api/v1/revision",
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/unknown",
        "/api/v2/revision",
        "/api/v1/entities/User",
        "/api/v1/entities/User/ann/more",
        "/api/v1/people/ann/history",
        "/api/v1/people/ann/history/shadows?all=true",
        "/api/v1/approvals",
        "/api/v1/approvals/1",
        "/api/v1/revision?access_token=the-admins-own-token",
    ];
    for path in paths {
        for method in
            [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::PATCH, Method::OPTIONS]
        {
            let places = credentials.map(|credential| (method.clone(), path, credential));
            assert_closed(&house, &places).await;
        }
    }
    assert_eq!(house.revision(), Revision(0));
    assert!(house.changes().is_empty());
}

#[tokio::test]
async fn of_two_credentials_a_wrong_one_in_front_is_not_mended_by_a_good_one() {
    let house = House::new().await;
    let (wrong, good) = (bearer("wrong"), bearer(TOKEN));
    let asked = request(Method::GET, "/api/v1/revision", &[&wrong, &good], String::new());
    assert_eq!(house.send(asked).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn health_is_open_and_says_what_is_missing() {
    let good = House::new().await;
    let open = |path: &str| request(Method::GET, path, &[], String::new());
    assert_eq!(good.send(open("/healthz")).await, (StatusCode::OK, "ok\n".to_owned()));
    let (status, body) = good.send(open("/readyz")).await;
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(
        (status, &body["ready"], &body["missing"]),
        (StatusCode::OK, &json!(true), &json!([]))
    );
    good.control.log.stop().expect("the log");
    let (status, body) = good.send(open("/readyz")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "nothing can be recorded: {body}");
    assert_eq!(good.send(open("/healthz")).await.0, StatusCode::OK, "it still lives");
    let lacking = House::lacking(&["keys of https://idp.example.com"]).await;
    let (status, body) = lacking.send(open("/readyz")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("keys of https://idp.example.com") && body.contains("\"ready\":false"));
}

#[tokio::test]
async fn an_entity_is_put_read_and_removed_and_each_change_is_recorded() {
    let house = House::new().await;
    let path = "/api/v1/entities/User/ann";
    let (status, body) = house.ask(Method::PUT, path, r#"{"aliases":["Ann"]}"#).await;
    assert_eq!((status, body), (StatusCode::OK, json!({ "revision": 1 })));
    let (status, body) = house.ask(Method::GET, path, "").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&body["id"], &body["source"], &body["aliases"]),
        (&json!("ann"), &json!("admin"), &json!(["Ann"]))
    );
    assert_eq!(
        house.ask(Method::DELETE, path, "").await,
        (StatusCode::OK, json!({ "revision": 2 }))
    );
    assert_eq!(house.ask(Method::GET, path, "").await.0, StatusCode::NOT_FOUND);
    assert_eq!(house.ask(Method::DELETE, path, "").await.0, StatusCode::NOT_FOUND);
    let noted: Vec<_> =
        house.changes().into_iter().map(|record| (record.revision, record.objects)).collect();
    let ann = vec![EntityUid::new("User", "ann")];
    assert_eq!(noted, [(Some(Revision(1)), ann.clone()), (Some(Revision(2)), ann)]);
}

#[tokio::test]
async fn names_in_the_path_are_taken_as_they_are_meant() {
    let house = House::new().await;
    let path = "/api/v1/entities/My::User/a%2Fb%20%C3%A4%3F%23";
    assert_eq!(house.ask(Method::PUT, path, "{}").await.0, StatusCode::OK);
    let uid = EntityUid::new("My::User", "a/b ä?#");
    assert!(house.control.live.load().world.entity(&uid).is_some());
    assert_eq!(house.ask(Method::GET, path, "").await.1["id"], "a/b ä?#");
}

#[tokio::test]
async fn what_a_file_says_is_a_conflict_and_stays() {
    let house = House::new().await;
    let record = serde_json::from_str(&user("ann")).expect("a record");
    house
        .control
        .live
        .change(&file_change("directory.yaml", vec![record]))
        .await
        .expect("a change");
    let path = "/api/v1/entities/User/ann";
    for (method, path, body) in [
        (Method::PUT, path, "{}".to_owned()),
        (Method::DELETE, path, String::new()),
        (Method::POST, "/api/v1/entities", format!("{}\n{}", user("bob"), user("ann"))),
    ] {
        let (status, body) = house.ask(method, path, body).await;
        assert_eq!(status, StatusCode::CONFLICT, "{body}");
        assert!(
            body["error"].as_str().is_some_and(|words| words.contains("directory.yaml")),
            "{body}"
        );
    }
    assert_eq!(house.revision(), Revision(1));
    assert!(house.holds("ann") && !house.holds("bob"));
    assert!(house.changes().is_empty(), "nothing was changed by the admin");
}

#[tokio::test]
async fn many_come_together_as_one_revision() {
    let house = House::new().await;
    let lines: Vec<String> = (0..500).map(|number| user(&format!("u{number}"))).collect();
    let body = format!("\n{}\r\n\n", lines.join("\r\n"));
    assert_eq!(
        house.ask(Method::POST, "/api/v1/entities", body).await,
        (StatusCode::OK, json!({ "revision": 1 }))
    );
    assert!(house.holds("u0") && house.holds("u499"));
    let changes = house.changes();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].objects.len(), 100, "a record stays small");
}

#[tokio::test]
async fn one_bad_line_undoes_all_and_is_named() {
    let house = House::new().await;
    for bad in [
        "{",
        "[]",
        "1",
        "null",
        "not json at all: [",
        r#"{"type":"User"}"#,
        r#"{"id":"x"}"#,
        r#"{"type":"User","id":"x","id":"y"}"#,
        r#"{"type":"User","id":"x","nickname":"y"}"#,
        r#"{"type":"User","id":1}"#,
        r#"{"type":"User","id":"x","parents":"y"}"#,
        r#"{"type":"User","id":"x","attributes":{"a":1,"a":2}}"#,
        r#"{"type":"User","id":"x"} {"type":"User","id":"y"}"#,
    ] {
        let body = format!("{}\n\n{bad}\n{}", user("ann"), user("bob"));
        let (status, answer) = house.ask(Method::POST, "/api/v1/entities", body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{bad}: {answer}");
        assert!(
            answer["error"].as_str().is_some_and(|words| words.starts_with("line 3: ")),
            "{bad}: {answer}"
        );
    }
    assert_eq!(house.revision(), Revision(0));
    assert!(!house.holds("ann") && !house.holds("bob"));
}

#[tokio::test]
async fn a_line_that_the_directory_does_not_take_undoes_all_too() {
    let house = House::new().await;
    let body = format!("{}\n{}\n", user("ann"), r#"{"type":"User","id":""}"#);
    let (status, _) = house.ask(Method::POST, "/api/v1/entities", body).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(!house.holds("ann") && house.revision() == Revision(0));
}

#[tokio::test]
async fn a_body_says_what_the_path_says_and_says_it_once() {
    let house = House::new().await;
    let path = "/api/v1/entities/User/ann";
    for bad in [
        r#"{"id":"bob"}"#,
        r#"{"type":"Group"}"#,
        r#"{"id":null}"#,
        r#"{"id":["ann"]}"#,
        "",
        "[]",
        "null",
        "{",
        r#"{"id":"ann","id":"ann"}"#,
        r#"{"id":"ann","\u0069d":"bob"}"#,
        r#"{"attributes":{"a":1,"a":2}}"#,
        r#"{"attributes":{"a":{"b":1,"b":2}}}"#,
        r#"{"extra":1}"#,
    ] {
        let (status, answer) = house.ask(Method::PUT, path, bad).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{bad}: {answer}");
        assert!(answer["error"].is_string());
    }
    let asked = Request::put(path).header("authorization", bearer(TOKEN));
    let asked = asked.body(Body::from(&b"{\"aliases\":[\"\xff\"]}"[..])).expect("a request");
    assert_eq!(house.send(asked).await.0, StatusCode::BAD_REQUEST, "no text");
    assert_eq!(house.revision(), Revision(0));
    assert!(house.changes().is_empty());
}

#[tokio::test]
async fn what_says_the_same_again_makes_no_revision() {
    let house = House::new().await;
    for _ in 0..3 {
        assert_eq!(
            house.ask(Method::PUT, "/api/v1/entities/User/ann", "{}").await,
            (StatusCode::OK, json!({ "revision": 1 }))
        );
    }
    assert_eq!(
        house.ask(Method::POST, "/api/v1/entities", "").await,
        (StatusCode::OK, json!({ "revision": 1 }))
    );
}

#[tokio::test]
async fn what_cannot_be_stored_is_our_failure_and_says_nothing_of_the_inside() {
    let house = House::new().await;
    house.control.live.state().close().await;
    let (status, body) = house.ask(Method::PUT, "/api/v1/entities/User/ann", "{}").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(body, json!({ "error": "the change could not be stored" }));
    assert!(!house.holds("ann") && house.changes().is_empty());
}

#[tokio::test]
async fn the_token_is_kept_as_a_digest_alone() {
    let house = House::new().await;
    assert!(!format!("{:?}", house.control).contains(TOKEN));
}

#[tokio::test]
async fn with_the_token_unknown_places_are_not_found() {
    let house = House::new().await;
    for path in ["/api/v1/unknown", "/api/v2/revision", "/api/v1/entities/User/ann/more"] {
        assert_eq!(house.ask(Method::GET, path, "").await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(
        house.ask(Method::POST, "/api/v1/revision", "").await.0,
        StatusCode::METHOD_NOT_ALLOWED
    );
}
