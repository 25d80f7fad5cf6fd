//! Promise: a server that is a process is one for each caller, gets what the configuration says and
//! nothing else, and is gone when it is no longer needed.

use std::time::Duration;

use kenward_testkit::{Deployment, Era, Gateway, Issuer, Mcp, proc};
use serde_json::{Value, json};

use crate::{KENWARD, SOON};

/// A gateway before the server in `stdio_server.py`.
struct House {
    issuer: Issuer,
    gateway: Gateway,
}

#[tokio::test]
async fn a_process_serves_lists_and_calls() {
    let house = start("good").await;
    for era in Era::BOTH {
        let rita = house.connect("rita", era).await;
        let tools = rita.tools().await;
        assert_eq!(tools, ["whoami", "environment", "crash", "noise", "slow"], "{era:?}");
        let reply = rita.call("slow", json!({ "a": "\u{e9}\n" })).await;
        assert!(reply.text().contains("done"), "{era:?}: {}", reply.http.text());
        let hidden = rita.call("hidden", json!({})).await;
        assert_eq!(hidden.error_code(), Some(-32602), "{era:?}: {}", hidden.http.text());
    }
}

#[tokio::test]
async fn each_caller_has_a_process_of_their_own() {
    let house = start("good").await;
    for era in Era::BOTH {
        let rita = house.connect("rita", era).await;
        let ron = house.connect("ron", era).await;
        let (first, second) = (who(&rita).await, who(&ron).await);
        assert_ne!(first["pid"], second["pid"], "{era:?}");
        assert_eq!(first["pid"], who(&rita).await["pid"], "{era:?}: the same for the next call");
        assert_eq!(first["argv"], json!(["good", "one argument; $(x)"]), "{era:?}");
    }
}

#[tokio::test]
async fn its_environment_is_what_the_configuration_says() {
    let house = start_with("good", |deployment| {
        deployment.environment.push(("KENWARD_SECRET".to_owned(), "swordfish".to_owned()));
        deployment.config["servers"]["process"]["env"] = json!({ "GREETING": "hello" });
    })
    .await;
    let rita = house.connect("rita", Era::Modern).await;
    let text = rita.call("environment", json!({})).await.text();
    assert!(text.contains("hello"), "{text}");
    assert!(!text.contains("swordfish"), "{text}");
    let environment: Value = serde_json::from_str(&text).expect("json");
    assert!(environment.get("KENWARD_SECRET").is_none(), "{text}");
}

#[tokio::test]
async fn noise_on_its_output_disturbs_nobody() {
    let house = start("good").await;
    for era in Era::BOTH {
        let rita = house.connect("rita", era).await;
        let reply = rita.call("noise", json!({})).await;
        assert!(reply.is_done(), "{era:?}: {}", reply.http.text());
        for word in ["evil", "roots/list", "Debug"] {
            assert!(!reply.http.text().contains(word), "{era:?}: {}", reply.http.text());
        }
        assert!(rita.call("slow", json!({})).await.is_done(), "{era:?}");
    }
}

#[tokio::test]
async fn a_process_that_dies_is_our_failure_and_another_takes_its_place() {
    let house = start("good").await;
    let rita = house.connect("rita", Era::Modern).await;
    let before = who(&rita).await;
    let reply = rita.call("crash", json!({})).await;
    assert_eq!(reply.error_code(), Some(-32603), "{}", reply.http.text());
    let after = who(&rita).await;
    assert_ne!(before["pid"], after["pid"]);
    let legacy = house.connect("rita", Era::Legacy).await;
    assert!(!legacy.call("crash", json!({})).await.is_done());
    let reply = legacy.call("slow", json!({})).await;
    assert_eq!(reply.status(), 404, "the session died with its process: {}", reply.http.text());
    assert!(house.connect("rita", Era::Legacy).await.call("slow", json!({})).await.is_done());
}

#[tokio::test]
async fn a_session_takes_its_process_with_it() {
    for behaviour in ["good", "stubborn"] {
        let house = start(behaviour).await;
        let rita = house.connect("rita", Era::Legacy).await;
        let family = family(&who(&rita).await);
        assert!(family.iter().all(|pid| proc::lives(*pid)));
        rita.end().await;
        assert!(gone(&family).await, "{behaviour}: {family:?} go on");
    }
}

