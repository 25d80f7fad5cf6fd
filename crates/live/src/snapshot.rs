//! The snapshot that a decision pins.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kenward_model::ServerName;
use kenward_policy::Policies;
use kenward_world::World;

/// Everything that a decision reads, as of one instant; immutable.
#[derive(Debug, Clone)]
pub struct InForce {
    /// The directory.
    pub world: World,
    /// The compiled policies with their bindings.
    pub policies: Arc<Policies>,
    /// The tools whose definitions are known, by server.
    pub defined: Arc<HashMap<ServerName, HashSet<Arc<str>>>>,
    /// Grows with every published change of either; equal numbers mean the same snapshot.
    pub generation: u64,
}

impl InForce {
    /// Whether the definition of `tool` is known.
    pub fn is_defined(&self, server: &ServerName, tool: &str) -> bool {
        self.defined.get(server).is_some_and(|tools| tools.contains(tool))
    }

    /// The tools of `server` whose definitions are known, in no order.
    pub fn tools<'a>(&'a self, server: &ServerName) -> impl Iterator<Item = &'a str> + use<'a> {
        self.defined.get(server).into_iter().flatten().map(AsRef::as_ref)
    }
}
