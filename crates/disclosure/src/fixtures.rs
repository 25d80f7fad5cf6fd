//! A directory, families and calls that the tests of this crate share.

use std::collections::BTreeMap;
use std::sync::Arc;

use kenward_model::{EntityUid, Finding, Place, ServerName};
use kenward_world::{Change, Source, World, read_directory};
use serde_json::Value;

use crate::{Bindings, CompiledBinding, Inferences, ServerBindings, ToolBinding};

const DIRECTORY: &str = r#"
- type: Customer
  id: "4711"
  attributes: { protected: true }
  parents: [ { type: Group, id: customers } ]
  aliases: [Taylor Swift, taylor@example.com, "AC 8850-2231", "+1 615 555 0100"]
- { type: Customer, id: "4712", aliases: [Ann Lee] }
- { type: Customer, id: "4713", aliases: [John Smith] }
- { type: Customer, id: "4714", aliases: [John Smith, "José Łukasz O'Brien"] }
- { type: Customer, id: C-100, aliases: [Ann Lee Smith] }
- { type: Customer, id: "5", aliases: [Al] }
- { type: Customer, id: "600", aliases: [Пётр Ильин] }
- { type: Place, id: depot-nashville, aliases: [Nashville depot, "Depot A1"] }
- { type: Place, id: swift-way, aliases: [Taylor Swift Way] }
- type: Place
  id: hub
  attributes: { served: [ { __entity: { type: Customer, id: "4711" } } ] }
  aliases: [Central hub]
- type: Order
  id: ORD-1001
  attributes: { customer: { __entity: { type: Customer, id: "4711" } } }
- type: Order
  id: ORD-1002
  attributes: { customer: { __entity: { type: Customer, id: "4712" } } }
- { type: Order, id: ORD-1003 }
- { type: Order, id: ORD-1004, parents: [ { type: Customer, id: "4713" } ] }
- type: Order
  id: "77"
  attributes: { customer: { __entity: { type: Customer, id: "4711" } } }
- { type: Place, id: "77" }
- type: Invoice
  id: INV-9
  attributes: { order: { __entity: { type: Order, id: ORD-1001 } } }
"#;

const INFERENCES: &str = "
families:
  location:
    scale: [exact, street, area, city, region]
    attributes: [address, nearby_places, route, zip]
inferences:
  - { then: { attribute: address, precision: area }, if: [nearby_places] }
";

pub(crate) fn world() -> World {
    let records = read_directory("directory.yaml", DIRECTORY).unwrap();
    World::empty().apply(&Change::ReplaceAll(Source::Admin, records)).unwrap()
}

pub(crate) fn inferences() -> Inferences {
    Inferences::read("inferences.yaml", INFERENCES).unwrap()
}

pub(crate) fn server() -> ServerName {
    "deliveries".to_owned().try_into().unwrap()
}

/// Compiles one binding for the tool `tool`; places are the pointers inside the binding.
pub(crate) fn compile(binding: &Value) -> Result<Bindings, Vec<Finding>> {
    let spec: ToolBinding = serde_json::from_value(binding.clone()).unwrap();
    let tools = BTreeMap::from([("tool".to_owned(), spec)]);
    let specs = BTreeMap::from([(server(), ServerBindings { tools, ..ServerBindings::default() })]);
    Bindings::compile(&|_, _, pointer| Place::whole(pointer), &specs, &inferences())
}

pub(crate) fn binding(binding: &Value) -> Arc<CompiledBinding> {
    Arc::clone(compile(binding).unwrap().get(&server(), "tool").unwrap())
}

pub(crate) fn customer(id: &str) -> EntityUid {
    EntityUid::new("Customer", id)
}
