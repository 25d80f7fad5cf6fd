//! An issuer of others: its discovery, its keys and its tokens, found by a client that has nothing
//! but the URL of an endpoint.

use kenward_testkit::{Client, Deployment, Gateway, Issuer, Upstream, ports};
use serde_json::json;

use crate::KENWARD;
use crate::clients;
use crate::installed::Peers;

#[tokio::test]
async fn a_client_finds_the_issuer_logs_in_and_is_let_through() {
    let Some(peers) = Peers::find() else { return };
    let ours = Issuer::start().await;
    let upstream = Upstream::start().await;
    let mut deployment = Deployment::deliveries(&ours, &upstream);
    let port = ports::free();
    let issuer = format!("http://127.0.0.1:{port}");
    deployment.config["issuers"] = json!([{ "issuer": issuer, "claims": { "user": "sub" } }]);
    let audience = deployment.audience("deliveries");
    let script = peers.script("issuer.mjs");
    let arguments = [script.as_str(), &port.to_string(), &audience];
    let _provider =
        Peers::serve(&peers.node(), &arguments, &[], &format!("127.0.0.1:{port}")).await;
    let gateway = Gateway::start(KENWARD, deployment).await;

    let metadata =
        gateway.http().get("/.well-known/oauth-protected-resource/mcp/deliveries", &[]).await;
    assert_eq!(metadata.json()["authorization_servers"], json!([issuer]));

    let plan = clients::plan().to_string();
    let outcomes = peers.carry_out("login_client.mjs", &[&audience, "rita", &plan]).await;
    assert!(outcomes[0]["ok"].to_string().contains("track_parcel"), "{outcomes:?}");
    assert!(outcomes[1]["ok"].to_string().contains("p-1"), "{outcomes:?}");
    assert_eq!(outcomes[2]["ok"]["isError"], true, "{outcomes:?}");
    let call = upstream.calls("track_parcel").remove(0);
    let grant = call.header("txn-token").expect("a grant").to_owned();
    let keys = Client::new(&gateway.url()).get("/.well-known/jwks.json", &[]).await.json();
    let since =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock");
    let now =
        kenward_model::Timestamp::from_seconds(i64::try_from(since.as_secs()).expect("a clock"));
    let claims =
        kenward_identity::grant::verify(&grant, &keys, "example.com", now).expect("a good grant");
    assert_eq!(claims["sub"], "rita");
    assert_eq!(claims["act"]["sub"], "agent-1");
}
