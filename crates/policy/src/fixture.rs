//! The deployment that the tests of this crate are about: a company that delivers parcels.

use std::collections::BTreeMap;
use std::sync::Arc;

use kenward_disclosure::{Bindings, Inferences, ServerBindings, ToolBinding};
use kenward_model::{Caller, EntityUid, Finding, Operation, Place, ServerName, Target, Timestamp};
use kenward_world::{Change, EntityRecord, Source, World};
use serde_json::{Value, json};

use crate::{
    Asker, Case, Compiled, DeclaredMappings, Environment, Memory, Policies, Refusal, ScopeRule,
    ServerSurface, SourceFile, Sources, Surface, Tool, Verdict,
};

pub(crate) const SCHEMA: &str = r"
entity User in [Group] { department?: String };
entity Group in [Group];
entity Depot;
entity Customer in [Group] { protected: Bool, assigned_to: User, level: Long, tier?: String };
action read, write appliesTo {
    principal: User,
    resource: Customer,
    context: { mapping?: { case?: String }, claimed?: { resource?: { vip?: Bool } } },
};
";

pub(crate) const POLICIES: &str = r#"
@id("representatives-call")
permit (principal in Group::"representatives", action in Mcp::Action::"tools/call", resource in Mcp::Server::"deliveries");

@id("own-customers-read")
permit (principal in Group::"representatives", action == Action::"read", resource is Customer);

@id("own-customers-learn")
permit (principal in Group::"representatives", action == Mcp::Action::"learn", resource is Customer)
when { resource.assigned_to == principal };

@id("rough-addresses")
permit (principal in Group::"representatives", action == Mcp::Action::"learn", resource is Customer)
when { context.attribute == "address" && !context.exact && !resource.protected };

@id("protected-customers")
@reason("A protected customer's address is known to the protection desk alone.")
forbid (principal, action == Mcp::Action::"learn", resource is Customer)
when { resource.protected && context.family == "location" && context.precision < 4 }
unless { principal in Group::"protection-desk" };

@id("desk-learns")
permit (principal in Group::"protection-desk", action == Mcp::Action::"learn", resource is Customer);

@id("no-deletes")
@reason("Deliveries are deleted by their owners alone.")
forbid (principal, action == Mcp::Action::"deliveries/delete_delivery", resource)
unless { principal in Group::"owners" };
"#;

pub(crate) const INFERENCES: &str = "
families:
  location:
    scale: [exact, street, area, city, region]
    attributes: [address, nearby_places, route, zip]
inferences:
  - { then: { attribute: address, precision: exact }, if: [route] }
";

/// A deployment before it is compiled.
#[derive(Clone)]
pub(crate) struct Deployment {
    pub(crate) schema: String,
    pub(crate) policies: String,
    pub(crate) surface: Surface,
    pub(crate) bindings: Value,
}

impl Deployment {
    /// The whole company.
    pub(crate) fn deliveries() -> Self {
        let tools = [
            "get_customer_address",
            "get_dropoff_locations",
            "get_route",
            "list_customers",
            "delete_delivery",
        ];
        let schema = |name: &str| {
            let argument = if name == "get_dropoff_locations" { "near" } else { "customer_id" };
            json!({
                "type": "object",
                "properties": { argument: { "type": "string" }, "limit": { "type": "integer" } },
                "required": [argument],
            })
        };
        let tools = tools.iter().map(|name| tool(name, Some(schema(name)))).collect();
        let offered = ServerSurface {
            tools,
            declared_mappings: DeclaredMappings::Narrow,
            scopes: vec![ScopeRule {
                scope: "deliveries:read".into(),
                tools: vec!["get_*".to_owned()],
                says: "Look up deliveries and where they go".into(),
            }],
        };
        let subject = "$params.arguments.customer_id";
        Self {
            schema: SCHEMA.to_owned(),
            policies: POLICIES.to_owned(),
            surface: Surface { servers: BTreeMap::from([(server(), offered)]) },
            bindings: json!({ "deliveries": {
                "get_customer_address": {
                    "mapping": { "evaluation": {
                        "action": { "name": "read" },
                        "resource": { "type": "Customer", "id": subject },
                    } },
                    "discloses": [{ "of": "Customer", "subject": subject, "attribute": "address" }],
                },
                "get_dropoff_locations": {
                    "parameters": { "near": { "role": "text", "mode": "closed" } },
                    "discloses": [{ "of": "Customer", "subject": "$params.arguments.near", "attribute": "nearby_places", "precision": "area" }],
                },
                "get_route": {
                    "discloses": [{ "of": "Customer", "subject": subject, "attribute": "route", "precision": "region" }],
                },
            } }),
        }
    }

