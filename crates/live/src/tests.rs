//! Changes come into force whole, or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{pending, ready};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kenward_disclosure::{Bindings, Inferences};
use kenward_model::{EntityUid, Fault, Place, Revision, ServerName};
use kenward_policy::{ServerSurface, SourceFile, Sources, Surface, Tool};
use kenward_store::State;
use kenward_world::{Change, EntityRecord, Source, Standing, World};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{ChangeRefused, Desk, InForce, Live, file_change, tools_of};

const SCHEMA: &str = "entity User in [Group] { twin?: String }; entity Group in [Group];";
pub(crate) const RULES: &str = r#"@id("track")
permit (principal, action == Mcp::Action::"deliveries/track", resource)
when { context.arguments has weight && context.arguments.weight < 10 };"#;
pub(crate) const OPEN: &str = r#"@id("all")
permit (principal, action in Mcp::Action::"tools/call", resource);"#;

pub(crate) fn server() -> ServerName {
    ServerName::try_from("deliveries".to_owned()).expect("a name")
}

fn tool(name: &str, kind: &str) -> Tool {
    let schema = json!({ "type": "object", "properties": { "weight": { "type": kind } } });
    Tool { name: name.into(), input_schema: Some(Arc::new(schema)) }
}

pub(crate) fn unseen(name: &str) -> Tool {
    Tool { name: name.into(), input_schema: None }
}

pub(crate) fn desk(rules: &str, tools: Vec<Tool>) -> Desk {
    let inferences = Inferences::none();
    let place = |_: &ServerName, _: &str, _: &str| Place::whole("kenward.yaml");
    let bindings = Bindings::compile(&place, &BTreeMap::new(), &inferences).expect("bindings");
    let file = |path: &str, text: &str| SourceFile { path: path.to_owned(), text: text.to_owned() };
    let surface = ServerSurface { tools, ..ServerSurface::default() };
    Desk {
        sources: Sources {
            schemas: vec![file("objects.cedarschema", SCHEMA)],
            policies: vec![file("rules.cedar", rules)],
        },
        surface: Surface { servers: BTreeMap::from([(server(), surface)]) },
        bindings: Arc::new(bindings),
        inferences: Arc::new(inferences),
    }
}

pub(crate) async fn state(folder: &Path) -> State {
    State::open(&format!("sqlite:{}", folder.join("state.db").display())).await.expect("a state")
}

async fn live(folder: &Path, desk: Desk) -> Live {
    let compiled = desk.compile().expect("policies");
    Live::new(desk, compiled, World::empty(), state(folder).await)
}

/// A house with one tool whose definition its policies rest on.
async fn house() -> (tempfile::TempDir, Live) {
    let folder = tempfile::tempdir().expect("a folder");
    let live = live(folder.path(), desk(RULES, vec![tool("track", "integer")])).await;
    (folder, live)
}

fn record(id: &str, twin: &str) -> EntityRecord {
    let value = json!({ "type": "User", "id": id, "attributes": { "twin": twin } });
    serde_json::from_value(value).expect("a record")
}

fn put(id: &str, twin: &str) -> Change {
    Change::Put(Source::Admin, record(id, twin))
}

fn user(id: &str) -> EntityUid {
    EntityUid::new("User", id)
}

fn twin(now: &InForce, id: &str) -> Option<Value> {
    now.world.entity(&user(id)).and_then(|entity| entity.attributes.get("twin"))
}

/// What may not change when something is refused.
fn everything(live: &Live) -> (u64, Revision, String, Vec<String>) {
    let now = live.snapshot();
    let mut tools: Vec<String> = now.tools(&server()).map(str::to_owned).collect();
    tools.sort();
    (now.generation, now.world.revision(), now.policies.epoch().as_ref().to_owned(), tools)
}

