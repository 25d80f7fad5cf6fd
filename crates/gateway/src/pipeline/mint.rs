//! Step 8, mint: the grant that carries user, agent and exact parameters downstream, for this call.

use http::HeaderValue;
use kenward_identity::grant::{self, Grant};
use kenward_live::InForce;
use kenward_policy::Permit;

use super::Call;
use crate::gateway::Gateway;
use crate::settings::Transport;
use crate::stop::Stop;

/// A grant ready to go; never logged.
pub(crate) struct Minted(pub(crate) String);

pub(crate) fn mint(
    gateway: &Gateway,
    call: &Call,
    permit: &Permit,
    in_force: &InForce,
) -> Result<Option<Minted>, Stop> {
    let settings = &call.entry.settings;
    let server = settings.servers.get(&call.entry.server).filter(|server| server.grant);
    let Some(server) = server else { return Ok(None) };
    let caller = &call.entry.caller;
    let url = match &server.transport {
        Transport::Http(uri) => uri.to_string(),
        Transport::Stdio { .. } => format!("stdio:{}", call.entry.server),
    };
    let target = call.target();
    let scope = format!("mcp.{}", call.row.name.replace('/', "."));
    let grant = Grant {
        issuer: &settings.public_url,
        trust_domain: &settings.trust_domain,
        txn: call.id,
        user: &caller.user.id,
        agent: &caller.agent.id,
        requesting_workload: &settings.workload,
        scope: &scope,
        method: call.row.name,
        server_url: &url,
        target: &target,
        arguments_sha256: call.digest,
        resources: &permit.basis().objects,
        policy_epoch: in_force.policies.epoch(),
        revision: in_force.world.revision(),
        ip: Some(call.entry.ip),
        authentication: caller.acr.as_deref(),
        protocol: call.dialect.version,
        lifetime: settings.grant_lifetime,
    };
    let key = gateway.grants.current(call.entry.time);
    grant::mint(&key, &grant, call.entry.time).map(Minted).map(Some).map_err(|error| {
        tracing::error!(%error, "a grant could not be made; nothing is forwarded");
        let id = call.request_id().map(<[u8]>::to_vec);
        Stop::Us { id, reference: call.id.to_string() }
    })
}

impl Minted {
    /// The grant as the value of `Txn-Token`.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::try_from(&self.0).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl Minted {
    /// The grant as text, for a server that has no headers.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Minted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Minted(…)")
    }
}
