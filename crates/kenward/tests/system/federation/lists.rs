//! The merged lists: everything that the caller may use, once, in pages that only they can turn.

use kenward_testkit::{Answer, Era, Mcp, Received};
use serde_json::{Value, json};

use super::House;

const REPRESENTATIVES: [&str; 7] = [
    "deliveries__track_parcel",
    "deliveries__get_customer_address",
    "deliveries__get_dropoff_locations",
    "deliveries__add_note",
    "deliveries__list_customers",
    "deliveries__set_limit",
    "deliveries__export_all",
];

const PROCESS: [&str; 9] =
    ["whoami", "environment", "crash", "noise", "slow", "hold", "release", "flood", "seen"];

#[tokio::test]
async fn each_person_sees_their_own_of_all_servers() {
    let house = House::start().await;
    for era in Era::BOTH {
        let rita = house.connect_to_running("rita", era).await;
        let tools = rita.tools().await;
        assert_eq!(tools[0], "archive__look_up", "{era:?}");
        assert!(tools[1].starts_with("archive__files_read_"), "{era:?}: {tools:?}");
        assert_eq!(tools[2..9], REPRESENTATIVES, "{era:?}");

        assert_eq!(tools[9..], PROCESS.map(|name| format!("process__{name}")), "{era:?}");
        let alice = house.connect("alice", era).await;
        let tools = alice.tools().await;
        assert!(tools.contains(&"deliveries__purge_records".to_owned()), "{era:?}: {tools:?}");
        assert!(tools.iter().all(|name| name.starts_with("deliveries__")), "{era:?}: {tools:?}");
    }
    let mallory = house.client(Some(&house.token("mallory")), Era::Modern);
    assert!(mallory.tools().await.is_empty());
    let mut mallory = house.client(Some(&house.token("mallory")), Era::Legacy);
    assert!(mallory.handshake(&json!({})).await.message.get("result").is_none());
}

/// Answers `of` tools in pages of two.
fn paged(prefix: &'static str, of: usize) -> impl Fn(&Received) -> Answer + Send + Sync + 'static {
    move |received| {
        let cursor = received.params()["cursor"].as_str().map(str::to_owned);
        let start: usize = cursor.map_or(0, |cursor| cursor.parse().expect("our own cursor"));
        let tools: Vec<Value> = (start..of.min(start + 2))
            .map(|at| json!({ "name": format!("{prefix}{at}"), "inputSchema": { "type": "object" } }))
            .collect();
        let mut page = json!({ "tools": tools, "ttlMs": 9_000_000, "cacheScope": "public" });
        if start + 2 < of {
            page["nextCursor"] = json!((start + 2).to_string());
        }
        Answer::Result(page)
    }
}

/// All pages, and the cursors between them.
async fn all(mcp: &Mcp) -> (Vec<String>, Vec<String>) {
    let (mut names, mut cursors): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let params = cursors.last().map_or(json!({}), |cursor| json!({ "cursor": cursor }));
        let reply = mcp.request("tools/list", params).await;
        names.extend(reply.names("tools", "name"));
        match reply.result()["nextCursor"].as_str() {
            Some(next) => cursors.push(next.to_owned()),
            None => return (names, cursors),
        }
    }
    panic!("the list has no end: {names:?}")
}

fn expected() -> Vec<String> {
    let of = |server: &'static str, prefix: &'static str, count: usize| {
        (0..count).map(move |at| format!("{server}__{prefix}{at}"))
    };

    let process = PROCESS.into_iter().map(|name| format!("process__{name}"));
    let mut all: Vec<String> =
        of("archive", "look", 7).chain(of("deliveries", "item", 4)).chain(process).collect();
    all.sort_unstable();
    all
}

#[tokio::test]
async fn pages_lose_nothing_and_repeat_nothing() {
    let house = House::start().await;
    house.archive.on("tools/list", paged("look", 7));
    house.deliveries.on("tools/list", paged("item", 4));
    for era in Era::BOTH {
        let rita = house.connect_to_running("rita", era).await;
        let (mut names, cursors) = all(&rita).await;
        names.sort_unstable();
        assert_eq!(names, expected(), "{era:?}");
        assert_eq!(cursors.len(), 3, "{era:?}");
    }
}