#[tokio::test]
async fn every_change_makes_one_revision_and_one_generation_and_is_announced() {
    let (_folder, live) = house().await;
    let mut news = live.subscribe();
    for number in 1..=5 {
        let revision = live.change(&put("ann", &number.to_string())).await.expect("a change");
        assert_eq!(revision, Revision(number));
        let now = live.snapshot();
        assert_eq!((now.world.revision(), now.generation), (revision, number + 1));
        assert!(news.has_changed().expect("the house stands"));
        assert_eq!(*news.borrow_and_update(), number + 1);
        assert_eq!(live.state().revision().await.expect("the state"), revision);
    }
}

#[tokio::test]
async fn what_changes_nothing_is_no_change() {
    let (_folder, live) = house().await;
    live.change(&put("ann", "a")).await.expect("a change");
    let (before, news) = (everything(&live), live.subscribe());
    let nothing = [
        put("ann", "a"),
        Change::All(Vec::new()),
        Change::Remove(Source::Admin, user("nobody")),
        Change::Standing(user("ann"), Standing::default()),
        file_change("directory.yaml", Vec::new()),
    ];
    for change in nothing {
        assert_eq!(live.change(&change).await.expect("no change"), Revision(1), "{change:?}");
        assert_eq!(everything(&live), before);
    }
    assert!(!news.has_changed().expect("the house stands"));
}

#[tokio::test]
async fn a_refused_change_changes_nothing_here_or_on_the_disk() {
    let (folder, live) = house().await;
    live.change(&file_change("directory.yaml", vec![record("bob", "b")])).await.expect("a change");
    live.change(&put("ann", "a")).await.expect("a change");
    let (before, news) = (everything(&live), live.subscribe());
    let refused = [
        put("bob", "x"),
        Change::Remove(Source::Admin, user("bob")),
        file_change("directory.yaml", vec![record("ann", "x")]),
        file_change("directory.yaml", vec![record("carl", "x"), record("carl", "y")]),
        put("", "no id"),
        Change::All(vec![put("ann", "changed"), put("carl", "new"), put("bob", "x")]),
        Change::All(vec![
            Change::Standing(user("ann"), Standing { active: false, ..Standing::default() }),
            put("bob", "x"),
        ]),
    ];
    for change in refused {
        let error = live.change(&change).await.expect_err("it may not be made");
        assert_eq!(error.fault(), Fault::Caller, "{change:?}");
        assert_eq!(everything(&live), before, "{change:?}");
        assert_eq!(twin(&live.snapshot(), "ann"), Some(json!("a")));
        assert_eq!(twin(&live.snapshot(), "bob"), Some(json!("b")));
        assert!(live.snapshot().world.entity(&user("carl")).is_none());
    }
    assert!(!news.has_changed().expect("the house stands"));
    let again = state(folder.path()).await;
    assert_eq!(again.revision().await.expect("the state"), Revision(2));
    let kept = again.entities().await.expect("the state");
    assert_eq!(kept, [(Source::Admin, record("ann", "a"))]);
    assert!(again.standings().await.expect("the state").is_empty());
}

#[tokio::test]
async fn what_cannot_be_stored_does_not_come_into_force() {
    let (_folder, live) = house().await;
    live.change(&put("ann", "a")).await.expect("a change");
    let (before, news) = (everything(&live), live.subscribe());
    live.state().close().await;
    let standing = Standing { active: false, ..Standing::default() };
    for change in [
        put("ann", "b"),
        Change::Remove(Source::Admin, user("ann")),
        Change::Standing(user("ann"), standing),
        file_change("directory.yaml", vec![record("bob", "b")]),
    ] {
        let error = live.change(&change).await.expect_err("it cannot be kept");
        assert!(matches!(error, ChangeRefused::Storage(_)), "{error:?}");
        assert_eq!(error.fault(), Fault::Us);
    }
    let learnt = live.learn(&server(), vec![tool("purge", "string")]).await;
    assert!(matches!(learnt, Err(ChangeRefused::Storage(_))), "{learnt:?}");
    assert_eq!(everything(&live), before);
    assert!(!news.has_changed().expect("the house stands"));
}

