//! The state is read as it was saved, whole or not at all, and by its owner alone.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;
use sqlx::Executor as _;
use tempfile::TempDir;

use super::migrate::{STEPS, Step, migrate_by};
use super::*;

mod approvals;
mod handles;
mod histories;
mod pins;

fn url(directory: &Path) -> String {
    format!("sqlite:{}", directory.join("kenward.db").display())
}

async fn fresh() -> (TempDir, State) {
    let directory = tempfile::tempdir().unwrap();
    let state = State::open(&url(directory.path())).await.unwrap();
    (directory, state)
}

async fn reopen(directory: &TempDir, state: State) -> State {
    state.close().await;
    State::open(&url(directory.path())).await.unwrap()
}

fn customer(id: &str) -> EntityRecord {
    serde_json::from_value(json!({
        "type": "Customer",
        "id": id,
        "attributes": { "protected": true, "name": "Zoë \"Z\"", "big": i64::MAX },
        "parents": [{ "type": "Group", "id": "customers" }],
        "aliases": ["Taylor Swift", "taylor@example.com"],
    }))
    .unwrap()
}

fn file(name: &str) -> Source {
    Source::File(name.into())
}

async fn ids(state: &State) -> BTreeSet<(Source, String)> {
    let entities = state.entities().await.unwrap();
    entities.into_iter().map(|(source, record)| (source, record.id)).collect()
}

fn set(items: &[(Source, &str)]) -> BTreeSet<(Source, String)> {
    items.iter().map(|(source, id)| (source.clone(), (*id).to_owned())).collect()
}

#[tokio::test]
async fn a_new_state_is_empty() {
    let (_directory, state) = fresh().await;
    assert_eq!(state.revision().await.unwrap(), Revision(0));
    assert!(state.entities().await.unwrap().is_empty());
    assert!(state.standings().await.unwrap().is_empty());
    assert!(state.grant_keys().await.unwrap().is_empty());
    assert!(state.definitions().await.unwrap().is_empty());
}

#[tokio::test]
async fn entities_are_read_as_they_were_saved() {
    let (directory, state) = fresh().await;
    let change = Change::Put(Source::Admin, customer("4711"));
    state.save(&change, Revision(5)).await.unwrap();
    let state = reopen(&directory, state).await;
    assert_eq!(state.entities().await.unwrap(), [(Source::Admin, customer("4711"))]);
    assert_eq!(state.revision().await.unwrap(), Revision(5));
}

#[tokio::test]
async fn sources_are_kept_apart() {
    let (_directory, state) = fresh().await;
    let change = Change::All(vec![
        Change::Put(Source::Admin, customer("1")),
        Change::Put(file("a.yaml"), customer("2")),
        Change::Put(file("b.yaml"), customer("2")),
        Change::Put(file("admin"), customer("3")),
    ]);
    state.save(&change, Revision(1)).await.unwrap();
    let all = [(Source::Admin, "1"), (file("a.yaml"), "2"), (file("b.yaml"), "2")];
    let admin_file = (file("admin"), "3");
    assert_eq!(ids(&state).await, set(&[&all[..], std::slice::from_ref(&admin_file)].concat()));

    let other = Change::Remove(Source::Admin, customer("2").uid());
    state.save(&other, Revision(2)).await.unwrap();
    assert_eq!(ids(&state).await.len(), 4, "another source's entity is not removed");

    let replaced = Change::ReplaceAll(file("a.yaml"), vec![customer("7"), customer("8")]);
    state.save(&replaced, Revision(3)).await.unwrap();
    let a = file("a.yaml");
    let expected =
        [(Source::Admin, "1"), (a.clone(), "7"), (a, "8"), (file("b.yaml"), "2"), admin_file];
    assert_eq!(ids(&state).await, set(&expected));

    let emptied = Change::ReplaceAll(file("b.yaml"), Vec::new());
    state.save(&emptied, Revision(4)).await.unwrap();
    assert_eq!(ids(&state).await.len(), 4);
}

