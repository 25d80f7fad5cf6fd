//! Step 1: what the model is offered differs from person to person.

use serde_json::json;

use super::Cast;
use super::teller::Teller;
use crate::player::client::Client;
use crate::player::print::Verdict;

const EXPORT: &str = "export_all_customers";
/// A tool that nobody has.
const NOWHERE: &str = "export_all_customerz";

pub(super) async fn tell(teller: &mut Teller<'_>, cast: &mut Cast) -> Result<(), String> {
    teller.page.step(1, "What the model is offered depends on whom it works for");
    let ritas = list(teller, &mut cast.rita).await?;
    let sams = list(teller, &mut cast.sam).await?;
    teller.ledger.check(ritas.iter().any(|tool| tool == "get_customer_address"), || {
        "Rita is not offered get_customer_address".to_owned()
    });
    teller
        .ledger
        .check(!ritas.iter().any(|tool| tool == EXPORT), || format!("Rita is offered {EXPORT}"));
    teller
        .ledger
        .check(sams.iter().any(|tool| tool == EXPORT), || format!("Sam is not offered {EXPORT}"));
    hidden(teller, &mut cast.rita).await
}

async fn list(teller: &mut Teller<'_>, client: &mut Client) -> Result<Vec<String>, String> {
    let tools = client.tools().await?;
    let with = if tools.iter().any(|tool| tool == EXPORT) { "with" } else { "without" };
    let gist = format!("{} tools, {with} {EXPORT}", tools.len());
    teller.page.request(client.role.person, "tools/list", Verdict::Allowed, &gist);
    Ok(tools)
}

/// What is not offered is answered as if it did not exist.
async fn hidden(teller: &mut Teller<'_>, rita: &mut Client) -> Result<(), String> {
    let secret = rita.call(EXPORT, &json!({})).await?;
    let nothing = rita.call(NOWHERE, &json!({})).await?;
    let same = secret.error_code() == nothing.error_code()
        && secret.text().replace(EXPORT, NOWHERE) == nothing.text();
    teller.ledger.check(same && secret.error_code().is_some(), || {
        format!("{EXPORT} answers {}, and what does not exist {}", secret.short(), nothing.short())
    });
    if same {
        let gist = "word for word what a tool answers that does not exist";
        teller.page.request("rita", EXPORT, Verdict::Unknown, gist);
    }
    Ok(())
}
