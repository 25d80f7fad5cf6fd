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
        assert_eq!(
            tools,
            ["whoami", "environment", "crash", "noise", "slow", "hold", "release", "flood", "seen",],
            "{era:?}"
        );
        let reply = rita.call("slow", json!({ "a": "\u{e9}\n" })).await;
        assert!(reply.text().contains("done"), "{era:?}: {}", reply.http.text());
        let hidden = rita.call("hidden", json!({})).await;
        assert_eq!(hidden.error_code(), Some(-32602), "{era:?}: {}", hidden.http.text());
    }
}

#[tokio::test]
async fn a_client_with_sessions_is_served_by_a_process_that_knows_none() {
    let house = start("modern").await;
    let rita = house.connect("rita", Era::Legacy).await;
    let all =
        ["whoami", "environment", "crash", "noise", "slow", "hold", "release", "flood", "seen"];
    assert_eq!(rita.tools().await, all);
    let other = house.connect("rita", Era::Legacy).await;
    let ron = house.connect("ron", Era::Legacy).await;
    let (first, second) = (who(&rita).await, who(&ron).await);
    assert_ne!(first["pid"], second["pid"], "each caller has a process");
    // Two sessions of one caller ask under the same ids, and each gets its own answer.
    let (slow, quick) =
        (rita.call("slow", json!({ "n": 1 })), other.call("slow", json!({ "n": 2 })));
    let both = crate::together(vec![Box::pin(slow), Box::pin(quick)]).await;
    for (reply, n) in both.iter().zip([1, 2]) {
        assert_eq!(reply.text(), format!("done {{\"n\": {n}}}"), "{}", reply.http.text());
    }
    let grant = first["meta"]["dev.kenward/txn-token"].as_str();
    assert!(grant.is_some_and(|grant| grant.split('.').count() == 3), "{first}");
    let hidden = rita.call("hidden", json!({})).await;
    assert_eq!(hidden.error_code(), Some(-32602), "{}", hidden.http.text());
    let crashed = rita.call("crash", json!({})).await;
    assert_eq!(crashed.error_code(), Some(-32603), "{}", crashed.http.text());
    assert_ne!(who(&rita).await["pid"], first["pid"], "the session goes on with another process");
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
async fn clients_of_one_person_do_not_get_into_each_others_way() {
    let house = start("good").await;
    let clients = [(); 5].map(|()| house.connect("rita", Era::Modern));
    let clients = crate::together(clients.map(Box::pin).into()).await;
    let held = |place: usize| {
        let call = json!({ "name": "hold", "arguments": { "of": place }, "_meta": { "progressToken": "t" } });
        clients[place].request("tools/call", call)
    };
    let calls: Vec<_> = (0..4).map(|place| Box::pin(held(place))).collect();
    let release = async {
        let sees_all = async || {
            let text = clients[4].call("seen", json!({})).await.text();
            text.matches("hold").count() >= 4
        };
        assert!(crate::until(sees_all).await);
        assert!(clients[4].call("release", json!({})).await.is_done());
    };
    let (replies, ()) = tokio::join!(crate::together(calls), release);
    for (place, reply) in replies.iter().enumerate() {
        assert_eq!(reply.message["id"], 1, "{place}: {}", reply.http.text());
        assert_eq!(reply.text(), format!("held {{\"of\": {place}}}"), "{}", reply.http.text());
        let progress: Vec<&Value> =
            reply.before.iter().map(|said| &said["params"]["progressToken"]).collect();
        assert_eq!(progress, [&json!("t")], "{place}: {}", reply.http.text());
    }
    let seen: Value =
        serde_json::from_str(&clients[4].call("seen", json!({})).await.text()).expect("json");
    let mut ids: Vec<i64> =
        seen.as_array().expect("a list").iter().filter_map(|one| one["id"].as_i64()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "no id is used twice towards the process: {seen}");
}

#[tokio::test]
async fn a_modern_stream_of_a_process_carries_its_news_under_its_own_id() {
    let house = start("good").await;
    let rita = house.connect("rita", Era::Modern).await;
    let mut streams = [rita.listen(&[]).await, rita.listen(&[]).await];
    for (place, stream) in streams.iter_mut().enumerate() {
        let news = stream.next_of("notifications/tools/list_changed", SOON).await.message();
        let tag = &news["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"];
        assert_eq!(*tag, json!(place + 1), "{news}");
    }
}

#[tokio::test]
async fn a_call_that_its_client_gave_up_is_called_off() {
    let house = start("good").await;
    let rita = house.connect("rita", Era::Modern).await;
    let call = json!({ "name": "hold", "arguments": {}, "_meta": { "progressToken": "t" } });
    let mut stream = rita.stream("tools/call", call).await;
    stream.next(SOON).await.message();
    drop(stream);
    let is_told = async || {
        let seen = rita.call("seen", json!({})).await.text();
        let seen: Value = serde_json::from_str(&seen).expect("json");
        let seen = seen.as_array().expect("a list").clone();
        let id = |method: &str, pointer: &str| {
            let found = seen.iter().find(|one| {
                one["method"] == method
                    && (method != "tools/call" || one["params"]["name"] == "hold")
            });
            found.and_then(|found| found.pointer(pointer).cloned())
        };
        let held = id("tools/call", "/id");
        held.is_some() && held == id("notifications/cancelled", "/params/requestId")
    };
    assert!(crate::until(is_told).await);
    // In the legacy era the client says so itself, of its own requests alone.
    let ron = house.connect("ron", Era::Legacy).await;
    let message = ron.message(
        "tools/call",
        json!({ "name": "hold", "arguments": {}, "_meta": { "progressToken": "t" } }),
    );
    let headers = ron.headers(&message);
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let opened = ron.http().open("POST", ron.path(), &headers, message.to_string()).await;
    for id in [json!(9_999), message["id"].clone()] {
        ron.notify("notifications/cancelled", json!({ "requestId": id })).await;
    }
    let told = ron.call("seen", json!({})).await.text();
    assert_eq!(told.matches("notifications/cancelled").count(), 1, "{told}");
    drop(opened);
}

#[tokio::test]
async fn a_process_that_dies_again_and_again_is_left_alone_for_a_while() {
    let house = start("mortal").await;
    let rita = house.connect("rita", Era::Modern).await;
    for _ in 0..40 {
        let started = std::time::Instant::now();
        let reply = rita.call("whoami", json!({})).await;
        assert_eq!(reply.error_code(), Some(-32603), "{}", reply.http.text());
        assert!(started.elapsed() < Duration::from_secs(2), "it fails at once");
    }
    let log = house.gateway.log();
    assert!(log.contains("dies again and again"), "{log}");
    let starts = log.matches("a server's process has ended").count();
    assert!((3..=15).contains(&starts), "{starts} starts for 40 calls");
    assert!(!house.connect("ron", Era::Modern).await.call("whoami", json!({})).await.is_done());
    let more =
        async || house.gateway.log().matches("a server's process has ended").count() > starts;
    assert!(crate::until(more).await, "rita's are no reason to refuse ron's first start");
}

#[tokio::test]
async fn its_standard_error_goes_to_the_log_escaped() {
    let house = start("good").await;
    let rita = house.connect("rita", Era::Modern).await;
    who(&rita).await;
    assert!(house.gateway.says("standard error").await, "{}", house.gateway.log());
    let log = house.gateway.log();
    let line = log.lines().find(|line| line.contains("[31mstandard error")).expect("the line");
    assert!(line.contains("u{1b}[31mstandard"), "{line:?}");
    assert!(!line.contains('\u{7}') && !line.contains('\r'), "{line:?}");
}

#[tokio::test]
async fn a_reader_that_does_not_read_fills_no_memory() {
    let house = start("good").await;
    let rita = house.connect("rita", Era::Modern).await;
    who(&rita).await;
    let before = proc::resident_bytes(house.gateway.pid()).expect("a process");
    // A hundred megabytes of log messages, of which nobody reads one.
    let call = json!({ "name": "flood", "arguments": {} });
    let stream = rita.stream("tools/call", call).await;
    let done = async || rita.call("whoami", json!({})).await.is_done();
    assert!(crate::until(done).await, "others go on");
    let after = proc::resident_bytes(house.gateway.pid()).expect("a process");
    assert!(after < before + (40 << 20), "from {before} to {after}");
    drop(stream);
}

#[tokio::test]
async fn processes_are_bounded_in_number() {
    let house = start_with("good", |deployment| {
        deployment.config["limits"] = json!({ "processes": 1 });
        // To ask what it speaks takes a process, too.
        let servers = deployment.config["servers"].as_object_mut().expect("servers");
        for server in servers.values_mut().filter(|server| server.get("command").is_some()) {
            server["era"] = json!("modern");
        }
    })
    .await;
    let rita = house.connect("rita", Era::Modern).await;
    who(&rita).await;
    let ron = house.connect("ron", Era::Modern).await;
    let reply = ron.call("whoami", json!({})).await;
    assert_eq!(reply.error_code(), Some(-32603), "{}", reply.http.text());
    assert!(rita.call("whoami", json!({})).await.is_done());
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
         unless { resource == Mcp::Tool::\"process/hidden\" };\n\
         permit (principal, action == Mcp::Action::\"subscriptions/listen\", resource == Mcp::Server::\"process\");\n",
    );
    deployment.environment.push(("KENWARD_LOG".to_owned(), "kenward_gateway=debug".to_owned()));
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