    /// One server with one tool that takes whatever `input_schema` says, and `policies`.
    pub(crate) fn small(policies: &str, input_schema: Option<Value>) -> Self {
        let offered =
            ServerSurface { tools: vec![tool("act", input_schema)], ..ServerSurface::default() };
        Self {
            schema: SCHEMA.to_owned(),
            policies: policies.to_owned(),
            surface: Surface { servers: BTreeMap::from([(server(), offered)]) },
            bindings: json!({}),
        }
    }

    pub(crate) fn server(&mut self) -> &mut ServerSurface {
        self.surface.servers.get_mut(&server()).expect("the server")
    }

    pub(crate) fn try_compile(&self) -> Result<Compiled, Vec<Finding>> {
        let inferences = Inferences::read("inferences.yaml", INFERENCES).expect("inferences");
        let specs: BTreeMap<ServerName, BTreeMap<String, ToolBinding>> =
            serde_json::from_value(self.bindings.clone()).expect("bindings");
        let place = |_: &ServerName, _: &str, _: &str| Place::whole("kenward.yaml");
        let of_tools = |tools| ServerBindings { tools, ..ServerBindings::default() };
        let specs = specs.into_iter().map(|(server, tools)| (server, of_tools(tools))).collect();
        let bindings = Bindings::compile(&place, &specs, &inferences).expect("bindings");
        let file =
            |path: &str, text: &str| SourceFile { path: path.to_owned(), text: text.to_owned() };
        let sources = Sources {
            schemas: vec![file("objects.cedarschema", &self.schema)],
            policies: vec![file("rules.cedar", &self.policies)],
        };
        Policies::compile(&sources, &self.surface, Arc::new(bindings), Arc::new(inferences))
    }

    pub(crate) fn compile(&self) -> Policies {
        match self.try_compile() {
            Ok(compiled) => compiled.policies,
            Err(findings) => panic!("{}", said(&findings)),
        }
    }

    /// The findings, whether they forbid use or not.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        self.try_compile().map_or_else(|errors| errors, |compiled| compiled.findings)
    }
}

pub(crate) fn said(findings: &[Finding]) -> String {
    let texts: Vec<String> = findings.iter().map(ToString::to_string).collect();
    texts.join("\n")
}

pub(crate) fn tool(name: &str, input_schema: Option<Value>) -> Tool {
    Tool { name: name.into(), input_schema: input_schema.map(Arc::new) }
}

pub(crate) fn server() -> ServerName {
    ServerName::try_from("deliveries".to_owned()).expect("a name")
}

pub(crate) fn user(id: &str) -> EntityUid {
    EntityUid::new("User", id)
}

pub(crate) fn customer(id: &str) -> EntityUid {
    EntityUid::new("Customer", id)
}

/// A caller with the scope of the company's tools.
pub(crate) fn caller(id: &str) -> Caller {
    Caller {
        user: user(id),
        agent: EntityUid::new("Mcp::Agent", "desktop"),
        issuer: "https://idp.example.com".into(),
        subject: id.into(),
        groups: Vec::new(),
        scopes: vec!["deliveries:read".into()],
        acr: None,
        amr: Vec::new(),
        auth_time: None,
        expires: Timestamp::from_seconds(2_000_000_000),
        claims: json!({ "sub": id, "client_id": "desktop" }),
        fingerprint: id.bytes().fold(17, |all, byte| all * 31 + u64::from(byte)),
    }
}

