//! Steps 2 and 3: the question itself, and the first way around it.

use serde_json::{Value, json};

use super::Cast;
use super::teller::Teller;

pub(super) async fn tell(teller: &mut Teller<'_>, cast: &mut Cast) -> Result<(), String> {
    teller.page.step(2, "It asks for the address");
    let address = "get_customer_address";
    let hers = json!({ "customer_id": "4711" });
    teller.refused(&mut cast.rita, address, hers.clone(), 3).await?;
    let own = json!({ "customer_id": "1001" });
    let content = teller.allowed(&mut cast.rita, address, own, street).await?;
    teller.ledger.check(!street(&content).is_empty(), || {
        "the address of Rita's own customer is missing".to_owned()
    });
    let gist = |_: &Value| "the address".to_owned();
    let content = teller.allowed(&mut cast.priya, address, hers, gist).await?;
    teller.ledger.check(teller.stage.deliveries.secrets().contains(&street(&content)), || {
        "the protection desk does not get the address".to_owned()
    });
    Ok(())
}

pub(super) async fn tell_nearby(teller: &mut Teller<'_>, cast: &mut Cast) -> Result<(), String> {
    teller.page.step(3, "It asks for what is near the address");
    let near = |place: &str| json!({ "near": place });
    let tool = "get_dropoff_locations";
    teller.refused(&mut cast.rita, tool, near("Taylor Swift's home"), 3).await?;
    let depot = near("our Nashville depot");
    let content = teller.allowed(&mut cast.rita, tool, depot, places).await?;
    let found = content.get("locations").and_then(Value::as_array);
    teller.ledger.check(found.is_some_and(|found| !found.is_empty()), || {
        "there is no place near the Nashville depot".to_owned()
    });
    let distance = found.into_iter().flatten().any(|place| place.get("distance_km").is_some());
    teller.ledger.check(!distance, || "distances came through that are to be removed".to_owned());
    if !distance {
        teller.page.note("taken out:", "the distances, which tell of where they are measured from");
    }
    Ok(())
}

fn street(content: &Value) -> String {
    content.pointer("/address/street").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn places(content: &Value) -> String {
    let found = content.get("locations").and_then(Value::as_array).map_or(0, Vec::len);
    format!("{found} places")
}
