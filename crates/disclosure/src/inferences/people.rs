//! Which entities stand for the person who asks, and which names are places.

use kenward_model::EntityUid;
use kenward_world::World;
use serde_json::Value;

use super::Inferences;

impl Inferences {
    /// Whether `subject` is `person`, or an entity that stands for them.
    pub(crate) fn is_own(&self, world: &World, person: &EntityUid, subject: &EntityUid) -> bool {
        if subject == person {
            return true;
        }
        let Some(attribute) = self.same_person.get(&subject.kind) else { return false };
        let entity = world.entity(subject);
        let value = entity.and_then(|entity| entity.attributes.get(attribute));
        value.is_some_and(|value| names(&value, person))
    }

    /// Whether `name`, in normal form, is a listed place.
    pub(crate) fn is_place(&self, name: &str) -> bool {
        self.places.binary_search_by(|place| (**place).cmp(name)).is_ok()
    }

    /// The listed places, in normal form.
    pub(crate) fn places(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(AsRef::as_ref)
    }
}

/// Whether the value is the person: Cedar's form of the entity, or the person's id.
fn names(value: &Value, person: &EntityUid) -> bool {
    match value {
        Value::String(id) => **id == *person.id,
        Value::Object(members) => members.get("__entity").is_some_and(|entity| {
            let part = |name| entity.get(name).and_then(Value::as_str);
            part("type") == Some(&*person.kind) && part("id") == Some(&*person.id)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => false,
    }
}
