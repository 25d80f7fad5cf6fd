//! The entities that stand in a request's context, so that policies can ask what they are in.
//!
//! SECURITY: to Cedar, an entity that it is not given is in nothing, and a policy that forbids by
//! membership would be silent. Tests: `decide::alone::tests`.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use cedar_policy_core::ast::{Entity, EntityUID, Literal, Value, ValueKind};
use kenward_model::EntityUid;

use crate::context::Detail;
use crate::decide::hearing::Hearing;
use crate::reads::Reads;
use crate::schema::vocabulary::SERVER;

impl Hearing<'_> {
    /// The entities that policies may look into beside principal and resource.
    pub(crate) fn others(&self, reads: Reads, detail: Detail<'_>) -> Vec<Arc<Entity>> {
        let mut others = Vec::new();
        if reads.touches(Reads::AGENT) {
            others.extend(self.agent());
        }
        match detail {
            Detail::Fact { via: Some(via), .. } if reads.touches(Reads::VIA) => {
                others.push(Arc::new(self.tool_in_its_server(via)));
            }
            Detail::Mapping { said, claimed } => {
                let mut named = BTreeSet::new();
                said.into_iter().chain(claimed).for_each(|value| collect(value, &mut named));
                others.extend(named.iter().filter_map(|uid| self.object(uid)));
            }
            Detail::None
            | Detail::Arguments { .. }
            | Detail::OpenArguments
            | Detail::OpenMapping
            | Detail::Fact { .. } => {}
        }
        others
    }

    fn tool_in_its_server(&self, tool: &EntityUID) -> Entity {
        let id: &str = tool.eid().as_ref();
        let server = id.split_once('/').map(|(server, _)| EntityUid::new(SERVER, server));
        let home = server.and_then(|server| self.policies.kinds.uid(&server));
        let parents: HashSet<EntityUID> = home.into_iter().collect();
        Entity::new_with_attr_partial_value(tool.clone(), [], HashSet::new(), parents, [])
    }
}

/// Every entity that a value names.
fn collect(value: &Value, named: &mut BTreeSet<EntityUid>) {
    match &value.value {
        ValueKind::Lit(Literal::EntityUID(uid)) => {
            let id: &str = uid.eid().as_ref();
            named.insert(EntityUid::new(uid.entity_type().to_string(), id));
        }
        ValueKind::Lit(Literal::Bool(_) | Literal::Long(_) | Literal::String(_))
        | ValueKind::ExtensionValue(_) => {}
        ValueKind::Set(set) => set.iter().for_each(|item| collect(item, named)),
        ValueKind::Record(members) => members.values().for_each(|item| collect(item, named)),
    }
}
