//! What the tests of this crate stand on: a company with one server, its people and their calls.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use kenward_disclosure::{Bindings, Inferences};
use kenward_live::{Desk, Histories, InForce, Live};
use kenward_mcp::dialect::supported;
use kenward_mcp::{Limits as Bounds, Message, method};
use kenward_model::{Caller, DecisionId, EntityUid, Place, ServerName, Timestamp};
use kenward_policy::{ServerSurface, SourceFile, Sources, Surface, Tool};
use kenward_store::State;
use kenward_store::segments::{Log, Sync};
use kenward_world::{Change, EntityRecord, Source, World};
use serde_json::{Value, json};

use crate::past::Past;
use crate::pipeline::{Call, Entry};
use crate::{
    Credential, Gateway, GrantKeys, Issuers, Limits, Parts, ServerSettings, Settings, Transport,
};

pub(crate) const MODERN: &str = "2026-07-28";
pub(crate) const LEGACY: &str = "2025-11-25";

const SCHEMA: &str = "entity User in [Group]; entity Group in [Group];";

/// Everybody may do what these say; `policies` of a test come on top.
const POLICIES: &str = r#"
@id("listen")
permit (principal, action == Mcp::Action::"subscriptions/listen", resource);
"#;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

pub(crate) fn server() -> ServerName {
    named("deliveries")
}

pub(crate) fn named(name: &str) -> ServerName {
    ServerName::try_from(name.to_owned()).expect("a name")
}

/// A user of the company at the desktop client.
pub(crate) fn caller(user: &str) -> Caller {
    party(user, "desktop", "https://idp.example.com")
}

pub(crate) fn party(user: &str, agent: &str, issuer: &str) -> Caller {
    Caller {
        user: EntityUid::new("User", user),
        agent: EntityUid::new("Mcp::Agent", agent),
        issuer: issuer.into(),
        subject: user.into(),
        groups: Vec::new(),
        scopes: Vec::new(),
        acr: None,
        amr: Vec::new(),
        auth_time: None,
        expires: at(2_000_000_000),
        claims: json!({ "sub": user }),
        fingerprint: user.bytes().fold(17, |all, byte| all * 31 + u64::from(byte)),
    }
}

pub(crate) fn settings(public_url: &str) -> Settings {
    let behind = ServerSettings {
        transport: Transport::Http("http://127.0.0.1:9/mcp".parse().expect("a URL")),
        credential: Credential::None,
        grant: false,
        definitions: kenward_definitions::Mode::Live,
        era: crate::ServerEra::Auto,
    };
    let servers = ["deliveries", "0", "a-b_c"].map(|name| (named(name), behind.clone()));
    Settings {
        public_url: public_url.to_owned(),
        servers: BTreeMap::from(servers),
        limits: Limits::default(),
        disclosure: kenward_disclosure::Settings::default(),
        trust_domain: "example.com".to_owned(),
        workload: "kenward".to_owned(),
        grant_lifetime: Duration::from_secs(30),
    }
}

pub(crate) fn tool(name: &str, input_schema: Option<Value>) -> Tool {
    Tool { name: name.into(), input_schema: input_schema.map(Arc::new) }
}

/// The desk of the company with `policies` on top of its own.
pub(crate) fn desk(policies: &str, tools: Vec<Tool>) -> Desk {
    let inferences = Inferences::none();
    let place = |_: &ServerName, _: &str, _: &str| Place::whole("kenward.yaml");
    let bindings = Bindings::compile(&place, &BTreeMap::new(), &inferences).expect("bindings");
    let file = |path: &str, text: String| SourceFile { path: path.to_owned(), text };
    let surface = ServerSurface { tools, ..ServerSurface::default() };
    Desk {
        sources: Sources {
            schemas: vec![file("objects.cedarschema", SCHEMA.to_owned())],
            policies: vec![file("rules.cedar", format!("{POLICIES}{policies}"))],
        },
        surface: Surface { servers: BTreeMap::from([(server(), surface)]) },
        bindings: Arc::new(bindings),
        inferences: Arc::new(inferences),
    }
}

