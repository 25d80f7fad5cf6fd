//! Promise: every decision stands in a log that cannot be altered unnoticed, with why.

use std::path::PathBuf;

use kenward_testkit::{Answer, Era, Exited, Gateway, run};
use serde_json::json;

use crate::{KENWARD, Story, until};

#[tokio::test]
async fn a_log_that_nobody_touched_is_whole() {
    let (_story, log) = written().await;
    let verified = verify(&log).await;
    assert_eq!(verified.code, Some(0), "{}", verified.said());
}

#[tokio::test]
async fn every_single_flipped_bit_is_found() {
    let (_story, log) = written().await;
    let segment = segment(&log);
    let whole = std::fs::read(&segment).expect("a segment");
    let step = (whole.len() / 40).max(1);
    for place in (0..whole.len()).step_by(step) {
        let mut bent = whole.clone();
        bent[place] ^= 1;
        std::fs::write(&segment, &bent).expect("writing");
        let verified = verify(&log).await;
        assert_eq!(verified.code, Some(1), "byte {place}: {}", verified.said());
    }
    std::fs::write(&segment, &whole).expect("writing");
    assert_eq!(verify(&log).await.code, Some(0));
}

#[tokio::test]
async fn lines_that_are_removed_moved_repeated_or_added_are_found() {
    let (_story, log) = written().await;
    let segment = segment(&log);
    let whole = std::fs::read_to_string(&segment).expect("a segment");
    let lines: Vec<&str> = whole.lines().collect();
    assert!(lines.len() > 6, "{whole}");
    let without = |n: usize| {
        let kept = lines.iter().enumerate().filter(|(index, _)| *index != n).map(|(_, line)| *line);
        kept.collect::<Vec<_>>()
    };
    let mut swapped = lines.clone();
    swapped.swap(2, 3);
    let mut repeated = lines.clone();
    repeated.insert(3, lines[3]);
    let mut copied = lines.clone();
    copied.push(lines[lines.len() - 1]);
    for (kind, bent) in [
        ("the first line", without(0)),
        ("a line in the middle", without(3)),
        ("the last line", without(lines.len() - 1)),
        ("the last three lines", lines[..lines.len() - 3].to_vec()),
        ("everything", Vec::new()),
        ("two swapped lines", swapped),
        ("a repeated line", repeated),
        ("the last line twice", copied),
    ] {
        let ended = bent.iter().map(|line| format!("{line}\n"));
        let text = ended.collect::<Vec<_>>().concat();
        std::fs::write(&segment, text).expect("writing");
        let verified = verify(&log).await;
        assert_eq!(verified.code, Some(1), "{kind}: {}", verified.said());
    }
    std::fs::remove_file(&segment).expect("removing");
    assert_eq!(verify(&log).await.code, Some(1), "the whole segment");
    std::fs::write(&segment, &whole).expect("writing");
    assert_eq!(verify(&log).await.code, Some(0));
}

#[tokio::test]
async fn a_record_names_everything_that_was_decided() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    rita.call("add_note", json!({ "customer_id": "1001", "note": "sesame-open" })).await;
    rita.call("add_note", json!({ "customer_id": "1002", "note": "sesame-open" })).await;
    let allowed = story.decisions("add_note", "allow").await;
    let refused = story.decisions("add_note", "refuse").await;
    assert_eq!((allowed.len(), refused.len()), (1, 1));
    for record in allowed.iter().chain(&refused) {
        for (name, value) in [
            ("user", json!("rita")),
            ("agent", json!("agent-1")),
            ("issuer", json!(story.issuer.url())),
            ("server", json!("deliveries")),
            ("method", json!("tools/call")),
            ("target", json!("add_note")),
        ] {
            assert_eq!(record[name], value, "{name} in {record}");
        }
        for name in
            ["id", "time", "policies", "policy_epoch", "revision", "arguments_sha256", "objects"]
        {
            assert!(!record[name].is_null(), "{name} in {record}");
        }
    }
    assert!(allowed[0]["policies"].to_string().contains("annotate-own"), "{}", allowed[0]);
    assert_eq!(refused[0]["question"], 2);
}

#[tokio::test]
async fn what_was_said_does_not_stand_in_the_log() {
    let story = Story::start().await;
    let token = story.token("rita");
    let rita = story.connect("rita", Era::Modern).await;
    story.upstream.on_tool("track_parcel", |_| Answer::text("the-answer-itself"));
    rita.call("track_parcel", json!({ "parcel": "sesame-open" })).await;
    rita.call("set_limit", json!({ "amount": 987_654_321 })).await;
    let written = everything(&story.gateway);
    for secret in ["sesame-open", "987654321", "the-answer-itself"] {
        assert!(!written.contains(secret), "{secret}");
        assert!(!story.gateway.log().contains(secret), "{secret} on standard error");
    }
    for piece in token.split('.').skip(1) {
        assert!(!written.contains(piece), "the token");
        assert!(!story.gateway.log().contains(piece), "the token on standard error");
    }
    let grant = story.upstream.calls("track_parcel").remove(0);
    let grant = grant.header("txn-token").expect("a grant").to_owned();
    assert!(!written.contains(grant.rsplit('.').next().expect("a signature")), "the grant");
}

