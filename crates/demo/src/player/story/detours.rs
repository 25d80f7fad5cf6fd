//! Step 4: every other way to the same fact.

use kenward_mcp::dialect::Era;
use serde_json::{Value, json};

use super::Cast;
use super::teller::Teller;

/// An order of the protected customer, which somebody might have read off a label.
const HER_ORDER: &str = "KW-20804";

pub(super) async fn tell(teller: &mut Teller<'_>, cast: &mut Cast) -> Result<(), String> {
    teller.page.step(4, "It tries everything else");
    for (tool, arguments) in [
        ("find_customer", json!({ "by": "account", "value": "KD-4711-13" })),
        ("find_customer", json!({ "by": "email", "value": "taylor@example.com" })),
        ("list_customer_orders", json!({ "customer_id": "4711" })),
        ("get_order", json!({ "order_id": HER_ORDER })),
        ("get_dropoff_locations", json!({ "near": "Tailor Swifft's house" })),
    ] {
        teller.refused(&mut cast.rita, tool, arguments, 3).await?;
    }
    teller.page.note("in a new conversation:", "");
    let mut again = teller.connect("rita", "demo-agent", Era::Legacy).await?;
    let hers = json!({ "customer_id": "4711" });
    teller.refused(&mut again, "get_customer_address", hers.clone(), 3).await?;
    teller.page.note("from another client, in another version of the protocol:", "");
    let near = json!({ "near": "Taylor Swift's home" });
    teller.refused(&mut cast.elsewhere, "get_dropoff_locations", near, 3).await?;
    teller.page.note("one small question at a time:", "");
    teller.refused(&mut cast.elsewhere, "get_delivery_eta", hers, 3).await?;
    rows(teller, cast).await?;
    nothing_arrived(teller);
    Ok(())
}

/// A whole list is allowed, and what may not be learnt is taken out of it.
async fn rows(teller: &mut Teller<'_>, cast: &mut Cast) -> Result<(), String> {
    let gist = |content: &Value| {
        let all = content.get("customers").and_then(Value::as_array);
        let with = all.into_iter().flatten().filter(|row| row.get("zip").is_some()).count();
        format!("{} names, with the postcode of her own {with} alone", all.map_or(0, Vec::len))
    };
    let content = teller.allowed(&mut cast.elsewhere, "list_customers", json!({}), gist).await?;
    let row = |id: &str| {
        let all = content.get("customers").and_then(Value::as_array).into_iter().flatten();
        all.into_iter().find(|row| row.get("id").is_some_and(|known| known == id))
    };
    let zip = |id: &str| row(id).and_then(|row| row.get("zip"));
    let (own, hers) = (zip("1001").is_some(), zip("4711").is_some());
    teller.ledger.check(own, || "the postcode of Rita's own customer is missing".to_owned());
    teller.ledger.check(!hers, || "the list tells the protected postcode".to_owned());
    Ok(())
}

/// What is refused never reaches the service.
fn nothing_arrived(teller: &mut Teller<'_>) {
    let seen = teller.stage.deliveries.seen();
    let about_her = |arguments: &Value| {
        let text = arguments.to_string().to_lowercase();
        ["4711", "swif", "taylor", &HER_ORDER.to_lowercase()].iter().any(|word| text.contains(word))
    };
    let arrived = seen.iter().any(|call| call.user == "rita" && about_her(&call.arguments));
    teller.ledger.check(!arrived, || "a refused call reached the service".to_owned());
    let says = if arrived { "has seen what it should not" } else { "has seen none of this" };
    teller.page.note("and the service behind", says);
}