#[tokio::test]
async fn broken_policies_leave_the_old_ones_in_force() {
    let (_folder, live) = house().await;
    let before = everything(&live);
    for rules in [
        "permit (",
        "@id(\"a\") permit (principal, action, resource) when { principal.nothing };",
        &format!("{OPEN}{OPEN}"),
    ] {
        let error =
            live.adopt(desk(rules, vec![tool("track", "integer")])).await.expect_err("broken");
        assert!(
            matches!(&error, ChangeRefused::Policies(findings) if !findings.is_empty()),
            "{rules}"
        );
        assert_eq!(error.fault(), Fault::Operator);
        assert_eq!(everything(&live), before, "{rules}");
    }
    // The desk is still the old one too: what is learnt next is compiled with its policies.
    assert!(live.learn(&server(), vec![tool("track", "string")]).await.is_err());
    assert!(live.learn(&server(), vec![tool("purge", "string")]).await.expect("news"));
}

#[tokio::test]
async fn other_policies_make_a_generation_and_the_same_ones_none() {
    let (_folder, live) = house().await;
    let first = live.snapshot();
    live.adopt(desk(RULES, vec![tool("track", "integer")])).await.expect("the same");
    assert_eq!(live.snapshot().generation, first.generation);
    live.adopt(desk(OPEN, vec![tool("track", "integer")])).await.expect("others");
    let second = live.snapshot();
    assert_eq!(second.generation, first.generation + 1);
    assert_ne!(first.policies.epoch(), second.policies.epoch());
    assert_eq!(first.world.revision(), second.world.revision());
}

#[tokio::test]
async fn definitions_that_were_learnt_outlive_other_policies() {
    let (_folder, live) = house().await;
    assert!(live.learn(&server(), vec![tool("purge", "string")]).await.expect("news"));
    live.adopt(desk(OPEN, vec![unseen("track")])).await.expect("others");
    let now = live.snapshot();
    assert!(now.is_defined(&server(), "purge") && now.is_defined(&server(), "track"));
    assert!(!live.learn(&server(), vec![tool("track", "integer")]).await.expect("no news"));
    live.adopt(desk(OPEN, vec![tool("track", "string")])).await.expect("a definition in the files");
    assert!(live.learn(&server(), vec![tool("track", "integer")]).await.expect("news again"));
}

#[tokio::test]
async fn what_is_learnt_twice_is_news_once() {
    let (_folder, live) = house().await;
    let purge = || vec![tool("purge", "string")];
    assert!(!live.snapshot().is_defined(&server(), "purge"));
    assert!(live.learn(&server(), purge()).await.expect("news"));
    let after = everything(&live);
    assert_eq!(after.0, 2);
    for known in [purge(), vec![tool("track", "integer")], Vec::new(), [purge(), purge()].concat()]
    {
        assert!(!live.learn(&server(), known).await.expect("no news"));
    }
    let other = ServerName::try_from("other".to_owned()).expect("a name");
    assert!(!live.learn(&other, purge()).await.expect("a server that nobody configured"));
    assert_eq!(everything(&live), after);
    assert!(
        live.state()
            .definitions()
            .await
            .expect("the state")
            .iter()
            .all(|(name, _)| *name == server())
    );
    assert!(live.learn(&server(), vec![tool("purge", "integer")]).await.expect("it was changed"));
}

#[tokio::test]
async fn definitions_that_the_policies_do_not_bear_are_not_taken_in_or_stored() {
    let (folder, live) = house().await;
    let before = everything(&live);
    let tools = vec![tool("track", "string"), tool("purge", "string")];
    let error = live.learn(&server(), tools).await.expect_err("`weight` is compared");
    assert_eq!(error.fault(), Fault::Operator);
    assert_eq!(everything(&live), before);
    assert!(state(folder.path()).await.definitions().await.expect("the state").is_empty());
}