#[tokio::test]
async fn a_server_that_fails_in_the_middle_goes_on_with_the_others() {
    let house = House::start().await;
    house.archive.on("tools/list", paged("look", 7));
    let deliveries = paged("item", 4);
    let failed = std::sync::atomic::AtomicBool::new(false);
    house.deliveries.on("tools/list", move |received| {
        let is_second = received.params()["cursor"] == "2";
        if is_second && !failed.swap(true, std::sync::atomic::Ordering::SeqCst) {
            return Answer::Raw(500, "text/plain", "oh".into());
        }
        deliveries(received)
    });
    let rita = house.connect_to_running("rita", Era::Modern).await;
    let (mut names, _) = all(&rita).await;
    names.sort_unstable();
    assert_eq!(names, expected());
}

#[tokio::test]
async fn a_cursor_is_good_for_nobody_and_nothing_else() {
    let house = House::start().await;
    for (upstream, prefix) in [(&house.archive, "look"), (&house.deliveries, "item")] {
        upstream.on("tools/list", paged(prefix, 7));
    }
    let rita = house.connect("rita", Era::Modern).await;
    let cursor = rita.request("tools/list", json!({})).await.result()["nextCursor"].clone();
    let cursor = cursor.as_str().expect("a cursor").to_owned();
    assert!(!cursor.contains("archive"), "{cursor}");
    let ron = house.connect("ron", Era::Modern).await;
    let other = house.issuer.token("rita", &format!("{}/mcp", house.gateway.url()));
    let other = other.claim("client_id", "agent-2").sign();
    let other = house.client(Some(&other), Era::Modern);
    let legacy = house.connect("rita", Era::Legacy).await;
    let mut altered = cursor.clone().into_bytes();
    altered[20] = if altered[20] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(altered).expect("ascii");
    house.archive.forget();
    house.deliveries.forget();
    for (who, mcp, method, cursor) in [
        ("another person", &ron, "tools/list", json!(cursor)),
        ("another agent", &other, "tools/list", json!(cursor)),
        ("the other era", &legacy, "tools/list", json!(cursor)),
        ("another list", &rita, "prompts/list", json!(cursor)),
        ("altered", &rita, "tools/list", json!(altered)),
        ("cut", &rita, "tools/list", json!(cursor[..cursor.len() - 2])),
        ("a server's own", &rita, "tools/list", json!("2")),
        ("empty", &rita, "tools/list", json!("")),
        ("no string", &rita, "tools/list", json!(2)),
    ] {
        let reply = mcp.request(method, json!({ "cursor": cursor })).await;
        assert_eq!(reply.error_code(), Some(-32602), "{who}: {}", reply.http.text());
    }
    for upstream in [&house.archive, &house.deliveries] {
        assert!(
            upstream.requests("tools/list").is_empty()
                && upstream.requests("prompts/list").is_empty()
        );
    }
    let reply = rita.request("tools/list", json!({ "cursor": cursor })).await;
    assert_eq!(reply.names("tools", "name")[0], "archive__look2", "the owner's is still good");
}

#[tokio::test]
async fn a_right_that_is_lost_between_two_pages_is_lost_on_the_second() {
    let house = House::start().await;
    house.archive.on("tools/list", paged("look", 7));
    let rita = house.connect("rita", Era::Modern).await;
    let cursor = rita.request("tools/list", json!({})).await.result()["nextCursor"].clone();
    crate::streams::set_groups(&house.gateway, &[]).await;
    let reply = rita.request("tools/list", json!({ "cursor": cursor })).await;
    assert_eq!(reply.result()["tools"], json!([]), "{}", reply.http.text());
    assert_eq!(reply.result().get("nextCursor"), None, "{}", reply.http.text());
}

#[tokio::test]
async fn definitions_are_as_the_server_wrote_them_but_for_the_name() {
    let house = House::start().await;
    let definition = r#"{ "inputSchema":{"type":"object","name":"x"} ,"name":"look_up", "n":1.50,"description":"look_up" }"#;
    let body = move |id: &Value| {
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"tools\":[{definition}]}}}}")
    };
    house.archive.on("tools/list", move |received| {
        Answer::Raw(200, "application/json", body(&received.json()["id"]).into())
    });
    let rita = house.connect("rita", Era::Legacy).await;
    let reply = rita.request("tools/list", json!({})).await;
    let renamed = definition.replacen("\"name\":\"look_up\"", "\"name\":\"archive__look_up\"", 1);
    assert!(reply.http.text().contains(&renamed), "{}", reply.http.text());
}
