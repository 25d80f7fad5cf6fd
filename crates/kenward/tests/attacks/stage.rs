//! The stage on which cases are played: a gateway with its servers, as the people of cases see it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kenward_testkit::{Deployment, Era, Gateway, Issuer, Mcp, Upstream};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::KENWARD;
use crate::cases::Step;
use crate::domain::Domain;
use crate::layers::Layer;
use crate::requests;
use crate::seen::{Seen, Verdict};

/// How long a stream is listened to.
const LISTENING: Duration = Duration::from_millis(1200);

/// What all cases share.
pub(crate) struct Stage {
    pub(crate) domain: Arc<Domain>,
    pub(crate) issuer: Issuer,
    pub(crate) gateway: Gateway,
    pub(crate) upstreams: BTreeMap<String, Upstream>,
    pub(crate) era: Era,
}

impl Stage {
    /// Starts the gateway of a domain with `layer` in force.
    pub(crate) async fn start(domain: Arc<Domain>, layer: Layer, era: Era) -> Self {
        let issuer = Issuer::start().await;
        let (deployment, upstreams) = domain.deploy(layer, &issuer).await;
        let gateway = Gateway::start(KENWARD, deployment).await;
        Self { domain, issuer, gateway, upstreams, era }
    }

    /// States `users` to the gateway.
    pub(crate) async fn let_in(&self, users: &[Value]) {
        let lines: Vec<String> = users.iter().map(Value::to_string).collect();
        let reply = self.gateway.administrate("POST", "/api/v1/entities", &lines.join("\n")).await;
        assert!(reply.status.is_success(), "stating the users: {}", reply.text());
    }

    /// A client of `server` for `user` by way of `agent`.
    pub(crate) async fn connect(&self, user: &str, agent: &str, server: &str, era: Era) -> Mcp {
        let audience = self.gateway.deployment().audience(server);
        let token = self.issuer.token(user, &audience).claim("client_id", agent).sign();
        Mcp::connect(&self.gateway.url(), &format!("/mcp/{server}"), &token, era).await
    }

    /// Kills the gateway and starts it on the same state.
    pub(crate) async fn restart(&mut self) {
        self.gateway.signal(Signal::KILL);
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while tokio::net::TcpStream::connect(self.gateway.admin().address()).await.is_ok() {
            assert!(std::time::Instant::now() < deadline, "the gateway outlives SIGKILL");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let files = std::mem::replace(self.gateway.deployment_mut(), Deployment::empty(""));
        self.gateway = Gateway::start(KENWARD, files).await;
    }

    /// Does `step`; `last` is the answer before it, for retries, and `me` the user of the case.
    pub(crate) async fn perform(
        &self,
        step: &Step,
        mcp: Option<&Arc<Mcp>>,
        last: &Value,
        me: &str,
    ) -> Seen {
        let Some(mcp) = mcp else { return self.edit(step, me).await };
        if let Some((server, uri)) = step.listen.as_ref().and_then(|target| target.split_once('/'))
        {
            return self.listen(step, mcp, server, uri).await;
        }
        let (method, params) = requests::request(step, last);
        let mut message = mcp.message(&method, params);
        if mcp.era() == Era::Modern {
            message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
                json!({ "elicitation": {} });
        }
        Seen::reply(&mcp.send(&message).await)
    }

    async fn edit(&self, step: &Step, me: &str) -> Seen {
        let entity = step.edit.as_ref().expect("an edit").to_string().replace("$me", me);
        let entity: Value = serde_json::from_str(&entity).expect("an entity");
        let kind = entity["type"].as_str().expect("a type");
        let path = format!("/api/v1/entities/{kind}/{}", entity["id"].as_str().expect("an id"));
        let reply = self.gateway.administrate("PUT", &path, &entity.to_string()).await;
        assert!(reply.status.is_success(), "{path}: {}", reply.text());
        Seen::stream(Verdict::Allowed, "", &[])
    }

    async fn listen(&self, step: &Step, mcp: &Mcp, server: &str, uri: &str) -> Seen {
        let mut uris = vec![uri];
        if mcp.era() == Era::Legacy {
            let reply = mcp.request("resources/subscribe", json!({ "uri": uri })).await;
            let seen = Seen::reply(&reply);
            if seen.verdict != Verdict::Allowed {
                return seen;
            }
            uris.clear();
        }
        let mut stream = mcp.listen(&uris).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        for message in &step.emit {
            let method = message["method"].as_str().expect("a method");
            self.upstreams[server].notify(method, &message["params"]);
        }
        let (messages, _) = stream.rest(LISTENING).await;
        Seen::stream(Verdict::Allowed, &stream.seen(), &messages)
    }

    /// Whether a call of `<server>/<tool>` reached the server for `user`, as its grant says.
    pub(crate) fn reached(&self, target: &str, user: &str) -> bool {
        let (server, tool) = target.split_once('/').expect("a server");
        self.upstreams[server].calls(tool).iter().any(|call| {
            let payload = call.header("txn-token").and_then(|token| token.split('.').nth(1));
            payload.is_some_and(|payload| subject(payload) == user)
        })
    }
}

/// The `sub` of a token's payload.
fn subject(payload: &str) -> String {
    let read = crate::meaning::unwrap_base64(payload).unwrap_or_default();
    let claims: Value = serde_json::from_str(&read).unwrap_or_default();
    claims["sub"].as_str().unwrap_or_default().to_owned()
}