#[tokio::test]
async fn changes_are_saved_in_their_order() {
    let (_directory, state) = fresh().await;
    let put = |id| Change::Put(Source::Admin, customer(id));
    let remove = |id| Change::Remove(Source::Admin, customer(id).uid());
    let change = Change::All(vec![
        put("1"),
        Change::All(vec![remove("1"), put("2"), Change::All(vec![put("3"), remove("2")])]),
        remove("3"),
        put("4"),
    ]);
    state.save(&change, Revision(1)).await.unwrap();
    assert_eq!(ids(&state).await, set(&[(Source::Admin, "4")]));
}

#[tokio::test]
async fn a_later_record_of_an_entity_takes_the_place_of_the_earlier() {
    let (_directory, state) = fresh().await;
    let mut second = customer("1");
    second.aliases = vec!["other".to_owned()];
    for record in [customer("1"), second.clone()] {
        state.save(&Change::Put(Source::Admin, record), Revision(1)).await.unwrap();
    }
    assert_eq!(state.entities().await.unwrap(), [(Source::Admin, second)]);
}

#[tokio::test]
async fn names_that_look_like_sql_are_only_names() {
    let (_directory, state) = fresh().await;
    for odd in ["'; drop table entities; --", "a\u{0}b", "\\\"\u{1}\u{7f}", "\u{10ffff}", " "] {
        state.save(&Change::Put(file(odd), customer(odd)), Revision(1)).await.unwrap();
        assert_eq!(ids(&state).await, set(&[(file(odd), odd)]), "{odd:?}");
        assert_eq!(state.entities().await.unwrap(), [(file(odd), customer(odd))]);
        state.save(&Change::Remove(file(odd), customer(odd).uid()), Revision(1)).await.unwrap();
        assert!(ids(&state).await.is_empty(), "{odd:?}");
    }
}

#[tokio::test]
async fn many_entities_are_saved_in_one_change() {
    let (directory, state) = fresh().await;
    let records: Vec<_> = (0..1_000).map(|number| customer(&number.to_string())).collect();
    let puts = records.iter().cloned().map(|record| Change::Put(Source::Admin, record));
    let removed = Change::Remove(Source::Admin, customer("300").uid());
    let change = Change::All(puts.chain([removed]).collect());
    state.save(&change, Revision(1)).await.unwrap();
    let state = reopen(&directory, state).await;
    assert_eq!(ids(&state).await.len(), 999);
    state.save(&Change::ReplaceAll(Source::Admin, records.clone()), Revision(2)).await.unwrap();
    let mut saved: Vec<_> = state.entities().await.unwrap().into_iter().map(|(_, r)| r).collect();
    saved.sort_by_key(|record| record.id.parse::<u32>().unwrap());
    assert_eq!(saved, records);
}

#[tokio::test]
async fn standings_are_read_as_they_were_saved() {
    let (directory, state) = fresh().await;
    let rita = EntityUid::new("User", "rita");
    let standings = [
        Standing::default(),
        Standing {
            active: false,
            risk: Some("high".into()),
            device_compliant: Some(false),
            session_revoked: true,
        },
        Standing { device_compliant: Some(true), ..Standing::default() },
    ];
    let mut state = state;
    for standing in standings {
        let change = Change::Standing(rita.clone(), standing.clone());
        state.save(&change, Revision(1)).await.unwrap();
        state = reopen(&directory, state).await;
        assert_eq!(state.standings().await.unwrap(), [(rita.clone(), standing)]);
    }
}

#[tokio::test]
async fn revisions_only_grow() {
    let (directory, state) = fresh().await;
    state.save_revision(Revision(7)).await.unwrap();
    state.save_revision(Revision(3)).await.unwrap();
    state.save(&Change::All(Vec::new()), Revision(2)).await.unwrap();
    let state = reopen(&directory, state).await;
    assert_eq!(state.revision().await.unwrap(), Revision(7));
}

