//! A scene that the tests of recognition share: a protected customer, others with near names,
//! places, handles and shadows.

use std::sync::LazyLock;

use kenward_model::{EntityUid, ServerName};
use kenward_world::{Change, Source, World, read_directory};

use super::{Mention, Scene, Shadowed, Shadows};
use crate::handles::Handles;
use crate::inferences::Inferences;

const DIRECTORY: &str = r#"
- type: Customer
  id: "4711"
  aliases: [Taylor Swift, taylor@example.com, "AC 8850-2231", "+1 615 555 0100"]
- { type: Customer, id: "4712", aliases: [Ann Lee] }
- { type: Customer, id: "4713", aliases: [John Smith] }
- { type: Customer, id: "4714", aliases: [John Smith, "José Łukasz O'Brien"] }
- { type: Customer, id: C-100, aliases: [Ann Lee Smith] }
- { type: Customer, id: "5", aliases: [Al] }
- { type: Customer, id: "600", aliases: [Пётр Ильин] }
- { type: Customer, id: "4801", aliases: [Paris Hilton] }
- { type: Customer, id: "4802", aliases: [Will, Will Brown] }
- { type: Customer, id: "4803", aliases: [Taylor Smith] }
- { type: Customer, id: "4804", aliases: [May June Hotel] }
- { type: Customer, id: ORD1001X, aliases: [Zaphod] }
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
places: [Berlin, Music City Center, Ann Lee Bridge]
";

/// Everything that a scene refers to.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) handles: Handles,
    pub(crate) server: ServerName,
    pub(crate) inferences: Inferences,
    pub(crate) shadows: Shadows,
}

impl Stage {
    /// Nothing was refused.
    pub(crate) fn calm() -> Self {
        static WORLD: LazyLock<World> = LazyLock::new(|| {
            let records = read_directory("directory.yaml", DIRECTORY).unwrap();
            World::empty().apply(&Change::ReplaceAll(Source::Admin, records)).unwrap()
        });
        Self {
            world: WORLD.clone(),
            handles: Handles::new([7; 32]),
            server: "deliveries".to_owned().try_into().unwrap(),
            inferences: Inferences::read("inferences.yaml", INFERENCES).unwrap(),
            shadows: Shadows::default(),
        }
    }

    /// Something of Taylor Swift was refused.
    pub(crate) fn dark() -> Self {
        Self::calm().under(&["4711"])
    }

    pub(crate) fn under(mut self, ids: &[&str]) -> Self {
        let shadowed = ids.iter().map(|id| {
            let subject = customer(id);
            let names = self.world.aliases_normal(&subject);
            Shadowed { subject, names }
        });
        self.shadows = Shadows::new(shadowed.collect());
        self
    }

    /// A result has linked the handle.
    pub(crate) fn linked(mut self, kind: Option<&str>, handle: &str, owner: &str) -> Self {
        let key = self.handles.key(kind, &self.server, handle);
        self.handles.insert(key, customer(owner));
        self
    }

    pub(crate) fn scene(&self) -> Scene<'_> {
        Scene {
            world: &self.world,
            handles: &self.handles,
            server: &self.server,
            inferences: &self.inferences,
            shadowed: &self.shadows,
        }
    }

    pub(crate) fn mentions(&self, text: &str) -> Vec<Mention> {
        super::mentions(&self.scene(), text)
    }

    /// The customers whom the text names, by id, in order.
    pub(crate) fn customers(&self, text: &str) -> Vec<String> {
        let entities = self.mentions(text).into_iter().flat_map(|mention| mention.entities);
        let customers = entities.filter(|uid| &*uid.kind == "Customer");
        let mut ids: Vec<String> = customers.map(|uid| (*uid.id).to_owned()).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    pub(crate) fn names_taylor(&self, text: &str) -> bool {
        self.customers(text).contains(&"4711".to_owned())
    }
}

pub(crate) fn customer(id: &str) -> EntityUid {
    EntityUid::new("Customer", id)
}
