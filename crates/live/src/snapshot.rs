//! The snapshot that a decision pins.

use std::collections::HashMap;
use std::sync::Arc;

use kenward_definitions::Shelf;
use kenward_model::ServerName;
use kenward_policy::Policies;
use kenward_world::World;
use serde_json::Value;

/// The input schema of each tool whose definition is known.
pub type Defined = HashMap<ServerName, HashMap<Arc<str>, Arc<Value>>>;

/// What servers say of themselves, and what of it is approved, by server.
pub type Shelves = HashMap<ServerName, Arc<Shelf>>;

/// Everything that a decision reads, as of one instant; immutable.
#[derive(Debug, Clone)]
pub struct InForce {
    /// The directory.
    pub world: World,
    /// The compiled policies with their bindings.
    pub policies: Arc<Policies>,
    /// The input schemas of the tools whose definitions are known, by server.
    pub defined: Arc<Defined>,
    /// The definitions that are approved, and those that are kept back.
    pub shelves: Arc<Shelves>,
    /// Grows with every published change of either; equal numbers mean the same snapshot.
    pub generation: u64,
}

impl InForce {
    /// Whether the definition of `tool` is known.
    pub fn is_defined(&self, server: &ServerName, tool: &str) -> bool {
        self.schema(server, tool).is_some()
    }

    /// The input schema of `tool`, if its definition is known.
    pub fn schema(&self, server: &ServerName, tool: &str) -> Option<&Arc<Value>> {
        self.defined.get(server)?.get(tool)
    }

    /// The tools of `server` whose definitions are known, in no order.
    pub fn tools<'a>(&'a self, server: &ServerName) -> impl Iterator<Item = &'a str> + use<'a> {
        self.defined.get(server).into_iter().flat_map(HashMap::keys).map(AsRef::as_ref)
    }
}
