//! Calls with grants: good ones, and everything that an attacker could make of one.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use kenward_identity::grant::{Grant, GrantKey, arguments_sha256, mint};
use kenward_model::{DecisionId, Revision, Target, Timestamp};
use serde_json::{Value, json};

use super::{Deliveries, Guard, TODAY, deliveries, message, modern, post};
use crate::clock;
use crate::http::Answer;
use crate::loopback::{self, Listening};

const DOMAIN: &str = "demo.example";
const TOOL: &str = "get_customer_address";

/// Keys that are published and can be exchanged, as a gateway's are.
struct Keys {
    url: String,
    published: Arc<Mutex<Vec<Value>>>,
    _listening: Listening,
}

impl Keys {
    async fn publish(key: &GrantKey) -> Self {
        let (listener, bound) = loopback::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let published = Arc::new(Mutex::new(vec![key.public_jwk()]));
        let shown = Arc::clone(&published);
        let show = move || async move { json!({ "keys": *shown.lock().unwrap() }).to_string() };
        let router = Router::new().route("/jwks", get(show));
        let url = format!("http://{bound}/jwks");
        Self { url, published, _listening: loopback::serve(listener, bound, router) }
    }
}

/// A service behind a gateway with this key.
async fn guarded() -> (Deliveries, Keys, GrantKey) {
    let key = GrantKey::generate(clock::now()).unwrap();
    let keys = Keys::publish(&key).await;
    let guard = Guard { jwks: keys.url.clone(), trust_domain: DOMAIN.to_owned() };
    (deliveries(Some(guard)).await, keys, key)
}

/// A grant that can be made a little wrong.
struct Wish {
    method: &'static str,
    target: Target<'static>,
    arguments: Value,
    domain: &'static str,
    server: String,
    issued: Timestamp,
    entropy: u8,
}

impl Wish {
    fn of(service: &Deliveries) -> Self {
        Self {
            method: "tools/call",
            target: Target::Tool(TOOL.into()),
            arguments: json!({ "customer_id": "1001" }),
            domain: DOMAIN,
            server: service.url.clone(),
            issued: clock::now(),
            entropy: 1,
        }
    }

    fn mint(&self, key: &GrantKey) -> String {
        let grant = Grant {
            issuer: "http://127.0.0.1:8080",
            trust_domain: self.domain,
            txn: DecisionId::new(Timestamp::from_seconds(1), &[self.entropy; 10]),
            user: "rita",
            agent: "demo-agent",
            requesting_workload: "gateway",
            scope: "mcp.tools.call",
            method: self.method,
            server_url: &self.server,
            target: &self.target,
            arguments_sha256: arguments_sha256(&self.arguments).unwrap(),
            resources: &[],
            policy_epoch: "0",
            revision: Revision(1),
            ip: Some(IpAddr::from([127, 0, 0, 1])),
            authentication: None,
            protocol: "2026-07-28",
            lifetime: Duration::from_secs(30),
        };
        mint(key, &grant, self.issued).unwrap()
    }
}

async fn call(service: &Deliveries, token: Option<&str>, arguments: &Value) -> Answer {
    let params = modern(json!({ "name": TOOL, "arguments": arguments }));
    let mut headers = vec![
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", TOOL),
    ];
    headers.extend(token.map(|token| ("txn-token", token)));
    post(service, &headers, &message("tools/call", &params)).await
}

#[tokio::test]
async fn a_good_grant_opens_one_call_and_is_remembered() {
    let (service, _keys, key) = guarded().await;
    let wish = Wish::of(&service);
    let token = wish.mint(&key);
    let answer = call(&service, Some(&token), &wish.arguments).await;
    assert!(answer.json()["result"]["structuredContent"].is_object(), "{}", answer.text());
    let seen = service.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].user.as_str(), seen[0].agent.as_str()), ("rita", "demo-agent"));
    assert_eq!((seen[0].method.as_str(), seen[0].target.as_str()), ("tools/call", TOOL));
    assert_eq!(seen[0].arguments, wish.arguments);
    assert_eq!(seen[0].header["typ"], "txntoken+jwt");
    let again = call(&service, Some(&token), &wish.arguments).await;
    assert_eq!(again.status, 403);
    assert!(again.text().contains("used before"), "{}", again.text());
    assert_eq!(service.seen().len(), 1, "what is refused is not a call");
}