#[tokio::test]
async fn a_decision_is_written_before_the_server_hears_of_it() {
    let story = Story::start().await;
    story.upstream.on_tool("track_parcel", |_| Answer::Hang);
    let rita = story.connect("rita", Era::Modern).await;
    let call = rita.call("track_parcel", json!({ "parcel": "p" }));
    let look = async {
        assert!(story.upstream.until(|upstream| upstream.under_way() == 1).await);
        // Whatever happens to the process now, the record is on its way to the disk.
        story.gateway.signal(rustix_signal());
        let records = everything(&story.gateway);
        assert!(records.contains("track_parcel"), "{records}");
    };
    tokio::select! {
        _ = call => panic!("the server does not answer"),
        () = look => {}
    }
}

#[tokio::test]
async fn outcomes_and_failures_are_recorded() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    rita.call("track_parcel", json!({ "parcel": "p" })).await;
    story.upstream.on_tool("track_parcel", |_| Answer::Raw(500, "text/plain", "oh no".into()));
    rita.call("track_parcel", json!({ "parcel": "p" })).await;
    let recorded = until(async || {
        let records = story.records().await;
        let outcomes = records.iter().filter(|record| record["kind"] == "outcome");
        outcomes.count() >= 2
    });
    assert!(recorded.await, "{:#?}", story.records().await);
}

#[tokio::test]
async fn hidden_and_unknown_things_leave_a_record_too() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    rita.call("purge_records", json!({})).await;
    rita.call("no_such_thing", json!({})).await;
    assert_eq!(story.decisions("purge_records", "refuse").await.len(), 1);
    assert_eq!(story.decisions("no_such_thing", "refuse").await.len(), 1);
}

#[tokio::test]
async fn the_chain_goes_on_after_a_restart() {
    let (story, log) = written().await;
    let before = story.records().await.len();
    let Story { issuer, upstream, gateway } = story;
    let gateway = gateway.restart(KENWARD).await;
    let story = Story { issuer, upstream, gateway };
    let rita = story.connect("rita", Era::Modern).await;
    rita.call("track_parcel", json!({ "parcel": "p" })).await;
    assert!(story.records().await.len() > before);
    let verified = verify(&log).await;
    assert_eq!(verified.code, Some(0), "{}", verified.said());
}

#[tokio::test]
async fn a_log_that_cannot_be_written_stops_everything() {
    let story = Story::start_with(|deployment| {
        // A limit on the size of files takes the place of a full disk; its signal is ignored.
        deployment.wrapper = vec!["env".to_owned(), "--ignore-signal=XFSZ".to_owned()];
    })
    .await;
    let rita = story.connect("rita", Era::Modern).await;
    assert!(rita.call("track_parcel", json!({ "parcel": "p" })).await.is_done());
    story.upstream.forget();
    let pid = story.gateway.pid().to_string();
    let limited = run("prlimit", &["--pid", &pid, "--fsize=1:1"]).await;
    assert_eq!(limited.code, Some(0), "{}", limited.said());
    for tool in ["track_parcel", "purge_records"] {
        let reply = rita.call(tool, json!({ "parcel": "p" })).await;
        assert_eq!(reply.error_code(), Some(-32603), "{tool}: {}", reply.http.text());
    }
    assert!(story.upstream.requests("tools/call").is_empty(), "a call went out unrecorded");
    let ready = story.gateway.admin().get("/readyz", &[]).await;
    assert_eq!(ready.status, 503, "{}", ready.text());
}

#[tokio::test]
async fn one_decision_can_be_shown() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    let reply = rita.call("get_customer_address", json!({ "customer_id": "4711" })).await;
    let id = reply.decision()["id"].as_str().expect("a reference").to_owned();
    let config = story.gateway.deployment().config_path();
    let config = config.to_str().expect("a path");
    let shown = run(KENWARD, &["audit", "show", &id, "--config", config]).await;
    assert_eq!(shown.code, Some(0), "{}", shown.said());
    for word in ["rita", "get_customer_address", "protected-addresses"] {
        assert!(shown.stdout.contains(word), "{word}: {}", shown.stdout);
    }
    let unknown = "00000000-0000-7000-8000-000000000000";
    assert_eq!(run(KENWARD, &["audit", "show", unknown, "--config", config]).await.code, Some(1));
}

/// A story with some decisions in its log, and the folder of the log.
async fn written() -> (Story, PathBuf) {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    for _ in 0..4 {
        assert!(rita.call("track_parcel", json!({ "parcel": "p" })).await.is_done());
        assert!(!rita.call("purge_records", json!({})).await.is_done());
    }
    let log = story.gateway.deployment().path("audit");
    // A group of records is on the disk, and in the head, within 10 ms.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    (story, log)
}

async fn verify(log: &std::path::Path) -> Exited {
    run(KENWARD, &["audit", "verify", "--directory", log.to_str().expect("a path")]).await
}

/// The one file with records.
fn segment(log: &std::path::Path) -> PathBuf {
    let files = std::fs::read_dir(log).expect("the log").flatten().map(|file| file.path());
    let with_records = |path: &PathBuf| {
        std::fs::read_to_string(path).is_ok_and(|text| text.contains("track_parcel"))
    };
    files.filter(|path| path.is_file()).find(with_records).expect("a segment")
}

/// All files of the log as one text.
fn everything(gateway: &Gateway) -> String {
    let files = std::fs::read_dir(gateway.deployment().path("audit")).expect("the log").flatten();
    files.filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect()
}

fn rustix_signal() -> rustix::process::Signal {
    rustix::process::Signal::KILL
}