pub(crate) fn record(value: Value) -> EntityRecord {
    serde_json::from_value(value).expect("a record")
}

pub(crate) fn put(world: &World, value: Value) -> World {
    world.apply(&Change::Put(Source::Admin, record(value))).expect("a change")
}

pub(crate) fn group(name: &str) -> Value {
    json!({ "type": "Group", "id": name })
}

pub(crate) fn person(id: &str, groups: &[&str]) -> Value {
    let parents: Vec<Value> = groups.iter().map(|name| group(name)).collect();
    json!({ "type": "User", "id": id, "attributes": {}, "parents": parents, "aliases": [] })
}

pub(crate) fn account(id: &str, protected: bool, assigned_to: &str, name: &str) -> Value {
    json!({
        "type": "Customer",
        "id": id,
        "attributes": {
            "protected": protected,
            "assigned_to": { "__entity": { "type": "User", "id": assigned_to } },
            "level": 1,
        },
        "parents": [],
        "aliases": [name],
    })
}

/// Rita is a representative, Omar sits at the protection desk, Taylor Swift is protected.
pub(crate) fn world() -> World {
    let entities = [
        person("rita", &["representatives"]),
        person("omar", &["representatives", "protection-desk"]),
        account("4711", true, "omar", "Taylor Swift"),
        account("1001", false, "rita", "Jo Public"),
        account("1002", false, "omar", "Sam Sample"),
        json!({ "type": "Depot", "id": "nashville", "attributes": {}, "parents": [], "aliases": ["Nashville depot"] }),
    ];
    entities.into_iter().fold(World::empty(), |world, entity| put(&world, entity))
}

pub(crate) fn environment() -> Environment<'static> {
    Environment {
        now: Timestamp::from_seconds(1_800_000_000),
        ip: Some("192.0.2.7".parse().expect("an address")),
        protocol: "2025-11-25",
    }
}

/// One question from beginning to end.
pub(crate) struct Question<'q> {
    pub(crate) policies: &'q Policies,
    pub(crate) world: &'q World,
    pub(crate) caller: &'q Caller,
}

impl Question<'_> {
    pub(crate) fn asker(&self) -> Asker<'_> {
        Asker { caller: self.caller, world: self.world, environment: environment() }
    }

    pub(crate) fn decide(&self, method: &str, target: Target<'_>, params: &Value) -> Verdict {
        let server = server();
        let operation = Operation { server: &server, method, target, params };
        self.policies.decide(&Case {
            asker: self.asker(),
            operation: &operation,
            memory: Memory::blank(),
        })
    }

    #[expect(clippy::needless_pass_by_value, reason = "arguments are written where they are used")]
    pub(crate) fn call(&self, tool: &str, arguments: Value) -> Verdict {
        let params = json!({ "name": tool, "arguments": arguments });
        self.decide("tools/call", Target::Tool(tool.into()), &params)
    }

    pub(crate) fn lists(&self, target: Target<'_>) -> bool {
        let server = server();
        let operation =
            Operation { server: &server, method: "tools/list", target, params: &Value::Null };
        self.policies.may_list(&Case {
            asker: self.asker(),
            operation: &operation,
            memory: Memory::blank(),
        })
    }

    pub(crate) fn lists_tool(&self, tool: &str) -> bool {
        self.lists(Target::Tool(tool.into()))
    }
}

pub(crate) fn refusal(verdict: Verdict) -> Refusal {
    match verdict {
        Verdict::Allow(permit) => panic!("allowed: {:?}", permit.basis()),
        Verdict::Refuse(refusal) => refusal,
    }
}