#[tokio::test]
async fn definitions_are_there_again_after_a_restart() {
    let (folder, live) = house().await;
    live.learn(&server(), vec![tool("purge", "string"), tool("peek", "number")])
        .await
        .expect("news");
    let epoch = Arc::clone(live.snapshot().policies.epoch());
    live.state().close().await;
    drop(live);
    let state = state(folder.path()).await;
    let stored = state.definitions().await.expect("the state");
    assert_eq!(stored.len(), 1);
    let (name, definitions) = &stored[0];
    let tools = tools_of(definitions);
    assert_eq!(*name, server());
    let names: BTreeSet<&str> = tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(names, BTreeSet::from(["peek", "purge", "track"]));
    let again = desk(RULES, tools);
    let compiled = again.compile().expect("policies");
    let live = Live::new(again, compiled, World::empty(), state);
    assert!(!live.learn(&server(), vec![tool("purge", "string")]).await.expect("no news"));
    assert!(live.snapshot().is_defined(&server(), "peek"));
    let fresh = desk(
        RULES,
        vec![tool("track", "integer"), tool("purge", "string"), tool("peek", "number")],
    );
    let fresh = fresh.compile().expect("policies").policies;
    assert_eq!((fresh.epoch(), live.snapshot().policies.epoch()), (&epoch, &epoch));
}

#[test]
fn stored_definitions_that_are_none_are_no_tools() {
    for nothing in [json!(null), json!([]), json!("track"), json!({})] {
        assert!(tools_of(&nothing).is_empty());
    }
}

#[tokio::test]
async fn waiting_for_a_revision_ends_with_it_or_with_patience() {
    let (_folder, live) = house().await;
    assert!(live.reached(Revision(0), pending()).await, "it is there already");
    assert!(!live.reached(Revision(1), ready(())).await, "nobody waits for it");
    let live = Arc::new(live);
    let waiting: Vec<_> = (1..=3)
        .map(|number| {
            let live = Arc::clone(&live);
            tokio::spawn(async move { live.reached(Revision(number), pending()).await })
        })
        .collect();
    tokio::task::yield_now().await;
    live.adopt(desk(OPEN, Vec::new())).await.expect("no revision comes of it");
    assert!(!live.reached(Revision(1), tokio::time::sleep(Duration::from_millis(20))).await);
    assert!(waiting.iter().all(|task| !task.is_finished()));
    for number in 0..3 {
        live.change(&put("ann", &number.to_string())).await.expect("a change");
    }
    for task in waiting {
        let reached = tokio::time::timeout(Duration::from_secs(5), task).await;
        assert!(reached.expect("in time").expect("no panic"));
    }
}

/// Looks until it is over: both twins are alike at each look, and nothing ever goes back.
fn look_on(live: &Live, over: &AtomicBool) -> u64 {
    let (mut generation, mut revision, mut looks) = (0, Revision(0), 0);
    while !over.load(Ordering::SeqCst) {
        let now = live.snapshot();
        assert_eq!(twin(&now, "ann"), twin(&now, "bob"));
        assert!(now.generation >= generation && now.world.revision() >= revision);
        (generation, revision) = (now.generation, now.world.revision());
        looks += 1;
    }
    looks
}

