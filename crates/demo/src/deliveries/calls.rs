//! What the tools answer. They check what they are given, and nothing about who asks.

use serde_json::{Value, json};

use super::stock::{DEPOTS, Row, Stock};

/// Why a tool cannot answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallError {
    /// There is no such tool.
    UnknownTool,
    /// The model reads this and tries again.
    Said(&'static str),
}

/// Calls a tool and gives its structured answer.
pub(super) fn call(stock: &Stock, tool: &str, arguments: &Value) -> Result<Value, CallError> {
    let text = |name: &str| {
        let given = arguments.get(name).and_then(Value::as_str).map(str::trim);
        given.filter(|text| !text.is_empty()).ok_or(CallError::Said("an argument is missing"))
    };
    match tool {
        "get_customer_address" => customer(stock, text("customer_id")?).map(|row| {
            json!({ "customer_id": row.get("id"), "name": row.get("name"), "address": address(row) })
        }),
        "get_dropoff_locations" => Ok(dropoffs(stock, text("near")?)),
        "get_order" => order(stock, text("order_id")?),
        "list_customer_orders" => orders(stock, text("customer_id")?),
        "find_customer" => find(stock, text("by")?, text("value")?),
        "list_customers" => Ok(table(stock, &["id", "name", "zip"])),
        "get_delivery_eta" => eta(stock, text("customer_id")?),
        "reschedule_delivery" => reschedule(stock, text("order_id")?, text("date")?),
        "export_all_customers" => {
            Ok(table(stock, &["id", "name", "email", "street", "city", "zip"]))
        }
        _ => Err(CallError::UnknownTool),
    }
}

fn customer<'s>(stock: &'s Stock, id: &str) -> Result<&'s Row, CallError> {
    stock.customer(id).ok_or(CallError::Said("there is no such customer"))
}

fn order_row<'s>(stock: &'s Stock, id: &str) -> Result<&'s Row, CallError> {
    stock.order(id).ok_or(CallError::Said("there is no such order"))
}

fn address(row: &Row) -> Value {
    json!({ "street": row.get("street"), "city": row.get("city"), "zip": row.get("zip") })
}

/// The anchor is whatever is mentioned: a customer by name, address or number, or else a city.
fn dropoffs(stock: &Stock, near: &str) -> Value {
    let wanted = near.to_lowercase();
    let mentions = |row: &&Row| {
        let names = ["name", "email", "account", "id"].map(|column| row.get(column).to_lowercase());
        names.iter().any(|name| wanted.contains(name.as_str()))
    };
    let home = stock.customers.iter().find(mentions).map(|row| row.get("city").to_lowercase());
    let anchor = home.unwrap_or(wanted);
    let near_it = stock.dropoffs.iter().filter(|row| {
        let city = row.get("city").to_lowercase();
        anchor.contains(&city)
    });
    let mut tenths = 0_u32;
    let locations: Vec<Value> = near_it
        .map(|row| {
            tenths += 7;
            json!({
                "name": row.get("name"), "street": row.get("street"), "city": row.get("city"),
                "open": row.get("open"), "distance_km": f64::from(tenths) / 10.0,
            })
        })
        .collect();
    json!({ "locations": locations })
}

fn order(stock: &Stock, id: &str) -> Result<Value, CallError> {
    let row = order_row(stock, id)?;
    let owner = customer(stock, row.get("customer"))?;
    Ok(json!({
        "order_id": row.get("id"),
        "status": row.get("status"),
        "window": window(stock, row),
        "ship_to": address(owner),
    }))
}

fn orders(stock: &Stock, id: &str) -> Result<Value, CallError> {
    let owner = customer(stock, id)?;
    let place = format!("{}, {}", owner.get("street"), owner.get("city"));
    let orders: Vec<Value> = stock
        .orders_of(id)
        .map(|row| {
            json!({
                "order_id": row.get("id"), "placed": row.get("placed"),
                "status": row.get("status"), "brought_to": place,
            })
        })
        .collect();
    Ok(json!({ "customer_id": id, "orders": orders }))
}

fn find(stock: &Stock, by: &str, value: &str) -> Result<Value, CallError> {
    if !["email", "account", "name"].contains(&by) {
        return Err(CallError::Said("by is email, account or name"));
    }
    let found = stock.customers.iter().find(|row| row.get(by).eq_ignore_ascii_case(value));
    let row = found.ok_or(CallError::Said("there is no such customer"))?;
    Ok(json!({
        "customer_id": row.get("id"), "name": row.get("name"), "email": row.get("email"),
        "address": address(row),
    }))
}

fn table(stock: &Stock, columns: &[&str]) -> Value {
    let row = |row: &Row| -> Value {
        let cells = columns.iter().map(|column| ((*column).to_owned(), row.get(column).into()));
        Value::Object(cells.collect())
    };
    json!({ "customers": stock.customers.iter().map(row).collect::<Vec<_>>() })
}

fn eta(stock: &Stock, id: &str) -> Result<Value, CallError> {
    let row = customer(stock, id)?;
    let open = stock.orders_of(id).find(|order| order.get("status") != "delivered");
    let number: u32 = id.parse().unwrap_or(0);
    let depot = DEPOTS.into_iter().find(|depot| *depot == row.get("depot")).unwrap_or_default();
    Ok(json!({
        "customer_id": id,
        "depot": depot,
        "minutes_from_depot": 12 + number % 37,
        "window": open.map_or_else(|| "nothing on the way".to_owned(), |order| window(stock, order)),
    }))
}

fn reschedule(stock: &Stock, id: &str, date: &str) -> Result<Value, CallError> {
    let row = order_row(stock, id)?;
    if !is_date(date) {
        return Err(CallError::Said("date is a day such as 2026-11-30"));
    }
    if row.get("status") == "delivered" {
        return Err(CallError::Said("the order has been delivered"));
    }
    stock.move_to(row.get("id"), date);
    Ok(json!({ "order_id": row.get("id"), "date": date, "window": window(stock, row) }))
}

fn window(stock: &Stock, order: &Row) -> String {
    let day = stock.moved_to(order.get("id")).unwrap_or_else(|| "today".to_owned());
    format!("{day} {}", order.get("window"))
}

fn is_date(text: &str) -> bool {
    let digits = |part: &str, many: usize| {
        part.len() == many && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut parts = text.split('-');
    matches!(
        (parts.next(), parts.next(), parts.next(), parts.next()),
        (Some(year), Some(month), Some(day), None)
            if digits(year, 4) && digits(month, 2) && digits(day, 2)
    )
}