pub(crate) fn world() -> World {
    let record = |value: Value| serde_json::from_value::<EntityRecord>(value).expect("a record");
    let people = ["ann", "bob"].map(|id| record(json!({ "type": "User", "id": id })));
    World::empty().apply(&Change::ReplaceAll(Source::Admin, people.to_vec())).expect("a directory")
}

/// What is in force under `policies`; compiled once, however many cases a test has.
pub(crate) fn in_force(policies: &str) -> Arc<InForce> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Arc<InForce>>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let made = known.entry(policies.to_owned()).or_insert_with(|| Arc::new(compiled(policies)));
    Arc::clone(made)
}

fn compiled(policies: &str) -> InForce {
    let tools = vec![tool("track", Some(json!({ "type": "object" })))];
    let policies = match desk(policies, tools).compile() {
        Ok(compiled) => Arc::new(compiled.policies),
        Err(findings) => panic!("{findings:?}"),
    };
    let (defined, shelves) = (Arc::default(), Arc::default());
    InForce { world: world(), policies, defined, shelves, generation: 1 }
}

/// Histories that nobody reads: for calls that are decided outside of a gateway.
static HISTORIES: LazyLock<Arc<Histories>> = LazyLock::new(|| {
    let opening = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let url = format!("sqlite:{}", folder.path().join("state.db").display());
            let state = State::open(&url).await.expect("a state");
            let desk = desk("", Vec::new());
            let compiled = desk.compile().expect("policies");
            Arc::clone(Live::new(desk, compiled, world(), state).histories())
        })
    });
    opening.join().expect("histories")
});

/// The decision that every call of a test is, so that answers can be compared.
pub(crate) fn decision(number: u8) -> DecisionId {
    DecisionId::new(at(1_800_000_000), &[number; 10])
}

/// The call that `user` makes with this JSON text under `version`.
pub(crate) fn call(user: &str, version: &str, text: &str) -> Call {
    let message =
        Message::parse(Bytes::from(text.to_owned()), &Bounds::default()).expect("a message");
    let entry = Entry {
        settings: Arc::new(settings("https://gw.example.com")),
        server: server(),
        caller: Arc::new(caller(user)),
        ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        time: at(1_800_000_000),
        past: Past::unread(&HISTORIES, &caller(user)),
        federated: false,
    };
    Call {
        id: decision(7),
        entry,
        row: method::find(message.method()).expect("a row"),
        message,
        dialect: supported(version).expect("a dialect"),
        session: None,
        digest: [0; 32],
        headers: HeaderMap::new(),
    }
}

/// A whole gateway whose state and log live in `folder`.
pub(crate) async fn gateway(folder: &Path, desk: Desk) -> Arc<Gateway> {
    let url = format!("sqlite:{}", folder.join("state.db").display());
    let state = State::open(&url).await.expect("a state");
    let compiled = desk.compile().expect("policies");
    let live = Live::new(desk, compiled, world(), state);
    let parts = Parts {
        settings: settings("https://gw.example.com"),
        live: Arc::new(live),
        log: log(folder),
        issuers: Issuers::new(Vec::new(), folder, Duration::from_secs(30)),
        grants: GrantKeys::new(key(0), Vec::new()),
    };
    Arc::new(Gateway::new(parts).expect("entropy"))
}

pub(crate) fn log(folder: &Path) -> Arc<Log> {
    Arc::new(Log::open(&folder.join("audit"), Sync::Os, crate::clock::now).expect("a log"))
}

/// A grant key that was made so many seconds after the epoch.
pub(crate) fn key(seconds: i64) -> kenward_identity::grant::GrantKey {
    kenward_identity::grant::GrantKey::generate(at(seconds)).expect("a key")
}