#[tokio::test]
async fn a_call_around_the_gateway_is_refused() {
    let (service, _keys, _key) = guarded().await;
    let arguments = json!({ "customer_id": "4711" });
    for token in [None, Some("nonsense"), Some("a.b.c"), Some("")] {
        let answer = call(&service, token, &arguments).await;
        assert_eq!(answer.status, 403, "{token:?}");
        assert!(!answer.text().contains("Example Lane"));
    }
    let stranger = GrantKey::generate(clock::now()).unwrap();
    let mut wish = Wish::of(&service);
    wish.arguments = arguments.clone();
    let answer = call(&service, Some(&wish.mint(&stranger)), &arguments).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert!(service.seen().is_empty());
}

#[tokio::test]
async fn a_grant_fits_its_own_call_alone() {
    let (service, _keys, key) = guarded().await;
    let arguments = json!({ "customer_id": "1001" });
    let change = |entropy: u8, change: fn(&mut Wish)| {
        let mut wish = Wish::of(&service);
        wish.entropy = entropy;
        change(&mut wish);
        wish.mint(&key)
    };
    let long_ago = |wish: &mut Wish| wish.issued = Timestamp::from_seconds(1_700_000_000);
    let later = |wish: &mut Wish| wish.issued = clock::now().plus(Duration::from_mins(2));
    for (name, token) in [
        ("arguments", change(2, |wish| wish.arguments = json!({ "customer_id": "4711" }))),
        ("no arguments", change(3, |wish| wish.arguments = Value::Null)),
        ("tool", change(4, |wish| wish.target = Target::Tool("list_customers".into()))),
        ("prompt", change(5, |wish| wish.target = Target::Prompt(TOOL.into()))),
        ("no target", change(6, |wish| wish.target = Target::Server)),
        ("method", change(7, |wish| wish.method = "prompts/get")),
        ("domain", change(8, |wish| wish.domain = "example.com")),
        ("server", change(9, |wish| wish.server = "http://127.0.0.1:1/mcp".to_owned())),
        ("ended", change(10, long_ago)),
        ("not begun", change(11, later)),
    ] {
        let answer = call(&service, Some(&token), &arguments).await;
        assert_eq!(answer.status, 403, "{name}: {}", answer.text());
    }
    let good = change(2, |_| {});
    assert_eq!(
        call(&service, Some(&good), &arguments).await.status,
        200,
        "a refusal spends nothing"
    );
}

#[tokio::test]
async fn new_keys_are_fetched_and_missing_ones_refuse() {
    let (service, keys, key) = guarded().await;
    let mut wish = Wish::of(&service);
    assert_eq!(call(&service, Some(&wish.mint(&key)), &wish.arguments).await.status, 200);
    let next = GrantKey::generate(clock::now()).unwrap();
    keys.published.lock().unwrap().push(next.public_jwk());
    wish.entropy = 2;
    let answer = call(&service, Some(&wish.mint(&next)), &wish.arguments).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let guard = Guard { jwks: "http://127.0.0.1:1/jwks".into(), trust_domain: DOMAIN.to_owned() };
    let alone = deliveries(Some(guard)).await;
    let answer = call(&alone, Some(&Wish::of(&alone).mint(&key)), &wish.arguments).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
}

#[tokio::test]
async fn prompts_and_resources_need_a_grant_too_and_lists_do_not() {
    let (service, _keys, key) = guarded().await;
    let ask = async |method: &str, name: &str, params: Value, token: &str| {
        let headers = [
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", method),
            ("mcp-name", name),
            ("txn-token", token),
        ];
        post(&service, &headers, &message(method, &modern(params))).await.status.as_u16()
    };
    let mut wish = Wish::of(&service);
    (wish.method, wish.arguments) = ("resources/read", Value::Null);
    wish.target = Target::Resource(TODAY.into());
    let read = json!({ "uri": TODAY });
    assert_eq!(ask("resources/read", TODAY, read.clone(), "").await, 403);
    assert_eq!(ask("resources/read", TODAY, read, &wish.mint(&key)).await, 200);
    let prompt = json!({ "name": "late_delivery_reply", "arguments": { "reason": "snow" } });
    assert_eq!(ask("prompts/get", "late_delivery_reply", prompt.clone(), "").await, 403);
    (wish.method, wish.arguments, wish.entropy) = ("prompts/get", prompt["arguments"].clone(), 3);
    wish.target = Target::Prompt("late_delivery_reply".into());
    let token = wish.mint(&key);
    assert_eq!(ask("prompts/get", "late_delivery_reply", prompt, &token).await, 200);
    let headers = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/list")];
    let list = message("tools/list", &modern(json!({})));
    assert_eq!(post(&service, &headers, &list).await.status, 200);
}