#[tokio::test]
async fn a_change_that_fails_leaves_nothing_behind() {
    let (_directory, state) = fresh().await;
    state.save(&Change::Put(Source::Admin, customer("1")), Revision(1)).await.unwrap();
    let change = Change::All(vec![
        Change::Put(Source::Admin, customer("2")),
        Change::ReplaceAll(Source::Admin, vec![customer("3")]),
    ]);
    // the revision is written last, and this one has no place in the table
    assert!(state.save(&change, Revision(u64::MAX)).await.is_err());
    assert_eq!(ids(&state).await, set(&[(Source::Admin, "1")]));
    assert_eq!(state.revision().await.unwrap(), Revision(1));
    state.save(&change, Revision(2)).await.unwrap();
    assert_eq!(ids(&state).await, set(&[(Source::Admin, "3")]));
}

#[tokio::test]
async fn keys_come_and_go() {
    let (directory, state) = fresh().await;
    let key = |kid: &str, created| GrantKey {
        kid: kid.to_owned(),
        pkcs8: vec![0, 1, 255, b'\''],
        created: Timestamp::from_micros(created),
    };
    state.insert_grant_key(&key("late", 9)).await.unwrap();
    state.insert_grant_key(&key("early", -1)).await.unwrap();
    assert!(state.insert_grant_key(&key("late", 10)).await.is_err(), "a key is never replaced");
    let state = reopen(&directory, state).await;
    assert_eq!(state.grant_keys().await.unwrap(), [key("early", -1), key("late", 9)]);
    assert!(state.delete_grant_key("early").await.unwrap());
    assert!(!state.delete_grant_key("early").await.unwrap());
    assert_eq!(state.grant_keys().await.unwrap(), [key("late", 9)]);
}

#[test]
fn a_key_is_not_shown() {
    let (kid, created) = ("k".to_owned(), Timestamp::from_micros(0));
    let shown = format!("{:?}", GrantKey { kid, pkcs8: vec![222, 173], created });
    assert!(!shown.contains("222") && !shown.contains("pkcs8"), "{shown}");
}

#[tokio::test]
async fn definitions_are_read_as_they_were_saved() {
    let (directory, state) = fresh().await;
    let server = |name: &str| ServerName::try_from(name.to_owned()).unwrap();
    let (b, a) = (server("b"), server("a"));
    state.save_definitions(&b, &json!({ "tools": [] })).await.unwrap();
    let ordered = json!({ "z": 1, "a": [null, 1.5, "é"] });
    state.save_definitions(&a, &ordered).await.unwrap();
    state.save_definitions(&b, &json!(2)).await.unwrap();
    let state = reopen(&directory, state).await;
    let found = state.definitions().await.unwrap();
    assert_eq!(found, [(a, ordered.clone()), (b, json!(2))]);
    assert_eq!(found[0].1.to_string(), ordered.to_string(), "in the order of the members");
}

#[tokio::test]
async fn a_fleet_is_refused_without_showing_the_password() {
    for url in ["postgres://kenward:secret@db/kenward", "postgresql://kenward:secret@db/kenward"] {
        let error = State::open(url).await.unwrap_err();
        assert!(matches!(error, StateError::Fleet));
        assert!(error.to_string().contains("not available in this version"));
        assert!(!error.to_string().contains("secret"));
    }
    let error = State::open("mysql://kenward:secret@db/kenward").await.unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn what_names_no_file_is_refused() {
    for url in ["", "kenward.db", "sqlite:", "sqlite://", "sqlite::memory:", "sqlite:a.db?mode=ro"]
    {
        assert!(matches!(State::open(url).await, Err(StateError::Url(_))), "{url}");
    }
    let directory = tempfile::tempdir().unwrap();
    let nowhere = url(&directory.path().join("nowhere"));
    assert!(matches!(State::open(&nowhere).await, Err(StateError::File { .. })));
    fs::write(directory.path().join("kenward.db"), "not a database, but long enough".repeat(40))
        .unwrap();
    let error = State::open(&url(directory.path())).await.unwrap_err();
    assert!(matches!(error, StateError::Database { .. }), "{error}");
}

#[tokio::test]
async fn both_forms_of_the_url_name_the_same_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kenward.db");
    let state = State::open(&format!("sqlite://{}", path.display())).await.unwrap();
    state.save_revision(Revision(4)).await.unwrap();
    let state = reopen(&directory, state).await;
    assert_eq!(state.revision().await.unwrap(), Revision(4));
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kenward.db");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let state = State::open(&url(directory.path())).await.unwrap();
    state.save_revision(Revision(1)).await.unwrap();
    let names: Vec<_> = fs::read_dir(directory.path()).unwrap().map(Result::unwrap).collect();
    assert!(names.len() > 1, "the log is beside it");
    for entry in names {
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.path());
    }
}

