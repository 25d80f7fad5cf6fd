//! The player before a gateway that guards nothing: it has to notice.

use std::path::Path;
use std::sync::Arc;

use ::http::{HeaderName, Request as Outgoing, StatusCode, Uri};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, put};
use http_body_util::{BodyExt as _, Full};

use super::client::Tape;
use super::print::{Page, Verdict};
use super::{Explanation, Stage, Verified, play};
use crate::http::Http;
use crate::loopback::{self, Listening};
use crate::{Authority, Deliveries, assets};

/// A gateway that passes everything on.
async fn open_door(deliveries: &Deliveries) -> (String, Listening) {
    let (listener, bound) = loopback::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let router = Router::new()
        .route("/mcp/deliveries", any(pass))
        .route("/api/v1/entities/User/rita", put(async || StatusCode::OK))
        .with_state(Arc::new(deliveries.url.clone()));
    (format!("http://{bound}"), loopback::serve(listener, bound, router))
}

async fn pass(State(to): State<Arc<String>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut outgoing = Outgoing::new(Full::new(body));
    *outgoing.method_mut() = head.method;
    *outgoing.uri_mut() = Uri::try_from(to.as_str()).unwrap();
    *outgoing.headers_mut() = head.headers;
    outgoing.headers_mut().remove("host");
    let (head, body) = Http::new().open(outgoing).await.unwrap().into_parts();
    let mut response = (head.status, Body::new(body)).into_response();
    for name in ["content-type", "mcp-session-id"].map(HeaderName::from_static) {
        if let Some(value) = head.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

/// Plays with a gateway that guards nothing and a log that notices nothing.
async fn played() -> (String, Vec<String>) {
    let listen = "127.0.0.1:0".parse().unwrap();
    let scopes = vec![("deliveries:read".to_owned(), "Read".to_owned())];
    let authority = Authority::start(listen, scopes, assets::people()).await.unwrap();
    let deliveries = Deliveries::start(listen, None).await.unwrap();
    let (gateway, _door) = open_door(&deliveries).await;
    let folder = tempfile::tempdir().unwrap();
    let audit = folder.path().join("audit");
    std::fs::create_dir(&audit).unwrap();
    std::fs::write(audit.join("1.jsonl"), "{}\n").unwrap();
    let stage = Stage {
        authority: &authority,
        deliveries: &deliveries,
        gateway: &gateway,
        admin: &gateway,
        admin_token: "unused",
        audit: &audit,
        scratch: folder.path(),
        explain: &|_: &str| None,
        verify: &|_: &Path| Ok(Verified { records: 1 }),
    };
    let mut page = Vec::new();
    let deviations = play(&stage, &mut page).await.unwrap_err();
    assert!(!folder.path().join("audit-copy").exists(), "the copy is removed");
    (String::from_utf8(page).unwrap(), deviations)
}

#[tokio::test]
async fn an_open_door_is_noticed_at_every_step() {
    let (page, deviations) = played().await;
    let all = deviations.join("\n");
    for expected in [
        "Rita is offered export_all_customers",
        "rita's get_customer_address customer_id=\"4711\" should be refused",
        "rita's get_dropoff_locations near=\"Taylor Swift's home\" should be refused",
        "rita's find_customer by=\"account\" value=\"KD-4711-13\" should be refused",
        "rita's get_order order_id=\"KW-20804\" should be refused",
        "the list tells the protected postcode",
        "an update came after the right was withdrawn",
        "the stream stays open",
        "Rita still gets addresses",
        "is wrong unnoticed",
        "1 Example Lane",
        "came through to Rita or Sam",
    ] {
        assert!(all.contains(expected), "`{expected}` is missing in:\n{all}");
    }
    let last = page.trim_end().lines().last().unwrap();
    assert!(last.contains("did not go as told"), "{last}");
    assert!(!page.contains("Everything went as told"));
}

#[test]
fn a_secret_is_found_in_whatever_case_and_pieces_it_came() {
    let tape = Tape::default();
    tape.keep(b"{\"street\":\"1 EXAM");
    tape.keep(b"PLE LANE\"}");
    let secrets = ["1 Example Lane".to_owned(), "Exampleton".to_owned()];
    assert_eq!(tape.find(&secrets), ["1 Example Lane"]);
    assert_eq!(tape.len(), 27);
}

#[test]
fn a_refusal_shows_what_the_person_may_read() {
    let mut out = Vec::new();
    let mut page = Page::new(&mut out);
    page.request("rita", "get_customer_address", Verdict::Refused, "");
    page.reasons(
        "Rita",
        &Explanation {
            question: Some("may they learn each fact it would reveal?".to_owned()),
            reasons: vec!["Known to the desk alone.".to_owned()],
            policies: vec!["desk".to_owned()],
            objects: vec!["Customer::\"4711\"".to_owned()],
            facts: vec!["address of Customer::\"4711\"".to_owned()],
        },
    );
    assert!(!page.broken);
    let shown = anstream::adapter::strip_bytes(&out).into_vec();
    let shown = String::from_utf8(shown).unwrap();
    let lines: Vec<&str> = shown.lines().map(str::trim).collect();
    assert!(lines[0].starts_with("rita   get_customer_address") && lines[0].ends_with("refused"));
    assert_eq!(
        lines[1],
        "Rita may read: Known to the desk alone. [desk] about address of Customer::\"4711\""
    );
}
