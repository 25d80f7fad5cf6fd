//! Step 6: a right is withdrawn while its stream is open.

use std::time::Duration;

use ::http::header::{AUTHORIZATION, CONTENT_TYPE};
use ::http::{HeaderValue, Method, Request, Uri};
use bytes::Bytes;
use http_body_util::Full;
use serde_json::{Value, json};

use super::Cast;
use super::teller::Teller;
use crate::Stage;
use crate::http::Http;
use crate::player::client::{Next, Stream};
use crate::player::print::Verdict;

const TODAY: &str = "delivery://today/nashville";
const UPDATED: &str = "notifications/resources/updated";
/// How long an update may take that is to come.
const SOON: Duration = Duration::from_millis(500);
/// How long the end of the stream may take.
const END: Duration = Duration::from_secs(3);
/// How often the day goes on until the stream has heard of it.
const TRIES: usize = 20;

/// Makes Rita a representative, by the admin API.
pub(super) async fn appoint(stage: &Stage<'_>) -> Result<(), String> {
    put_rita(stage, &json!([{ "type": "Group", "id": "representatives" }])).await
}

pub(super) async fn tell(teller: &mut Teller<'_>, cast: &mut Cast) -> Result<(), String> {
    teller.page.step(6, "Rita's right is withdrawn while she watches the depot");
    let mut stream = cast.elsewhere.listen(TODAY).await?;
    acknowledged(teller, &mut stream).await?;
    first_update(teller, &mut stream).await?;
    put_rita(teller.stage, &json!([])).await?;
    teller.page.line("   admin  PUT /api/v1/entities/User/rita, no longer a representative");
    teller.stage.deliveries.advance();
    after(teller, &mut stream).await;
    let tools = cast.elsewhere.tools().await?;
    teller.ledger.check(tools.is_empty(), || format!("Rita is still offered {tools:?}"));
    let gist = format!("{} tools are left", tools.len());
    teller.page.request("rita", "tools/list", Verdict::Allowed, &gist);
    let own = json!({ "customer_id": "1001" });
    for client in [&mut cast.rita, &mut cast.elsewhere] {
        let reply = client.call("get_customer_address", &own).await?;
        let verdict = if reply.is_answered() { Verdict::Allowed } else { Verdict::Unknown };
        let asked = format!("get_customer_address of her own, by {}", client.role.agent);
        teller.page.request("rita", &asked, verdict, "");
        teller.ledger.check(!reply.is_answered(), || "Rita still gets addresses".to_owned());
    }
    Ok(())
}

async fn acknowledged(teller: &mut Teller<'_>, stream: &mut Stream) -> Result<(), String> {
    let Next::Message(first) = stream.next(END).await else {
        return Err("the stream is not acknowledged".to_owned());
    };
    let honoured = first.pointer("/params/notifications/resourceSubscriptions/0");
    let good = method(&first) == "notifications/subscriptions/acknowledged"
        && honoured.is_some_and(|uri| uri == TODAY);
    teller.ledger.check(good, || format!("the stream begins with {first}"));
    teller.page.request("rita", &format!("subscriptions/listen {TODAY}"), Verdict::Allowed, "");
    Ok(())
}

/// Lets the day go on until the stream has heard of it, and then everything that is under way.
async fn first_update(teller: &mut Teller<'_>, stream: &mut Stream) -> Result<(), String> {
    for _ in 0..TRIES {
        teller.stage.deliveries.advance();
        if let Next::Message(message) = stream.next(SOON).await {
            teller
                .ledger
                .check(method(&message) == UPDATED, || format!("the stream says {message}"));
            while let Next::Message(_) = stream.next(SOON).await {}
            teller.page.note("the depot's day goes on:", "she is told");
            return Ok(());
        }
    }
    Err("the stream hears of no update".to_owned())
}

/// What the stream says after the right is gone: that the list has changed, and that it ends.
async fn after(teller: &mut Teller<'_>, stream: &mut Stream) {
    let mut said = Vec::new();
    let ended = loop {
        match stream.next(END).await {
            Next::Message(message) => said.push(method(&message).to_owned()),
            Next::Ended => break true,
            Next::Silence => break false,
        }
    };
    let heard = said.iter().any(|method| method == UPDATED);
    teller.ledger.check(!heard, || "an update came after the right was withdrawn".to_owned());
    let told = said.iter().any(|method| method == "notifications/tools/list_changed");
    teller.ledger.check(told, || format!("the stream says {said:?}, not that the list changed"));
    teller.ledger.check(ended, || "the stream stays open".to_owned());
    let news = if told { "her list has changed" } else { "nothing" };
    let end = if ended { "and it ends" } else { "and it stays open" };
    teller.page.note("the depot's day goes on:", &format!("the stream tells {news}, {end}"));
}

async fn put_rita(stage: &Stage<'_>, parents: &Value) -> Result<(), String> {
    let record = json!({ "type": "User", "id": "rita", "parents": parents });
    let mut request = Request::new(Full::new(Bytes::from(record.to_string())));
    *request.method_mut() = Method::PUT;
    let uri = Uri::try_from(format!("{}/api/v1/entities/User/rita", stage.admin));
    *request.uri_mut() = uri.map_err(|error| error.to_string())?;
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(CONTENT_TYPE, json);
    let bearer = HeaderValue::try_from(format!("Bearer {}", stage.admin_token));
    let mut bearer = bearer.map_err(|error| error.to_string())?;
    bearer.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, bearer);
    let answer = Http::new().send(request).await.map_err(|error| error.to_string())?;
    if answer.status.is_success() {
        return Ok(());
    }
    let body = String::from_utf8_lossy(&answer.body);
    Err(format!("PUT User/rita answers {} {}", answer.status, body.trim()))
}

fn method(message: &Value) -> &str {
    message.get("method").and_then(Value::as_str).unwrap_or_default()
}
