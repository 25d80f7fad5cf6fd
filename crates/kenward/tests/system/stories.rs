//! Promise: policies can be questioned and tested from the command line, with the gateway's answers.

use kenward_testkit::run;

use crate::KENWARD;

/// The files of the demo, in a folder of their own.
fn demo() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let assets = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/assets");
    copy(&assets, folder.path());
    folder
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&target).expect("a folder");
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("a file");
        }
    }
}

#[tokio::test]
async fn the_stories_of_the_demo_are_as_told() {
    let folder = demo();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let ended = run(KENWARD, &["test", "--config", &path("kenward.yaml"), &path("stories")]).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("all as told"), "{}", ended.stdout);
}

#[tokio::test]
async fn a_changed_policy_is_found_by_its_story() {
    let folder = demo();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let knowledge = std::fs::read_to_string(path("policies/knowledge.cedar")).expect("a file");
    let weaker = knowledge
        .replace("context.precision < 4", "context.precision < 1")
        .replace("!context.exact && !resource.protected", "!context.exact");
    assert_ne!(knowledge, weaker);
    std::fs::write(path("policies/knowledge.cedar"), weaker).expect("a file");
    let ended = run(KENWARD, &["test", "--config", &path("kenward.yaml"), &path("stories")]).await;
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("FAILED"), "{}", ended.stdout);
}

#[tokio::test]
async fn a_story_with_a_mistake_says_where() {
    let folder = demo();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("wrong.yaml"), "story: x\nsteps:\n  - { cal: a/b }\n").expect("a file");
    let ended =
        run(KENWARD, &["test", "--config", &path("kenward.yaml"), &path("wrong.yaml")]).await;
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("wrong.yaml:3"), "{}", ended.stderr);
    let nothing = run(KENWARD, &["test", "--config", &path("kenward.yaml"), "/nowhere"]).await;
    assert_eq!(nothing.code, Some(2), "{}", nothing.stderr);
}

#[tokio::test]
async fn one_question_is_decided_and_explained() {
    let folder = demo();
    let config = folder.path().join("kenward.yaml").display().to_string();
    let asked = "deliveries/get_dropoff_locations";
    let ask = async |arguments: &str, format: &str| {
        let call =
            ["decide", "--config", &config, "--user", "ron", asked, "--arguments", arguments];
        run(KENWARD, &[&call[..], &["--format", format]].concat()).await
    };
    let refused = ask(r#"{"near": "Taylor Swift"}"#, "text").await;
    assert_eq!(refused.code, Some(1), "{}{}", refused.stdout, refused.stderr);
    for part in
        ["refuse", "near[0..12]", "4711", "nearby_places", "protected-customers", "desk alone"]
    {
        assert!(refused.stdout.contains(part), "{part}: {}", refused.stdout);
    }
    let allowed = ask(r#"{"near": "our Nashville depot"}"#, "json").await;
    assert_eq!(allowed.code, Some(0), "{}{}", allowed.stdout, allowed.stderr);
    let told: serde_json::Value = serde_json::from_str(&allowed.stdout).expect("JSON");
    assert_eq!(told["verdict"], "allow");
    assert_eq!(ask("[1]", "text").await.code, Some(2));
}
