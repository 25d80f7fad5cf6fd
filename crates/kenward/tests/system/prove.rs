//! Promise: what must never be allowed is proven so, or shown with a call that can be tried.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use kenward_testkit::run;
use serde_json::Value;

use crate::KENWARD;

/// The files of the demo in a folder of their own, with invariants beside them.
pub(crate) struct Files(tempfile::TempDir);

impl Files {
    pub(crate) fn demo() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/assets");
        copy(&assets, folder.path());
        Self(folder)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = PathBuf::from(self.path(name));
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(name)).expect("a file");
        assert!(text.contains(from), "{name} has no {from}");
        self.write(name, &text.replace(from, to));
    }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("a file");
        }
    }
}

/// Whether there is a solver; says so when there is none.
pub(crate) fn has_solver() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = std::env::var_os("CVC5").is_some()
        || std::env::split_paths(&path).any(|folder| folder.join("cvc5").is_file());
    if !there {
        drop(writeln!(std::io::stdout(), "skipped: cvc5 is not installed"));
    }
    there
}

const SECRET: &str = r#"
@invariant("nobody outside the protection desk learns where a protected customer is")
forbid (principal, action == Mcp::Action::"learn", resource is Customer)
when { resource.protected && context.family == "location" && context.precision < 4 }
unless { principal in Group::"protection-desk" };
"#;

#[tokio::test]
async fn the_secret_of_the_demo_is_proven_through_every_tool() {
    if !has_solver() {
        return;
    }
    let files = Files::demo();
    files.write("never/secret.invariants.cedar", SECRET);
    files.edit("kenward.yaml", "\nservers:", "\ninvariants: never\n\nservers:");
    let ended = run(KENWARD, &["prove", "--config", &files.path("kenward.yaml")]).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    for said in [
        "proven nobody outside the protection desk",
        "through deliveries/get_customer_address: address of Customer (exact)",
        "through deliveries/get_dropoff_locations: nearby_places of Customer (area)",
        "1 proven, 0 violated, 0 not proven",
    ] {
        assert!(ended.stdout.contains(said), "{said}: {}", ended.stdout);
    }
}

/// Proves, and gives what became of the first invariant.
async fn first(files: &Files, code: i32) -> Value {
    let (config, invariants) = (files.path("kenward.yaml"), files.path("all.invariants.cedar"));
    let arguments = ["prove", "--config", &config, "--invariants", &invariants, "--format", "json"];
    let ended = run(KENWARD, &arguments).await;
    assert_eq!(ended.code, Some(code), "{}{}", ended.stdout, ended.stderr);
    let told: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    told["invariants"][0].clone()
}

#[tokio::test]
async fn another_path_is_found_and_its_story_is_allowed_until_it_is_closed() {
    if !has_solver() {
        return;
    }
    let files = Files::demo();
    files.write("all.invariants.cedar", SECRET);
    let (closed, open) = (
        "context.family == \"location\" && context.precision < 4 }",
        "context.family == \"location\" && context.precision < 4 &&\n       \
         context.via != Mcp::Tool::\"deliveries/get_dropoff_locations\" }",
    );
    files.edit("policies/knowledge.cedar", closed, open);
    let found = first(&files, 1).await;
    assert_eq!(found["outcome"], "violated", "{found}");
    let leaks: Vec<&str> = found["coverage"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|one| {
            one["facts"].as_array().expect("a list").iter().any(|f| f["violated"] == true)
        })
        .filter_map(|one| one["target"].as_str())
        .collect();
    assert_eq!(leaks, ["deliveries/get_dropoff_locations"]);
    let stories = found["counterexamples"].as_array().expect("a list");
    assert!(!stories.is_empty());
    for (number, story) in stories.iter().enumerate() {
        files.write(&format!("found/{number}.yaml"), story["story"].as_str().expect("a story"));
    }
    let (config, folder) = (files.path("kenward.yaml"), files.path("found"));
    let test = ["test", "--config", &config, &folder];
    let ended = run(KENWARD, &test).await;
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("`refuse` was expected, and it was `allow`"), "{}", ended.stdout);
    files.edit("policies/knowledge.cedar", open, closed);
    let ended = run(KENWARD, &test).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(first(&files, 0).await["outcome"], "proven");
}

#[tokio::test]
async fn a_call_that_is_found_can_be_played() {
    if !has_solver() {
        return;
    }
    let files = Files::demo();
    files.write(
        "all.invariants.cedar",
        r#"@invariant("interns list no customers")
           forbid (principal is User in Group::"interns", action == Mcp::Action::"deliveries/list_customers", resource);"#,
    );
    files.write(
        "policies/extra.cedar",
        r#"permit (principal in Group::"interns", action == Mcp::Action::"deliveries/list_customers", resource);"#,
    );
    let found = first(&files, 1).await;
    let story = found["counterexamples"][0]["story"].as_str().expect("a story");
    assert!(story.contains("- call: \"deliveries/list_customers\""), "{story}");
    assert!(story.contains("deliveries:read"), "the scope that it needs: {story}");
}

#[tokio::test]
async fn a_solver_that_cannot_answer_proves_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let files = Files::demo();
    files.write("all.invariants.cedar", SECRET);
    files.write("cvc5", "#!/bin/sh\nwhile read line; do echo 'all is well'; done\n");
    let program = files.path("cvc5");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("a program");
    let (config, invariants) = (files.path("kenward.yaml"), files.path("all.invariants.cedar"));
    let ended = tokio::process::Command::new(KENWARD)
        .args(["prove", "--config", &config, "--invariants", &invariants])
        .env("CVC5", &program)
        .output()
        .await
        .expect("it runs");
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("not proven nobody outside"), "{said}");
    assert!(said.contains("all is well"), "{said}");
}

#[tokio::test]
async fn mistakes_of_the_call_are_said_with_status_two() {
    let files = Files::demo();
    files.write("all.invariants.cedar", SECRET);
    let config = files.path("kenward.yaml");
    let without = |path: &'static str| {
        let (config, invariants) = (config.clone(), files.path("all.invariants.cedar"));
        async move {
            tokio::process::Command::new(KENWARD)
                .args(["prove", "--config", &config, "--invariants", &invariants])
                .env("PATH", path)
                .env_remove("CVC5")
                .output()
                .await
                .expect("it runs")
        }
    };
    let ended = without("/nowhere").await;
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(2), "{said}");
    assert!(said.contains("install the Debian package cvc5"), "{said}");
    for (arguments, wanted) in [
        (vec!["prove", "--config", &config], "there is no invariant"),
        (vec!["prove", "--config", &config, "--invariants", "/no/such"], "there is no `/no/such`"),
        (vec!["prove", "--config", "/no/such.yaml"], "no configuration"),
        (vec!["prove", "--timeout", "soon"], "is no duration"),
    ] {
        let ended = run(KENWARD, &arguments).await;
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(wanted), "{arguments:?}: {}", ended.stderr);
    }
}

#[tokio::test]
async fn what_is_no_invariant_is_found_with_its_place() {
    let files = Files::demo();
    files.write("all.invariants.cedar", "\npermit (principal, action, resource);");
    let (config, invariants) = (files.path("kenward.yaml"), files.path("all.invariants.cedar"));
    let ended = run(KENWARD, &["prove", "--config", &config, "--invariants", &invariants]).await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("an invariant needs a name"), "{}", ended.stderr);
    assert!(ended.stderr.contains("all.invariants.cedar:2:1"), "{}", ended.stderr);
}
