//! Step 5: what the service behind receives, and that nothing else opens it.

use ::http::header::{ACCEPT, CONTENT_TYPE};
use ::http::{HeaderName, HeaderValue, Method, Request, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::Full;
use kenward_identity::grant;
use serde_json::{Value, json};

use super::Cast;
use super::teller::Teller;
use crate::Seen;
use crate::http::Http;
use crate::player::client::Tape;

const TOOL: &str = "get_customer_address";

pub(super) async fn tell(teller: &mut Teller<'_>, cast: &mut Cast) -> Result<(), String> {
    teller.page.step(5, "What was allowed reaches the service sealed");
    let own = json!({ "customer_id": "1001" });
    let reply = cast.rita.call(TOOL, &own).await?;
    teller.ledger.check(reply.is_answered(), || {
        format!("Rita's own customer should be allowed, and gets {}", reply.short())
    });
    let seen = teller.stage.deliveries.seen().pop().ok_or("the service has seen nothing")?;
    show(teller, &seen);
    look(teller, &seen, &own);
    attack(teller, &seen, &own).await
}

/// The token, decoded.
fn show(teller: &mut Teller<'_>, seen: &Seen) {
    let header = |name: &str| word(&seen.header, &format!("/{name}"));
    let claim = |pointer: &str| word(&seen.claims, pointer);
    teller.page.note("Txn-Token", &format!("{}, signed with {}", header("typ"), header("alg")));
    teller.page.note(
        "  says",
        &format!(
            "sub {}, act.sub {}, aud {}, {} {}, good for {} s and one use",
            claim("/sub"),
            claim("/act/sub"),
            claim("/aud"),
            claim("/tctx/method"),
            claim("/tctx/tool"),
            lifetime(&seen.claims),
        ),
    );
    let digest = claim("/tctx/args_hash/value");
    teller.page.note("  seals", &format!("the arguments, by their SHA-256 {digest}"));
    teller.page.note(
        "the service saw",
        &format!("{} via {}, exactly {}", seen.user, seen.agent, seen.arguments),
    );
}

fn look(teller: &mut Teller<'_>, seen: &Seen, sent: &Value) {
    let as_sent = seen.target == TOOL
        && seen.arguments == *sent
        && (seen.user.as_str(), seen.agent.as_str()) == ("rita", "demo-agent");
    teller.ledger.check(as_sent, || {
        format!(
            "the service saw {} {} of {} via {}",
            seen.target, seen.arguments, seen.user, seen.agent
        )
    });
    let digest = grant::arguments_sha256(sent).map(|digest| URL_SAFE_NO_PAD.encode(digest));
    let sealed = word(&seen.claims, "/tctx/args_hash/value");
    teller.ledger.check(digest.is_ok_and(|digest| digest == sealed), || {
        "the token does not seal the arguments that were sent".to_owned()
    });
    let seconds = lifetime(&seen.claims);
    teller.ledger.check((1..=60).contains(&seconds), || format!("the token lives for {seconds} s"));
}

/// Around the gateway: without a token, with the used one, and with it for something else.
async fn attack(teller: &mut Teller<'_>, seen: &Seen, own: &Value) -> Result<(), String> {
    let hers = json!({ "customer_id": "4711" });
    let used = seen.token.as_deref();
    for (how, token, arguments) in [
        ("around the gateway, without a token:", None, &hers),
        ("with the same token once more:", used, own),
        ("with the same token for her address:", used, &hers),
    ] {
        let (status, says) =
            direct(&teller.stage.deliveries.url, &teller.tape, token, arguments).await?;
        teller.page.note(how, &format!("{status} {says}"));
        teller.ledger.check(status == 403, || format!("{how} the service answers {status} {says}"));
    }
    Ok(())
}

/// Calls the service without the gateway.
async fn direct(
    service: &str,
    tape: &Tape,
    token: Option<&str>,
    arguments: &Value,
) -> Result<(u16, String), String> {
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": TOOL, "arguments": arguments, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        } },
    });
    let mut request = Request::new(Full::new(Bytes::from(message.to_string())));
    *request.method_mut() = Method::POST;
    let uri = Uri::try_from(service);
    *request.uri_mut() = uri.map_err(|error| error.to_string())?;
    for (name, value) in [
        (CONTENT_TYPE.as_str(), "application/json"),
        (ACCEPT.as_str(), "application/json, text/event-stream"),
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", TOOL),
    ] {
        let name = HeaderName::try_from(name).map_err(|error| error.to_string())?;
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if let Some(token) = token {
        let value = HeaderValue::try_from(token).map_err(|error| error.to_string())?;
        request.headers_mut().insert(HeaderName::from_static("txn-token"), value);
    }
    let answer = Http::new().send(request).await.map_err(|error| error.to_string())?;
    tape.keep(&answer.body);
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    Ok((answer.status.as_u16(), word(&body, "/error/message")))
}

fn lifetime(claims: &Value) -> i64 {
    let time = |name: &str| claims.get(name).and_then(Value::as_i64).unwrap_or(0);
    time("exp").saturating_sub(time("iat"))
}

fn word(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("nothing").to_owned()
}