#[tokio::test]
async fn nothing_is_left_when_the_gateway_stops() {
    for behaviour in ["good", "stubborn"] {
        let house = start(behaviour).await;
        let mut all = Vec::new();
        for (user, era) in [("rita", Era::Legacy), ("ron", Era::Modern)] {
            let mcp = house.connect(user, era).await;
            all.extend(family(&who(&mcp).await));
        }
        assert_eq!(all.len(), 4);
        let House { gateway, .. } = house;
        let ended = gateway.stop().await;
        assert_eq!(ended.code, Some(0), "{behaviour}: {}", ended.stderr);
        assert!(gone(&all).await, "{behaviour}: {all:?} are orphans");
    }
}

#[tokio::test]
async fn a_gateway_that_is_killed_leaves_no_server_behind() {
    let house = start("good").await;
    let rita = house.connect("rita", Era::Modern).await;
    let family = family(&who(&rita).await);
    house.gateway.signal(rustix::process::Signal::KILL);
    assert!(gone(&family[..1]).await, "{family:?} go on without their gateway");
    drop(house);
    for pid in family.iter().skip(1).filter(|pid| proc::lives(**pid)) {
        let pid = i32::try_from(*pid).ok().and_then(rustix::process::Pid::from_raw).expect("a pid");
        let _gone = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

#[tokio::test]
async fn the_grant_goes_in_the_metadata_of_the_call() {
    let house = start("good").await;
    for era in Era::BOTH {
        let rita = house.connect("rita", era).await;
        let meta = who(&rita).await["meta"].clone();
        let has_grant = meta.to_string().contains("eyJ");
        assert!(has_grant, "{era:?}: {meta}");
    }
}

#[tokio::test]
async fn the_first_caller_finds_what_nobody_has_listed_yet() {
    for era in Era::BOTH {
        let house = start_with("good", |deployment| {
            deployment.config["servers"]["process"]["tools"] = json!({});
        })
        .await;
        let rita = house.connect("rita", era).await;
        assert!(rita.call("slow", json!({})).await.is_done(), "{era:?}");
    }
}

impl House {
    async fn connect(&self, user: &str, era: Era) -> Mcp {
        self.gateway.connect(&self.issuer, user, "process", era).await
    }
}

async fn start(behaviour: &str) -> House {
    start_with(behaviour, |_| {}).await
}

async fn start_with(behaviour: &str, change: impl FnOnce(&mut Deployment)) -> House {
    let issuer = Issuer::start().await;
    let mut deployment = Deployment::empty(issuer.url());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/system/stdio_server.py");
    deployment.add_server(
        "process",
        json!({ "command": [python(), script, behaviour, "one argument; $(x)"], "tools": { "whoami": {}, "hidden": {} } }),
    );
    deployment.write(
        "policies/all.cedar",
        "permit (principal, action in Mcp::Action::\"tools/call\", resource in Mcp::Server::\"process\")\n\
         unless { resource == Mcp::Tool::\"process/hidden\" };\n",
    );
    change(&mut deployment);
    let gateway = Gateway::start(KENWARD, deployment).await;
    House { issuer, gateway }
}

/// The interpreter's own path: a version manager's stand-in would be a process in between.
pub(crate) fn python() -> String {
    let output = std::process::Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output();
    let output = output.expect("python3 is installed");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

async fn who(mcp: &Mcp) -> Value {
    let reply = mcp.call("whoami", json!({})).await;
    serde_json::from_str(&reply.text()).unwrap_or_else(|_| panic!("{}", reply.http.text()))
}

/// The process and its child.
fn family(who: &Value) -> Vec<u32> {
    let pid =
        |name: &str| who[name].as_u64().and_then(|pid| u32::try_from(pid).ok()).expect("a pid");
    vec![pid("pid"), pid("child")]
}

async fn gone(pids: &[u32]) -> bool {
    let deadline = std::time::Instant::now() + SOON * 2;
    while pids.iter().any(|pid| proc::lives(*pid)) {
        if std::time::Instant::now() > deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    true
}