#[tokio::test]
async fn it_is_durable_and_shared_with_a_log() {
    let (_directory, state) = fresh().await;
    let row = sqlx::query("pragma synchronous").fetch_one(&state.pool).await.unwrap();
    assert_eq!(row.get::<i64, _>(0), 2, "full");
    let row = sqlx::query("pragma journal_mode").fetch_one(&state.pool).await.unwrap();
    assert_eq!(row.get::<String, _>(0), "wal");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_wait_for_each_other() {
    let (directory, first) = fresh().await;
    let second = State::open(&url(directory.path())).await.unwrap();
    let work = |state: State, from: u32| async move {
        for number in from..from + 40 {
            let change = Change::Put(Source::Admin, customer(&number.to_string()));
            state.save(&change, Revision(number.into())).await.unwrap();
        }
    };
    let both = [tokio::spawn(work(first.clone(), 0)), tokio::spawn(work(second, 100))];
    for one in both {
        one.await.unwrap();
    }
    assert_eq!(ids(&first).await.len(), 80);
    assert_eq!(first.revision().await.unwrap(), Revision(139));
}

#[tokio::test]
async fn the_steps_are_taken_once_each_in_order() {
    static LATER: [Step; 4] = [
        STEPS[0],
        STEPS[1],
        STEPS[2],
        Step { version: 4, sql: "create table later (x integer); select 1;" },
    ];
    let (directory, state) = fresh().await;
    state.save_revision(Revision(4)).await.unwrap();
    for _ in 0..2 {
        migrate_by(&state.pool, &LATER).await.unwrap();
    }
    state.pool.execute("insert into later values (1)").await.unwrap();
    assert_eq!(state.revision().await.unwrap(), Revision(4), "what was there is still there");
    state.close().await;
    let older = State::open(&url(directory.path())).await.unwrap_err();
    assert!(matches!(older, StateError::Newer { found: 4, known: 3 }), "{older}");
}

#[tokio::test]
async fn a_state_of_the_first_form_is_brought_to_the_present_one() {
    static FIRST: [Step; 1] = [STEPS[0]];
    let directory = tempfile::tempdir().unwrap();
    let pool = open::pool(&directory.path().join("kenward.db")).await.unwrap();
    migrate_by(&pool, &FIRST).await.unwrap();
    let old = State { pool };
    old.save(&Change::Put(Source::Admin, customer("1")), Revision(3)).await.unwrap();
    let state = reopen(&directory, old).await;
    assert_eq!(ids(&state).await, set(&[(Source::Admin, "1")]));
    assert_eq!(state.revision().await.unwrap(), Revision(3));
    assert_eq!(state.history(&customer("1").uid()).await.unwrap(), Stored::default());
    assert!(state.handles().await.unwrap().is_empty());
    assert!(state.approvals().await.unwrap().is_empty());
    assert!(state.pins().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_step_that_fails_leaves_the_state_as_it_was() {
    static WRONG: [Step; 4] = [
        STEPS[0],
        STEPS[1],
        STEPS[2],
        Step { version: 4, sql: "create table half (x integer); create nonsense;" },
    ];
    let (directory, state) = fresh().await;
    assert!(migrate_by(&state.pool, &WRONG).await.is_err());
    assert!(state.pool.execute("select * from half").await.is_err());
    reopen(&directory, state).await;
}

#[tokio::test]
async fn a_step_that_was_altered_is_refused() {
    static OTHER: [Step; 3] =
        [Step { version: 1, sql: "create table other (x integer)" }, STEPS[1], STEPS[2]];
    let (_directory, state) = fresh().await;
    let error = migrate_by(&state.pool, &OTHER).await.unwrap_err();
    assert!(matches!(error, StateError::OtherStep { version: 1 }));
}

#[tokio::test]
async fn what_was_damaged_is_said_and_not_left_out() {
    let (_directory, state) = fresh().await;
    state.save(&Change::Put(Source::Admin, customer("1")), Revision(1)).await.unwrap();
    state.pool.execute("update entities set record = '{}'").await.unwrap();
    assert!(matches!(state.entities().await, Err(StateError::Row("entity"))));
    state.pool.execute("insert into definitions values ('Not A Name', '1')").await.unwrap();
    assert!(matches!(state.definitions().await, Err(StateError::Row("definition"))));
}

#[test]
fn what_was_saved_survives_the_kill_signal() {
    let directory = tempfile::tempdir().unwrap();
    let mut saved = BTreeSet::new();
    for after in [1, 5, 50] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "state::tests::child_that_saves", "--ignored", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (first, path) = (saved.len() * 1_000, directory.path().display());
        writeln!(child.stdin.take().unwrap(), "{first}\n{path}").unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut ids = lines.filter_map(|line| Some(line.strip_prefix("saved ")?.to_owned()));
        saved.extend(ids.by_ref().take(after));
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        saved.extend(ids);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let state = State::open(&url(directory.path())).await.unwrap();
            let there: BTreeSet<_> = ids_of(&state).await;
            assert!(there.is_superset(&saved), "{:?}", saved.difference(&there));
            assert!(state.revision().await.unwrap().0 >= u64::try_from(there.len()).unwrap());
            state.close().await;
        });
    }
}