/// Changes both twins together, again and again.
async fn write(live: &Live, writer: u32) {
    for number in 0..25 {
        let mark = format!("{writer}-{number}");
        let both = Change::All(vec![put("ann", &mark), put("bob", &mark)]);
        live.change(&both).await.expect("a change");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_never_see_half_a_change() {
    let (_folder, live) = house().await;
    let (live, over) = (Arc::new(live), Arc::new(AtomicBool::new(false)));
    live.change(&Change::All(vec![put("ann", "0"), put("bob", "0")])).await.expect("a change");
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (live, over) = (Arc::clone(&live), Arc::clone(&over));
            std::thread::spawn(move || look_on(&live, &over))
        })
        .collect();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let live = Arc::clone(&live);
            tokio::spawn(async move { write(&live, writer).await })
        })
        .collect();
    for writer in writers {
        writer.await.expect("a writer");
    }
    over.store(true, Ordering::SeqCst);
    for reader in readers {
        assert!(reader.join().expect("a reader") > 0);
    }
    let now = live.snapshot();
    assert_eq!((now.world.revision(), now.generation), (Revision(101), 102), "no change was lost");
    assert_eq!(live.state().revision().await.expect("the state"), Revision(101));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_many_learn_at_once_is_all_known_and_what_they_change_is_all_there() {
    let (_folder, live) = house().await;
    let live = Arc::new(live);
    let mut tasks = Vec::new();
    for number in 0..6 {
        let other = Arc::clone(&live);
        tasks.push(tokio::spawn(async move {
            other
                .learn(&server(), vec![tool(&format!("tool{number}"), "string")])
                .await
                .expect("news");
        }));
        let other = Arc::clone(&live);
        tasks.push(tokio::spawn(async move {
            other.change(&put(&format!("user{number}"), "a")).await.expect("a change");
        }));
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    let now = live.snapshot();
    for number in 0..6 {
        assert!(now.is_defined(&server(), &format!("tool{number}")));
        assert!(now.world.entity(&user(&format!("user{number}"))).is_some());
    }
    assert_eq!(now.generation, 13);
    let stored = live.state().definitions().await.expect("the state");
    assert_eq!(tools_of(&stored[0].1).len(), 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_definitions_from_many_at_once_are_news_once() {
    let (_folder, live) = house().await;
    let live = Arc::new(live);
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let live = Arc::clone(&live);
            tokio::spawn(async move { live.learn(&server(), vec![tool("purge", "string")]).await })
        })
        .collect();
    let mut news = 0;
    for task in tasks {
        news += u64::from(task.await.expect("no panic").expect("it is borne"));
    }
    assert_eq!((news, live.snapshot().generation), (1, 2));
}

/// A change of a few entities by one of two sources.
fn any_change() -> impl Strategy<Value = Change> {
    let name = || prop::sample::select(vec!["ann", "bob", "carl", ""]);
    let source = || prop::sample::select(vec![Source::Admin, Source::File("a.yaml".into())]);
    let one = prop_oneof![
        (source(), name(), "[ab]")
            .prop_map(|(source, id, twin)| Change::Put(source, record(id, &twin))),
        (source(), name()).prop_map(|(source, id)| Change::Remove(source, user(id))),
        (name(), any::<bool>()).prop_map(|(id, active)| {
            Change::Standing(user(id), Standing { active, ..Standing::default() })
        }),
        prop::collection::vec(name(), 0..3).prop_map(|ids| {
            file_change("a.yaml", ids.into_iter().map(|id| record(id, "f")).collect())
        }),
    ];
    prop_oneof![3 => one.clone(), 1 => prop::collection::vec(one, 0..4).prop_map(Change::All)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// After any changes: what is in force is what the directory itself makes of them, one revision
    /// and one generation for each that changed something, and what the admin said is on the disk.
    #[test]
    fn what_is_in_force_is_the_sum_of_the_changes_that_were_made(changes in prop::collection::vec(any_change(), 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (_folder, live) = house().await;
            let mut world = World::empty();
            for change in &changes {
                let expected = world.apply(change);
                let made = live.change(change).await;
                prop_assert_eq!(made.is_ok(), expected.is_ok());
                world = expected.unwrap_or(world);
                let now = live.snapshot();
                prop_assert_eq!(now.world.revision(), world.revision());
                prop_assert_eq!(now.generation, world.revision().0 + 1);
                for id in ["ann", "bob", "carl"] {
                    prop_assert_eq!(now.world.entity(&user(id)), world.entity(&user(id)));
                    prop_assert_eq!(now.world.standing(&user(id)), world.standing(&user(id)));
                }
            }
            let kept = live.state().entities().await.expect("the state");
            let by_admin = world.entities_of("User").filter(|entity| entity.source == Source::Admin).count();
            let kept = kept.iter().filter(|(source, _)| *source == Source::Admin).count();
            prop_assert_eq!(kept, by_admin);
            prop_assert_eq!(live.state().revision().await.expect("the state"), world.revision());
            Ok(())
        })?;
    }
}
