//! The deployment that the tests of this crate are about: a company that delivers parcels.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kenward_disclosure::{Bindings, Inferences, ServerBindings, ToolBinding};
use kenward_model::{Finding, Place, ServerName};
use kenward_policy::{
    DeclaredMappings, Policies, ServerSurface, SourceFile, Sources, Surface, Tool,
};
use serde_json::{Value, json};

use crate::{Compared, Deployment, Error, Invariant, Proof, Proven, Solver, compare, prove};

pub(crate) const SCHEMA: &str = r"
entity User in [Group] { department?: String };
entity Group in [Group];
entity Depot;
entity Customer in [Group] { protected: Bool, assigned_to: User };
action read appliesTo { principal: User, resource: Customer };
";

/// The addresses of protected customers stay at the protection desk, on every path.
pub(crate) const SECRET: &str = r#"
@invariant("nobody outside the protection desk learns where a protected customer is")
forbid (principal, action == Mcp::Action::"learn", resource is Customer)
when { resource.protected && context.family == "location" && context.precision < 4 }
unless { principal in Group::"protection-desk" };
"#;

/// The policies that keep [`SECRET`].
pub(crate) const GOOD: &str = r#"
permit (principal in Group::"representatives", action in Mcp::Action::"tools/call", resource in Mcp::Server::"deliveries");
permit (principal in Group::"representatives", action == Mcp::Action::"learn", resource is Customer);
permit (principal in Group::"representatives", action == Action::"read", resource is Customer)
when { resource.assigned_to == principal };
forbid (principal, action == Mcp::Action::"learn", resource is Customer)
when { resource.protected && context.family == "location" && context.precision < 4 }
unless { principal in Group::"protection-desk" };
"#;

const FAMILIES: &str = "
families:
  location:
    scale: [exact, street, area, city, region]
    attributes: [address, nearby_places]
inferences: []
";

/// A deployment ready to be compared.
pub(crate) struct Company {
    pub(crate) sources: Sources,
    pub(crate) surface: Surface,
    pub(crate) policies: Policies,
}

impl Company {
    /// The company with these policies.
    pub(crate) fn with(policies: &str) -> Self {
        Self::made(policies, &["get_address", "get_dropoffs", "untold"])
    }

    /// The company with these policies and tools: `untold` has no definition, and `mapped` a mapping
    /// of its server's own, which stands in for question 1.
    pub(crate) fn made(policies: &str, tools: &[&str]) -> Self {
        let server = ServerName::try_from("deliveries".to_owned()).expect("a name");
        let schema = json!({
            "type": "object",
            "properties": { "id": { "type": "string" }, "limit": { "type": "integer" } },
            "required": ["id"],
        });
        let mut mapped = schema.clone();
        mapped["x-authzen-mapping"] = json!({ "evaluation": {
            "action": { "name": "read" },
            "resource": { "type": "Customer", "id": "$params.arguments.id" },
        } });
        let seen = |name: &&str| Tool {
            name: (*name).into(),
            input_schema: match *name {
                "untold" => None,
                "mapped" => Some(Arc::new(mapped.clone())),
                _ => Some(Arc::new(schema.clone())),
            },
        };
        let offered = ServerSurface {
            tools: tools.iter().map(seen).collect(),
            declared_mappings: DeclaredMappings::Strict,
            ..ServerSurface::default()
        };
        let surface = Surface { servers: BTreeMap::from([(server.clone(), offered)]) };
        let tells = |attribute: &str, precision: &str| {
            json!({ "discloses": [{ "of": "Customer", "subject": "$params.arguments.id",
                                    "attribute": attribute, "precision": precision }] })
        };
        let specs: Value = json!({
            "get_address": tells("address", "exact"),
            "get_dropoffs": tells("nearby_places", "area"),
        });
        let mut specs: BTreeMap<String, ToolBinding> =
            serde_json::from_value(specs).expect("bindings");
        specs.retain(|name, _| tools.contains(&name.as_str()));
        let inferences = Inferences::read("inferences.yaml", FAMILIES).expect("families");
        let place = |_: &ServerName, _: &str, _: &str| Place::whole("kenward.yaml");
        let specs = ServerBindings { tools: specs, ..ServerBindings::default() };
        let specs = BTreeMap::from([(server, specs)]);
        let bindings = Bindings::compile(&place, &specs, &inferences).expect("bindings");
        let sources = Sources {
            schemas: vec![file("objects.cedarschema", SCHEMA)],
            policies: vec![file("rules.cedar", policies)],
        };
        let compiled =
            Policies::compile(&sources, &surface, Arc::new(bindings), Arc::new(inferences));
        let policies = compiled.unwrap_or_else(|findings| panic!("{}", said(&findings))).policies;
        Self { sources, surface, policies }
    }

    pub(crate) fn deployment(&self) -> Deployment<'_> {
        Deployment { sources: &self.sources, surface: &self.surface, policies: &self.policies }
    }

    /// Holds the company against `invariants`.
    pub(crate) fn prove_all(&self, invariants: &str) -> Proven {
        self.prove_by(invariants, &solver()).expect("a form for the solver")
    }

    pub(crate) fn prove_by(&self, invariants: &str, solver: &Solver) -> Result<Proven, Error> {
        let read = Invariant::read(&[file("all.invariants.cedar", invariants)]);
        let read = read.unwrap_or_else(|findings| panic!("{}", said(&findings)));
        prove(self.deployment(), &read, solver, &mut |_| {})
    }

    /// Holds the company against the only one of `invariants`.
    pub(crate) fn prove(&self, invariant: &str) -> Proof {
        let mut proven = self.prove_all(invariant);
        assert_eq!(proven.proofs.len(), 1);
        proven.proofs.remove(0)
    }
}

/// What changes from `old` to `new`.
pub(crate) fn changes(old: &Company, new: &Company) -> Compared {
    compare(old.deployment(), new.deployment(), &Ok(solver()), &mut |_| {}).expect("comparable")
}

pub(crate) fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), text: text.to_owned() }
}

pub(crate) fn said(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The solver of this machine.
pub(crate) fn solver() -> Solver {
    let (named, path) = (std::env::var_os("CVC5"), std::env::var_os("PATH"));
    Solver::find(named, path.as_ref(), Duration::from_mins(1)).expect("a solver")
}

/// Whether there is a solver; says so when there is none.
pub(crate) fn has_solver() -> bool {
    let (named, path) = (std::env::var_os("CVC5"), std::env::var_os("PATH"));
    let there = Solver::find(named, path.as_ref(), Duration::from_mins(1)).is_ok();
    if !there {
        println!("skipped: cvc5 is not installed");
    }
    there
}
