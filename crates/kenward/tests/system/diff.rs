//! Promise: what a change of policies allows that was not allowed is said, with a request.

use std::path::Path;

use kenward_testkit::run;
use serde_json::Value;

use crate::KENWARD;
use crate::prove::{Files, copy, has_solver};

const CLOSED: &str = "context.precision < 4 }";

/// The demo, and its policies as they were in a folder beside.
fn with_old() -> Files {
    let files = Files::demo();
    copy(Path::new(&files.path("policies")), Path::new(&files.path("old")));
    files
}

async fn diff(files: &Files, old: &str, new: &str) -> (Option<i32>, Value) {
    let config = files.path("kenward.yaml");
    let (old, new) = (files.path(old), files.path(new));
    let ended = run(KENWARD, &["diff", "--config", &config, &old, &new, "--format", "json"]).await;
    let told = serde_json::from_str(&ended.stdout);
    (ended.code, told.unwrap_or_else(|_| panic!("{}{}", ended.stdout, ended.stderr)))
}

fn changes(told: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = told["differences"].as_array().expect("a list").iter();
    let changed = all.filter(|one| one["change"] != "unchanged");
    changed.map(|one| (text(&one["action"]), text(&one["change"]))).collect()
}

#[tokio::test]
async fn wider_is_found_with_an_example_and_narrower_is_good() {
    if !has_solver() {
        return;
    }
    let files = with_old();
    files.edit("policies/knowledge.cedar", CLOSED, "context.precision < 3 }");
    let (code, told) = diff(&files, "old", "policies").await;
    assert_eq!(code, Some(1), "{told}");
    let learn = || "Mcp::Action::\"learn\"".to_owned();
    let wider = (learn(), "wider".to_owned());
    assert!(!changes(&told).is_empty());
    assert!(changes(&told).iter().all(|change| *change == wider), "{:?}", changes(&told));
    let one =
        told["differences"].as_array().expect("a list").iter().find(|one| one["change"] == "wider");
    let gained = &one.expect("wider")["gained"];
    assert_eq!(gained["context"]["precision"], 3, "{gained}");
    assert_eq!(gained["resource"]["type"], "Customer");
    assert!(gained["principal"]["id"].is_string());

    let (code, told) = diff(&files, "policies", "old").await;
    assert_eq!(code, Some(0), "{told}");
    let narrower = (learn(), "narrower".to_owned());
    assert!(!changes(&told).is_empty());
    assert!(changes(&told).iter().all(|change| *change == narrower), "{:?}", changes(&told));
}

#[tokio::test]
async fn comments_and_names_change_nothing_and_need_no_solver() {
    let files = with_old();
    files.edit("policies/knowledge.cedar", "@id(\"", "// moved\n@id(\"now-");
    let config = files.path("kenward.yaml");
    let ended = tokio::process::Command::new(KENWARD)
        .args(["diff", "--config", &config, &files.path("old"), &files.path("policies")])
        .env("PATH", "/nowhere")
        .env_remove("CVC5")
        .output()
        .await
        .expect("it runs");
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert_eq!(ended.status.code(), Some(0), "{said}");
    assert!(said.contains("0 wider or not known, 0 narrower"), "{said}");
}

#[tokio::test]
async fn two_configurations_are_compared_and_mistakes_are_said() {
    if !has_solver() {
        return;
    }
    let files = Files::demo();
    let other = Files::demo();
    other.write(
        "policies/extra.cedar",
        r#"permit (principal in Group::"interns", action == Mcp::Action::"deliveries/list_customers", resource);"#,
    );
    let (old, new) = (files.path("kenward.yaml"), other.path("kenward.yaml"));
    let ended = run(KENWARD, &["diff", &old, &new]).await;
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    for said in ["wider", "call deliveries/list_customers", "now allowed:", "Group::\"interns\""] {
        assert!(ended.stdout.contains(said), "{said}: {}", ended.stdout);
    }
    assert!(!ended.stdout.contains("learn about"), "{}", ended.stdout);
    let ended = run(KENWARD, &["diff", &old, "/no/such"]).await;
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    other.write("policies/broken.cedar", "permit (");
    let ended = run(KENWARD, &["diff", &old, &new]).await;
    assert_eq!(ended.code, Some(2), "{}{}", ended.stdout, ended.stderr);
}
