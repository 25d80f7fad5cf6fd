//! The gateway between the suite and the reference server.

use std::net::SocketAddr;

use kenward_testkit::{Deployment, Eras, Gateway, Issuer, Reference};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use crate::KENWARD;
use crate::shim::Shim;

/// What the suite may do: exactly what it asks for.
const POLICIES: &str = include_str!("reference.cedar");

const DIRECTORY: &str = "- { type: User, id: suite }\n";

/// Everything that runs.
#[derive(Debug)]
pub(crate) struct House {
    _issuer: Issuer,
    _reference: Reference,
    gateway: Gateway,
    _shim: Shim,
}

impl House {
    /// A reference server of these eras, the gateway, and the suite's way in.
    pub(crate) async fn start(eras: Eras) -> Self {
        let issuer = Issuer::start().await;
        let reference = Reference::start(eras).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let door = listener.local_addr().expect("an address");
        let mut deployment = Deployment::empty(issuer.url());
        let listen = deployment.config["listen"].as_str().expect("an address");
        let target: SocketAddr = listen.parse().expect("an address");
        deployment.config["public_url"] = json!(format!("http://{door}"));
        let tools: Map<String, Value> =
            Reference::tools().into_iter().map(|name| (name.to_owned(), json!({}))).collect();
        deployment.add_server("reference", json!({ "url": reference.url(), "tools": tools }));
        deployment.write("policies/reference.cedar", POLICIES);
        deployment.write("directory.yaml", DIRECTORY);
        let token = issuer.token("suite", &deployment.audience("reference")).sign();
        let shim = Shim::start(listener, target, &token);
        let gateway = Gateway::start(KENWARD, deployment).await;
        Self { _issuer: issuer, _reference: reference, gateway, _shim: shim }
    }

    /// What the suite calls.
    pub(crate) fn url(&self) -> String {
        self.gateway.deployment().audience("reference")
    }
}