async fn ids_of(state: &State) -> BTreeSet<String> {
    ids(state).await.into_iter().map(|(_, id)| id).collect()
}

#[tokio::test]
#[ignore = "run and killed by what_was_saved_survives_the_kill_signal alone"]
async fn child_that_saves() {
    let mut input = io::stdin().lines();
    let first: u64 = input.next().unwrap().unwrap().parse().unwrap();
    let directory = input.next().unwrap().unwrap();
    let state = State::open(&url(Path::new(&directory))).await.unwrap();
    let before = state.revision().await.unwrap().0;
    for number in 0..10_000 {
        let id = (first + number).to_string();
        let change = Change::Put(Source::Admin, customer(&id));
        state.save(&change, Revision(before + number + 1)).await.unwrap();
        println!("\nsaved {id}");
    }
}

#[tokio::test]
#[ignore = "a measurement; run it in a release build"]
#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
async fn opening_and_filling() {
    use std::time::Instant;
    let (directory, state) = fresh().await;
    let records = (0..100_000).map(|number| customer(&number.to_string())).collect();
    let begin = Instant::now();
    state.save(&Change::ReplaceAll(Source::Admin, records), Revision(1)).await.unwrap();
    println!("saving 100,000 entities: {:?}", begin.elapsed());
    let begin = Instant::now();
    assert_eq!(state.entities().await.unwrap().len(), 100_000);
    println!("reading them: {:?}", begin.elapsed());
    state.close().await;
    for _ in 0..5 {
        let begin = Instant::now();
        let state = State::open(&url(directory.path())).await.unwrap();
        println!("opening: {:?}", begin.elapsed());
        let begin = Instant::now();
        state.save(&Change::Put(Source::Admin, customer("x")), Revision(2)).await.unwrap();
        println!("one change: {:?}", begin.elapsed());
        state.close().await;
    }
    let begin = Instant::now();
    fresh().await;
    println!("opening a new one: {:?}", begin.elapsed());
}
