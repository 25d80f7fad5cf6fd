//! Promise: a change of a file is in effect within a second, and a broken file changes nothing and
//! says so.

use std::time::{Duration, Instant};

use kenward_testkit::{Deployment, Era, Gateway, Issuer, Mcp, Upstream};
use serde_json::json;

use crate::{KENWARD, QUIET, Story};

/// A second from the last write, and a little for the machine.
const IN_TIME: Duration = Duration::from_millis(1_500);

#[tokio::test]
async fn a_change_of_the_directory_takes_effect() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    assert!(!may_purge(&rita).await);
    let directory = story.gateway.deployment().read("directory.yaml");
    let user = "- { type: User, id: rita, parents: [ { type: Group, id: representatives }";
    assert!(directory.contains(user));
    let changed = directory.replace(user, &format!("{user}, {{ type: Group, id: admins }}"));
    story.gateway.deployment().write("directory.yaml", &changed);
    assert!(within(IN_TIME, async || may_purge(&rita).await).await, "{}", story.gateway.log());
    story.gateway.deployment().replace("directory.yaml", &directory);
    assert!(within(IN_TIME, async || !may_purge(&rita).await).await, "{}", story.gateway.log());
}

#[tokio::test]
async fn a_change_during_the_start_is_not_missed() {
    let issuer = Issuer::start().await;
    let upstream = Upstream::start().await;
    let deployment = Deployment::deliveries(&issuer, &upstream);
    let (file, state) = (deployment.path("directory.yaml"), deployment.path("kenward.db"));
    let directory = deployment.read("directory.yaml");
    let user = "- { type: User, id: rita, parents: [ { type: Group, id: representatives }";
    let changed = directory.replace(user, &format!("{user}, {{ type: Group, id: admins }}"));
    let change = tokio::spawn(async move {
        // The state is opened after the files were read, and before anything is served.
        while !state.exists() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        std::fs::write(file, changed).expect("a file");
    });
    let gateway = Gateway::start(KENWARD, deployment).await;
    change.await.expect("a change");
    let story = Story { issuer, upstream, gateway };
    let rita = story.connect("rita", Era::Modern).await;
    assert!(within(IN_TIME, async || may_purge(&rita).await).await, "{}", story.gateway.log());
}

#[tokio::test]
async fn an_entity_that_leaves_the_file_leaves_the_directory() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    let directory = story.gateway.deployment().read("directory.yaml");
    let without: Vec<&str> =
        directory.lines().filter(|line| !line.contains("id: rita, ")).collect();
    story.gateway.deployment().write("directory.yaml", &without.join("\n"));
    let gone = within(IN_TIME, async || !tracks(&rita).await).await;
    assert!(gone, "{}", story.gateway.log());
}

#[tokio::test]
async fn a_change_of_a_policy_takes_effect() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    rita.tools().await;
    assert!(tracks(&rita).await);
    let forbid = "@id(\"closed\") @reason(\"Closed today.\")\n\
                  forbid (principal, action == Mcp::Action::\"deliveries/track_parcel\", resource);\n";
    story.gateway.deployment().write("policies/today.cedar", forbid);
    assert!(within(IN_TIME, async || !tracks(&rita).await).await, "{}", story.gateway.log());
    assert!(!rita.tools().await.contains(&"track_parcel".to_owned()));
    std::fs::remove_file(story.gateway.deployment().path("policies/today.cedar"))
        .expect("removing");
    assert!(within(IN_TIME, async || tracks(&rita).await).await, "{}", story.gateway.log());
}

#[tokio::test]
async fn a_policy_file_written_in_pieces_counts_once_it_is_whole() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    rita.tools().await;
    let forbid =
        "forbid (principal, action == Mcp::Action::\"deliveries/track_parcel\", resource);\n";
    for end in [10, 30, 60, forbid.len()] {
        story.gateway.deployment().write("policies/today.cedar", &forbid[..end.min(forbid.len())]);
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    assert!(within(IN_TIME, async || !tracks(&rita).await).await, "{}", story.gateway.log());
}

#[tokio::test]
async fn a_broken_policy_changes_nothing_and_says_so() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    rita.tools().await;
    for (kind, broken) in [
        ("syntax", "permit (principal, action, resource"),
        ("an unknown group", "permit (principal in Grup::\"x\", action, resource);"),
        (
            "an unknown attribute",
            "permit (principal, action == Mcp::Action::\"learn\", resource is Customer) when { resource.protectd };",
        ),
        ("everything allowed but broken", "permit (principal, action, resource);\nforbid ("),
    ] {
        story.gateway.deployment().write("policies/broken.cedar", broken);
        assert!(story.gateway.says("broken.cedar").await, "{kind}: {}", story.gateway.log());
        tokio::time::sleep(QUIET).await;
        assert!(tracks(&rita).await, "{kind}: what was allowed is");
        assert!(!may_purge(&rita).await, "{kind}: what was refused is");
    }
    std::fs::remove_file(story.gateway.deployment().path("policies/broken.cedar"))
        .expect("removing");
    assert!(within(IN_TIME, async || tracks(&rita).await).await);
}

