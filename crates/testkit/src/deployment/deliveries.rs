//! The deliveries of the story: who is who, what the server offers and what policy says about it.

use serde_json::{Value, json};

/// Types and actions of the business.
pub(super) const SCHEMA: &str = r"
entity Customer in [Group] { protected: Bool, assigned_to?: User };
entity Depot;
action read, annotate appliesTo { principal: [User], resource: [Customer] };
";

/// Who may do and know what.
pub(super) const POLICIES: &str = r#"
@id("call-deliveries")
permit (principal in Group::"representatives", action in Mcp::Action::"tools/call", resource in Mcp::Server::"deliveries");

@id("purging")
@reason("Records are purged by administrators alone.")
forbid (principal, action == Mcp::Action::"deliveries/purge_records", resource)
unless { principal in Group::"admins" };

@id("administrate")
permit (principal in Group::"admins", action in Mcp::Action::"tools/call", resource in Mcp::Server::"deliveries");

@id("large-limits")
@reason("A limit above 100 needs a supervisor.")
forbid (principal, action == Mcp::Action::"deliveries/set_limit", resource)
when { context.arguments.amount > 100 };

@id("read-customers")
permit (principal in Group::"representatives", action == Action::"read", resource is Customer);

@id("annotate-own")
@reason("Notes are written by the customer's own representative.")
permit (principal in Group::"representatives", action == Action::"annotate", resource is Customer)
when { resource has assigned_to && resource.assigned_to == principal };

@id("learn-own")
permit (principal in Group::"representatives", action == Mcp::Action::"learn", resource is Customer)
when { resource has assigned_to && resource.assigned_to == principal };

@id("learn-names")
permit (principal in Group::"representatives", action == Mcp::Action::"learn", resource is Customer)
when { context.attribute == "name" };

@id("learn-roughly")
permit (principal in Group::"representatives", action == Mcp::Action::"learn", resource is Customer)
when { context.family == "location" && !context.exact && !resource.protected };

@id("protection-desk")
permit (principal in Group::"protection-desk", action == Mcp::Action::"learn", resource is Customer);

@id("protected-addresses")
@reason("A protected customer's address is known to the protection desk alone.")
forbid (principal, action == Mcp::Action::"learn", resource is Customer)
when { resource.protected && context.family == "location" && context.precision < 4 }
unless { principal in Group::"protection-desk" };

@id("greeting")
permit (principal in Group::"representatives", action == Mcp::Action::"prompts/get", resource == Mcp::Prompt::"deliveries/greeting");

@id("public-document")
permit (principal in Group::"representatives", action == Mcp::Action::"resources/read", resource == Mcp::Resource::"deliveries/doc://public");

@id("customer-template")
permit (principal in Group::"representatives", action == Mcp::Action::"resources/read", resource == Mcp::ResourceTemplate::"deliveries/doc://customer/{id}");

@id("one-customer-document")
permit (principal in Group::"representatives", action == Mcp::Action::"resources/read", resource == Mcp::Resource::"deliveries/doc://customer/1001");
"#;

/// Who and what there is.
pub(super) const DIRECTORY: &str = r#"
- { type: Group, id: representatives }
- { type: Group, id: admins }
- { type: Group, id: protection-desk }
- { type: User, id: rita, parents: [ { type: Group, id: representatives } ] }
- { type: User, id: ron, parents: [ { type: Group, id: representatives } ] }
- { type: User, id: petra, parents: [ { type: Group, id: representatives }, { type: Group, id: protection-desk } ] }
- { type: User, id: alice, parents: [ { type: Group, id: admins } ] }
- { type: User, id: mallory }
- type: Customer
  id: "1001"
  attributes: { protected: false, assigned_to: { __entity: { type: User, id: rita } } }
  aliases: ["Johnny Cash", "johnny@example.com"]
- type: Customer
  id: "1002"
  attributes: { protected: false, assigned_to: { __entity: { type: User, id: ron } } }
  aliases: ["Dolly Parton", "dolly@example.com"]
- type: Customer
  id: "4711"
  attributes: { protected: true }
  aliases: ["Taylor Swift", "taylor@example.com"]
- type: Depot
  id: nashville
  aliases: ["Nashville depot"]
"#;

/// What the attributes belong to.
pub(super) const INFERENCES: &str = r"
families:
  location:
    scale: [exact, street, area, city, region]
    attributes: [address, nearby_places, zip]
inferences:
  - { then: { attribute: address, precision: area }, if: [nearby_places] }
";

/// The server as the configuration has it.
pub(super) fn server(url: &str) -> Value {
    let customer = |action: &str| {
        json!({ "evaluation": {
            "action": { "name": action },
            "resource": { "type": "Customer", "id": "$params.arguments.customer_id" },
        } })
    };
    json!({
        "url": url,
        "scopes": { "deliveries:export": { "tools": ["export_*"], "says": "Export all deliveries" } },
        "tools": {
            "get_customer_address": {
                "mapping": customer("read"),
                "discloses": [
                    { "of": "Customer", "subject": "$params.arguments.customer_id", "attribute": "address" },
                ],
            },
            "get_dropoff_locations": {
                "parameters": { "near": { "role": "text", "mode": "closed" } },
                "discloses": [{
                    "of": "Customer", "subject": "$params.arguments.near",
                    "attribute": "nearby_places", "precision": "area",
                }],
                "strip": ["$.structuredContent.locations[*].distance_km"],
            },
            "add_note": { "mapping": customer("annotate") },
            "list_customers": {
                "results": [{
                    "each": "$.structuredContent.customers[*]", "of": "Customer", "id": "$.id",
                    "attributes": { "name": "$.name", "zip": "$.zip" },
                }],
            },
            "track_parcel": {},
            "purge_records": {},
            "set_limit": {},
            "export_all": {},
        },
    })
}

/// What the server offers.
pub(super) fn tools() -> Vec<Value> {
    vec![
        tool("track_parcel", &[("parcel", "string")]),
        tool("get_customer_address", &[("customer_id", "string")]),
        tool("get_dropoff_locations", &[("near", "string")]),
        tool("add_note", &[("customer_id", "string"), ("note", "string")]),
        tool("list_customers", &[]),
        tool("set_limit", &[("amount", "integer")]),
        tool("export_all", &[]),
        tool("purge_records", &[]),
    ]
}

fn tool(name: &str, parameters: &[(&str, &str)]) -> Value {
    let properties: serde_json::Map<String, Value> = parameters
        .iter()
        .map(|(name, kind)| ((*name).to_owned(), json!({ "type": kind })))
        .collect();
    let required: Vec<&str> = parameters.iter().map(|(name, _)| *name).collect();
    json!({
        "name": name,
        "description": format!("The tool {name}."),
        "inputSchema": { "type": "object", "properties": properties, "required": required },
    })
}

/// The prompts, of which policy permits the first.
pub(super) fn prompts() -> Vec<Value> {
    vec![json!({ "name": "greeting" }), json!({ "name": "secret_plan" })]
}

/// The MCP resources, of which policy permits the first and the last.
pub(super) fn resources() -> Vec<Value> {
    ["doc://public", "doc://secret", "doc://customer/1001"]
        .map(|uri| json!({ "uri": uri, "name": uri }))
        .to_vec()
}

/// The templates, of which policy permits the first.
pub(super) fn templates() -> Vec<Value> {
    ["doc://customer/{id}", "doc://secret/{id}"]
        .map(|template| json!({ "uriTemplate": template, "name": template }))
        .to_vec()
}
