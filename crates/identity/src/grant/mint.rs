//! Minting a grant: on the path of every call, so with few allocations and one signature.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kenward_model::{DecisionId, EntityUid, Revision, Target, Timestamp};
use serde::Serialize;

use super::{Grant, GrantError, GrantKey, LONGEST};

/// Room for the claims of most grants, in bytes.
const USUAL: usize = 1024;

/// Makes the token that says what `grant` says, signed with `key`, beginning `now`.
pub fn mint(key: &GrantKey, grant: &Grant<'_>, now: Timestamp) -> Result<String, GrantError> {
    let seconds = grant.lifetime.as_secs();
    if seconds == 0 || grant.lifetime > LONGEST {
        return Err(GrantError::Lifetime);
    }
    let issued = now.as_seconds();
    let expires = issued.saturating_add(i64::try_from(seconds).map_err(|_| GrantError::Lifetime)?);
    let digest = Base64::of(&grant.arguments_sha256).ok_or(GrantError::NotWritten)?;
    let mut claims = Vec::with_capacity(USUAL);
    serde_json::to_writer(&mut claims, &Claims::new(grant, issued, expires, digest.as_str()))
        .map_err(|_| GrantError::NotWritten)?;
    let mut token = String::with_capacity(key.header.len() + claims.len() * 4 / 3 + 100);
    token.push_str(&key.header);
    URL_SAFE_NO_PAD.encode_string(&claims, &mut token);
    let mut signature = String::with_capacity(88);
    key.sign(token.as_bytes(), &mut signature)?;
    token.push('.');
    token.push_str(&signature);
    Ok(token)
}

/// A SHA-256 as base64url, without an allocation.
struct Base64([u8; 43]);

impl Base64 {
    fn of(digest: &[u8; 32]) -> Option<Self> {
        let mut text = [0; 43];
        let length = URL_SAFE_NO_PAD.encode_slice(digest, &mut text).ok()?;
        (length == text.len()).then_some(Self(text))
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    txn: DecisionId,
    sub: &'a str,
    act: Actor<'a>,
    req_wl: &'a str,
    scope: &'a str,
    tctx: Transaction<'a>,
    rctx: Request<'a>,
}

#[derive(Serialize)]
struct Actor<'a> {
    sub: &'a str,
}

#[derive(Serialize)]
struct Transaction<'a> {
    method: &'a str,
    server: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_template: Option<&'a str>,
    args_hash: ArgumentsHash<'a>,
    resource: &'a [EntityUid],
    decision: Decision<'a>,
}

#[derive(Serialize)]
struct ArgumentsHash<'a> {
    alg: &'static str,
    canon: &'static str,
    value: &'a str,
}

#[derive(Serialize)]
struct Decision<'a> {
    id: DecisionId,
    policy_epoch: &'a str,
    revision: Revision,
}

#[derive(Serialize)]
struct Request<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    req_ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authn: Option<&'a str>,
    mcp_protocol: &'a str,
    client: &'a str,
}

impl<'a> Claims<'a> {
    fn new(grant: &Grant<'a>, iat: i64, exp: i64, digest: &'a str) -> Self {
        Self {
            iss: grant.issuer,
            aud: grant.trust_domain,
            iat,
            exp,
            txn: grant.txn,
            sub: grant.user,
            act: Actor { sub: grant.agent },
            req_wl: grant.requesting_workload,
            scope: grant.scope,
            tctx: Transaction::new(grant, digest),
            rctx: Request {
                req_ip: grant.ip,
                authn: grant.authentication,
                mcp_protocol: grant.protocol,
                client: grant.agent,
            },
        }
    }
}

impl<'a> Transaction<'a> {
    fn new(grant: &Grant<'a>, digest: &'a str) -> Self {
        let mut transaction = Self {
            method: grant.method,
            server: grant.server_url,
            tool: None,
            prompt: None,
            uri: None,
            uri_template: None,
            args_hash: ArgumentsHash { alg: "sha-256", canon: "RFC8785", value: digest },
            resource: grant.resources,
            decision: Decision {
                id: grant.txn,
                policy_epoch: grant.policy_epoch,
                revision: grant.revision,
            },
        };
        match grant.target {
            Target::Server => {}
            Target::Tool(name) => transaction.tool = Some(name),
            Target::Prompt(name) => transaction.prompt = Some(name),
            Target::Resource(uri) => transaction.uri = Some(uri),
            Target::ResourceTemplate(template) => transaction.uri_template = Some(template),
        }
        transaction
    }
}
