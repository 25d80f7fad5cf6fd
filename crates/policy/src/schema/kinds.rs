//! The entity types of the schema, looked up by name: their attributes and Cedar's own form.

use std::collections::HashMap;
use std::sync::Arc;

use cedar_policy_core::ast::{Eid, EntityType, EntityUID};
use cedar_policy_core::entities::SchemaType;
use cedar_policy_core::validator::types::Type;
use cedar_policy_core::validator::{ValidatorEntityTypeKind, ValidatorSchema};
use kenward_model::EntityUid;

use crate::shape::{Member, RecordShape, Shape};

/// The entity types of the schema.
#[derive(Debug)]
pub(crate) struct Kinds {
    by_name: HashMap<Arc<str>, Kind>,
}

/// An entity type.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: EntityType,
    /// The attributes that the schema declares.
    pub(crate) attributes: RecordShape,
    /// The only ids that there are, for an enumerated type.
    pub(crate) choices: Option<Arc<[Eid]>>,
}

impl Kinds {
    pub(crate) fn of(schema: &ValidatorSchema) -> Self {
        let by_name = schema
            .entity_types()
            .map(|declared| {
                let members = declared.attributes().iter().filter_map(|(name, attribute)| {
                    let shape = shape_of(schema, &attribute.attr_type)?;
                    let member = Member { shape, required: attribute.is_required };
                    Some((Arc::from(name.as_str()), member))
                });
                let kind = Kind {
                    name: declared.name().clone(),
                    attributes: RecordShape { members: members.collect() },
                    choices: choices(schema, declared.name()),
                };
                (Arc::from(declared.name().to_string()), kind)
            })
            .collect();
        Self { by_name }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Kind> {
        self.by_name.get(name)
    }

    /// The names of all types.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(|name| &**name)
    }

    /// The entity in Cedar's form; nothing when the schema has no such type or no such id of it.
    pub(crate) fn uid(&self, uid: &EntityUid) -> Option<EntityUID> {
        let kind = self.get(&uid.kind)?;
        let eid = Eid::new(&*uid.id);
        if kind.choices.as_ref().is_some_and(|choices| !choices.contains(&eid)) {
            return None;
        }
        Some(EntityUID::from_components(kind.name.clone(), eid, None))
    }
}

/// The shape of a type of `schema`.
pub(crate) fn shape_of(schema: &ValidatorSchema, declared: &Type) -> Option<Shape> {
    let schema_type = SchemaType::try_from(declared.clone()).ok()?;
    Shape::of(&schema_type, &|kind| choices(schema, kind))
}

fn choices(schema: &ValidatorSchema, kind: &EntityType) -> Option<Arc<[Eid]>> {
    match &schema.get_entity_type(kind)?.kind {
        ValidatorEntityTypeKind::Enum(choices) => Some(choices.iter().cloned().collect()),
        ValidatorEntityTypeKind::Standard(_) | ValidatorEntityTypeKind::External => None,
    }
}
