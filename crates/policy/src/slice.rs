//! The entities of one request in Cedar's form, built from the world and remembered by revision.
//!
//! An attribute that is missing or does not fit the schema is not left out, because a policy that
//! asks whether it is there would quietly do without: it is made *unknown*, and whatever depends
//! on it ends in a refusal.

use std::collections::HashSet;
use std::sync::Arc;

use cedar_policy_core::ast::{Entity, EntityUID, PartialValue, Unknown};
use kenward_model::{EntityUid, ServerName, Target};
use kenward_world::World;
use serde_json::Value;

use crate::schema::kinds::{Kind, Kinds};
use crate::schema::vocabulary::{GROUP, SERVER};
use crate::shape::Member;

/// The entity as the world knows it, with all its ancestors; `groups` are further parents.
/// Nothing when the schema has no such type.
pub(crate) fn entity(
    kinds: &Kinds,
    world: &World,
    uid: &EntityUid,
    groups: &[Arc<str>],
) -> Option<Entity> {
    let kind = kinds.get(&uid.kind)?;
    let name = kinds.uid(uid)?;
    let mut ancestors: HashSet<EntityUID> =
        world.ancestors(uid).iter().filter_map(|ancestor| kinds.uid(ancestor)).collect();
    for group in groups {
        let group = EntityUid::new(GROUP, Arc::clone(group));
        ancestors.extend(kinds.uid(&group));
        ancestors.extend(world.ancestors(&group).iter().filter_map(|above| kinds.uid(above)));
    }
    ancestors.remove(&name);
    Some(Entity::new_with_attr_partial_value(
        name,
        attributes(kind, world, uid).map(|(name, value)| ((&*name).into(), value)),
        HashSet::new(),
        ancestors,
        [],
    ))
}

/// The target of an operation: an entity without attributes, in its server.
pub(crate) fn target(kinds: &Kinds, server: &ServerName, target: &Target<'_>) -> Option<Entity> {
    let name = kinds.uid(&target.uid(server))?;
    let home = kinds.uid(&EntityUid::new(SERVER, server.shared()))?;
    let parents = if home == name { HashSet::new() } else { HashSet::from([home]) };
    Some(Entity::new_with_attr_partial_value(name, [], HashSet::new(), parents, []))
}

fn attributes<'k>(
    kind: &'k Kind,
    world: &World,
    uid: &EntityUid,
) -> impl Iterator<Item = (Arc<str>, PartialValue)> + use<'k> {
    let known = world.entity(uid).cloned();
    kind.attributes.members.iter().filter_map(move |(name, member)| {
        let value = known.as_ref().and_then(|entity| entity.attributes.get(name));
        Some((Arc::clone(name), attribute(name, member, value.as_ref())?))
    })
}

fn attribute(name: &Arc<str>, member: &Member, value: Option<&Value>) -> Option<PartialValue> {
    match member.convert(name, value) {
        Ok(Some(value)) => Some(value.into()),
        Ok(None) => None,
        Err(_) => {
            let unknown = Unknown::new_untyped(format!("{UNKNOWN_ATTRIBUTE}{name}"));
            Some(PartialValue::unknown(unknown))
        }
    }
}

/// What the names of unknown attributes begin with. What is open in a list has other names: it may
/// yet turn out well, and an unknown attribute cannot.
pub(crate) const UNKNOWN_ATTRIBUTE: &str = "attribute ";