#[tokio::test]
async fn a_broken_directory_changes_nothing_and_says_so() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    for broken in
        ["- { type: User, id: rita, parents: [", "- { type: User }\n", "", "hello: world\n"]
    {
        let before = story.gateway.log().len();
        story.gateway.deployment().write("directory.yaml", broken);
        let said = within(Duration::from_secs(4), async || {
            story.gateway.log()[before..].contains("directory.yaml")
        });
        // An empty file is an empty list, which is a directory that knows nobody.
        if said.await {
            assert!(tracks(&rita).await, "`{broken}`: {}", story.gateway.log());
        } else {
            assert_eq!(broken, "", "nothing was said: {}", story.gateway.log());
        }
    }
}

#[tokio::test]
async fn a_change_of_the_configuration_takes_effect() {
    let mut story = Story::start().await;
    let empty = json!({ "customers": [] });
    story.upstream.on_tool("list_customers", move |_| kenward_testkit::Answer::structured(&empty));
    let rita = story.connect("rita", Era::Modern).await;
    assert!(rita.call("list_customers", json!({})).await.is_done());
    let server = &mut story.gateway.deployment_mut().config["servers"]["deliveries"];
    server["scopes"]["deliveries:list"] = json!({ "tools": ["list_*"], "says": "List customers" });
    story.gateway.deployment().write_config();
    let needs_scope = async || rita.call("list_customers", json!({})).await.status() == 403;
    assert!(within(IN_TIME, needs_scope).await, "{}", story.gateway.log());
    let server = &mut story.gateway.deployment_mut().config["servers"]["deliveries"];
    server["scopes"] = json!({ "deliveries:none": { "tools": "all" } });
    story.gateway.deployment().write_config();
    assert!(story.gateway.says("kenward.yaml").await, "{}", story.gateway.log());
    tokio::time::sleep(QUIET).await;
    assert_eq!(
        rita.call("list_customers", json!({})).await.status(),
        403,
        "the last good one counts"
    );
}

#[tokio::test]
async fn keys_in_a_file_are_watched_too() {
    let issuer = Issuer::start().await;
    let published = issuer.jwks().to_string();
    let story = Story::start_with(|deployment| {
        deployment.config["issuers"][0]["issuer"] = json!(issuer.url());
        deployment.config["issuers"][0]["jwks"] = json!("file:jwks.json");
        deployment.write("jwks.json", "{\"keys\":[]}");
    })
    .await;
    let token = issuer.token("rita", &story.audience()).sign();
    let rita = story.client(Some(&token), Era::Modern);
    assert_eq!(rita.call("track_parcel", json!({ "parcel": "p" })).await.status(), 401);
    story.gateway.deployment().replace("jwks.json", &published);
    assert!(within(IN_TIME, async || tracks(&rita).await).await, "{}", story.gateway.log());
}

#[tokio::test]
async fn rights_that_end_while_the_server_answers_end_the_answer() {
    let story = Story::start().await;
    let signal = std::sync::Arc::new(tokio::sync::Notify::new());
    let waiting = std::sync::Arc::clone(&signal);
    story.upstream.on_tool("track_parcel", move |_| {
        let answer = kenward_testkit::Answer::text("a-secret-answer");
        kenward_testkit::Answer::When(std::sync::Arc::clone(&waiting), Box::new(answer))
    });
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        let call = rita.call("track_parcel", json!({ "parcel": "p" }));
        let withdraw = async {
            assert!(story.upstream.until(|upstream| upstream.under_way() == 1).await);
            let directory = story.gateway.deployment().read("directory.yaml");
            let user =
                "{ type: User, id: rita, parents: [ { type: Group, id: representatives } ] }";
            let without = directory.replace(user, "{ type: User, id: rita }");
            assert_ne!(without, directory);
            story.gateway.deployment().write("directory.yaml", &without);
            let ron = story.connect("ron", Era::Modern).await;
            let rita = story.connect("rita", Era::Modern).await;
            assert!(within(IN_TIME, async || rita.tools().await.is_empty()).await);
            assert!(!ron.tools().await.is_empty());
            signal.notify_one();
            directory
        };
        let (reply, directory) = tokio::join!(call, withdraw);
        assert!(!reply.http.text().contains("a-secret-answer"), "{era:?}: {}", reply.http.text());
        story.gateway.deployment().write("directory.yaml", &directory);
        let rita = story.connect("ron", Era::Modern).await;
        assert!(!rita.tools().await.is_empty());
        let back = story.client(Some(&story.token("rita")), Era::Modern);
        assert!(within(IN_TIME, async || !back.tools().await.is_empty()).await);
    }
}

/// Whether `holds` within `time`.
async fn within(time: Duration, holds: impl AsyncFn() -> bool) -> bool {
    let deadline = Instant::now() + time;
    loop {
        if holds().await {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn may_purge(mcp: &Mcp) -> bool {
    mcp.call("purge_records", json!({})).await.is_done()
}

async fn tracks(mcp: &Mcp) -> bool {
    mcp.call("track_parcel", json!({ "parcel": "p" })).await.is_done()
}
