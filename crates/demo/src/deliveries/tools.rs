//! The definitions that the service publishes: tools, MCP resources, templates and a prompt.

use serde_json::{Value, json};

use super::stock::{DEPOTS, today_uri};

/// The tools.
pub(super) fn tools() -> Value {
    json!([
        reading(
            "get_customer_address",
            "Where a customer lives, for labels and drivers.",
            &json!({ "customer_id": text("The customer's number, for example 1001") }),
            &json!({ "customer_id": text("The number"), "name": text("The name"), "address": address() }),
        ),
        reading(
            "get_dropoff_locations",
            "Shops and lockers that take parcels, the nearest first.",
            &json!({ "near": text("A depot, a city or a customer, for example: our Memphis depot") }),
            &json!({ "locations": list(&json!({
                "name": text("The shop"), "street": text("Street and number"),
                "city": text("The city"), "open": text("When it is open"),
                "distance_km": { "type": "number" },
            })) }),
        ),
        reading(
            "get_order",
            "An order with the address that it goes to.",
            &json!({ "order_id": text("The order's number, for example KW-20401") }),
            &json!({
                "order_id": text("The number"), "status": text("Where it is"),
                "window": text("When it arrives"), "ship_to": address(),
            }),
        ),
        reading(
            "list_customer_orders",
            "All orders of a customer, with the places that they were brought to.",
            &json!({ "customer_id": text("The customer's number") }),
            &json!({ "customer_id": text("The number"), "orders": list(&json!({
                "order_id": text("The number"), "placed": text("The day"),
                "status": text("Where it is"), "brought_to": text("Street and city"),
            })) }),
        ),
        reading(
            "find_customer",
            "A customer's card, found by e-mail address, account number or name.",
            &json!({
                "by": { "type": "string", "enum": ["email", "account", "name"] },
                "value": text("The e-mail address, the account number or the full name"),
            }),
            &json!({
                "customer_id": text("The number"), "name": text("The name"),
                "email": text("The e-mail address"), "address": address(),
            }),
        ),
        reading(
            "list_customers",
            "All customers with the postcode of each.",
            &json!({}),
            &json!({ "customers": list(&json!({
                "id": text("The number"), "name": text("The name"), "zip": text("The postcode"),
            })) }),
        ),
        reading(
            "get_delivery_eta",
            "When the van reaches a customer, and how far it is from the depot.",
            &json!({ "customer_id": text("The customer's number") }),
            &json!({
                "customer_id": text("The number"), "depot": text("Where the van starts"),
                "minutes_from_depot": { "type": "integer" }, "window": text("When it arrives"),
            }),
        ),
        reschedule(),
        reading(
            "export_all_customers",
            "Everything about every customer, in one table.",
            &json!({}),
            &json!({ "customers": list(&json!({
                "id": text("The number"), "name": text("The name"),
                "email": text("The e-mail address"), "street": text("Street and number"),
                "city": text("The city"), "zip": text("The postcode"),
            })) }),
        ),
    ])
}

/// The MCP resources: one for each depot's day.
pub(super) fn resources() -> Value {
    let resource = |depot: &str| {
        json!({
            "uri": today_uri(depot),
            "name": format!("today-{depot}"),
            "title": format!("Today at the {depot} depot"),
            "description": "Parcels on the road and delivered, without anybody's name.",
            "mimeType": "application/json",
        })
    };
    DEPOTS.iter().map(|depot| resource(depot)).collect()
}

/// The templates of MCP resources.
pub(super) fn templates() -> Value {
    json!([{
        "uriTemplate": "delivery://today/{depot}",
        "name": "today",
        "title": "Today at a depot",
        "mimeType": "application/json",
    }])
}

/// The prompts.
pub(super) fn prompts() -> Value {
    json!([{
        "name": "late_delivery_reply",
        "title": "Answer about a late delivery",
        "description": "Words for a customer whose parcel is late.",
        "arguments": [
            { "name": "reason", "description": "Why it is late", "required": true },
        ],
    }])
}

fn reschedule() -> Value {
    json!({
        "name": "reschedule_delivery",
        "title": "Reschedule delivery",
        "description": "Moves an order to another day.",
        "inputSchema": schema(&json!({
            "order_id": text("The order's number"),
            "date": { "type": "string", "format": "date", "description": "The new day" },
        })),
        "outputSchema": schema(&json!({
            "order_id": text("The number"), "date": text("The day"), "window": text("When it arrives"),
        })),
        "annotations": {
            "readOnlyHint": false, "destructiveHint": false, "idempotentHint": true,
            "openWorldHint": false,
        },
    })
}

/// A tool that changes nothing.
fn reading(name: &str, description: &str, input: &Value, output: &Value) -> Value {
    let mut title = name.replace('_', " ");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    json!({
        "name": name,
        "title": title,
        "description": description,
        "inputSchema": schema(input),
        "outputSchema": schema(output),
        "annotations": { "readOnlyHint": true, "openWorldHint": false },
    })
}

/// An object whose members are all there and no others.
fn schema(properties: &Value) -> Value {
    let required: Vec<&str> =
        properties.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn list(of: &Value) -> Value {
    json!({ "type": "array", "items": { "type": "object", "properties": of } })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn address() -> Value {
    schema(&json!({
        "street": text("Street and number"), "city": text("The city"), "zip": text("The postcode"),
    }))
}
