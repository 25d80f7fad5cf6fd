//! A domain: the deployment that its files describe, with people for every case.

use std::collections::BTreeMap;
use std::sync::Arc;

use kenward_testkit::{Deployment, Issuer, Upstream};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cases::{self, Step};
use crate::layers::Layer;
use crate::server::{self, Offers};
use crate::tables::{self, TableSpec, Tables};
use crate::template::Scope;

/// The whole deployment of a domain.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Domain {
    /// From `servers.yaml`.
    #[serde(default)]
    pub(crate) servers: BTreeMap<String, ServerSpec>,
    /// Who may act, by user id. Each case acts as a copy of its own, so histories do not mix.
    pub(crate) people: BTreeMap<String, Person>,
    /// From `tables.yaml`.
    #[serde(default)]
    pub(crate) tables: BTreeMap<String, TableSpec>,
    /// Entities of the directory, made of the rows of tables.
    pub(crate) entities: Vec<EntitiesSpec>,
    /// More entities of the directory.
    pub(crate) directory: Vec<Value>,
    /// The Cedar schema.
    pub(crate) schema: String,
    /// The Cedar policies.
    pub(crate) policies: String,
    /// The file `inferences.yaml`.
    pub(crate) inferences: Value,
    /// `<server>/<tool>`: what authorization by tool would guard.
    pub(crate) guarded: Vec<String>,
}

/// The file `servers.yaml`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ServersFile {
    servers: BTreeMap<String, ServerSpec>,
}

/// The file `tables.yaml`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TablesFile {
    tables: BTreeMap<String, TableSpec>,
}

/// A server: what it offers, and what stands in the configuration about it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerSpec {
    pub(crate) offers: Offers,
    pub(crate) config: Value,
}

/// Somebody who may act.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Person {
    /// Their groups.
    pub(crate) groups: Vec<String>,
    /// Set for those whom the directory knows as the subject of facts: there are no copies of them,
    /// and one case of each gateway acts as them.
    #[serde(default)]
    pub(crate) single: bool,
}

/// Entities made of a table.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntitiesSpec {
    pub(crate) from: String,
    pub(crate) entity: Value,
}

impl Domain {
    /// Reads the domain of a folder.
    pub(crate) fn read(name: &str) -> Self {
        let folder = cases::folder(name);
        let domain: Self = cases::read(&folder.join("domain.yaml"));
        let ServersFile { servers } = cases::read(&folder.join("servers.yaml"));
        let TablesFile { tables } = cases::read(&folder.join("tables.yaml"));
        Self { servers, tables, ..domain }
    }

    /// The tables with all rows.
    pub(crate) fn tables(&self) -> Tables {
        tables::build(&self.tables)
    }

    /// The files of a deployment with `layer` in force, and the servers behind it.
    pub(crate) async fn deploy(
        &self,
        layer: Layer,
        issuer: &Issuer,
    ) -> (Deployment, BTreeMap<String, Upstream>) {
        let mut deployment = Deployment::empty(issuer.url());
        let tables = Arc::new(self.tables());
        let mut upstreams = BTreeMap::new();
        for (name, spec) in &self.servers {
            let upstream = Upstream::start().await;
            server::offer(&upstream, &spec.offers, &tables);
            let mut config = layer.server(self, name);
            config["url"] = json!(upstream.url());
            deployment.add_server(name, config);
            upstreams.insert(name.clone(), upstream);
        }
        deployment.config["inferences"] = json!("inferences.yaml");
        if let Some(disclosure) = layer.disclosure() {
            deployment.config["disclosure"] = disclosure;
        }
        deployment.write("inferences.yaml", &layer.inferences(self).to_string());
        deployment.write("policies/domain.cedar", &self.policies);
        deployment.write("policies/domain.cedarschema", &self.schema);
        deployment.write("directory.yaml", &Value::Array(self.entities(&tables)).to_string());
        (deployment, upstreams)
    }

    fn entities(&self, tables: &Tables) -> Vec<Value> {
        let none = Map::new();
        let made = self.entities.iter().flat_map(|spec| {
            tables[&spec.from].iter().map(|row| Scope { row, arguments: &none }.fill(&spec.entity))
        });
        made.chain(self.directory.iter().cloned()).collect()
    }

    /// The user id with which `person` acts in case `number`.
    pub(crate) fn user(&self, person: &str, number: usize) -> String {
        match self.people.get(person) {
            Some(known) if known.single => person.to_owned(),
            Some(_) => format!("{person}-{number:03}"),
            None => panic!("nobody is called {person}"),
        }
    }

    /// The entity of the user with which `person` acts in case `number`.
    pub(crate) fn entity(&self, person: &str, number: usize) -> Value {
        let groups = &self.people[person].groups;
        let parents: Vec<Value> =
            groups.iter().map(|group| json!({ "type": "Group", "id": group })).collect();
        json!({ "type": "User", "id": self.user(person, number), "parents": parents })
    }

    /// Fails when a step speaks of what the domain does not have.
    pub(crate) fn check(&self, step: &Step, place: &str) {
        if let Some(target) = step.target() {
            let (server, _) = target.split_once('/').unwrap_or_else(|| panic!("{place}: {target}"));
            assert!(self.servers.contains_key(server), "{place}: no server {server}");
        }
        if let Some((server, tool)) = step.call.as_ref().and_then(|target| target.split_once('/')) {
            assert!(
                self.servers[server].offers.tools.contains_key(tool),
                "{place}: no tool {tool}"
            );
        }
        if let Some(person) = &step.person {
            assert!(self.people.contains_key(person), "{place}: nobody is called {person}");
        }
    }
}

#[test]
fn bindings_are_what_the_documentation_says_they_can_be() {
    for name in crate::DOMAINS {
        let domain = Domain::read(name);
        for (server, spec) in &domain.servers {
            for kind in ["tools", "prompts", "resources"] {
                for (target, binding) in spec.config[kind].as_object().into_iter().flatten() {
                    let read: Result<kenward_disclosure::ToolBinding, _> =
                        serde_json::from_value(binding.clone());
                    assert!(read.is_ok(), "{name}: {server}/{target}: {read:?}");
                }
            }
        }
        let tables = domain.tables();
        for (table, rows) in &tables {
            assert!(!rows.is_empty(), "{name}: {table} is empty");
        }
        assert!(!domain.entities(&tables).is_empty(), "{name}");
    }
}
