//! The types that values from outside must have before a policy may see them.
//!
//! A value is converted by its shape or not at all: what does not fit is never handed to a policy
//! in some other form, because a comparison of mismatched values is silently false.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use cedar_policy_core::ast::{Eid, EntityType, EntityUID, Value as CedarValue};
use cedar_policy_core::entities::SchemaType;
use serde_json::Value;

use crate::extension::Extension;

/// The type that a value must have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Bool,
    Long,
    Text,
    /// Anything at all, handed over as the text of its JSON: good for equality and nothing else.
    Opaque,
    Entity(EntityShape),
    Extension(Extension),
    Set(Arc<Self>),
    Record(Arc<RecordShape>),
}

/// A reference to an entity: its type and, for an enumerated type, its only ids.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EntityShape {
    pub(crate) kind: EntityType,
    pub(crate) choices: Option<Arc<[Eid]>>,
}

/// The members of a record.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct RecordShape {
    pub(crate) members: BTreeMap<Arc<str>, Member>,
}

/// One member of a record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) shape: Shape,
    pub(crate) required: bool,
}

/// Why a value does not fit: where in it, and what was expected there. Never the value itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misfit {
    path: String,
    expected: String,
}

impl Misfit {
    pub(crate) fn new(expected: impl Into<String>) -> Self {
        Self { path: String::new(), expected: expected.into() }
    }

    pub(crate) fn under(mut self, name: &str) -> Self {
        self.path = match self.path.as_str() {
            "" => name.to_owned(),
            rest => format!("{name}.{rest}"),
        };
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "expected {}", self.expected),
            path => write!(f, "`{path}`: expected {}", self.expected),
        }
    }
}

impl Shape {
    /// The shape of a type of the schema. `choices` gives the ids of an enumerated entity type.
    pub(crate) fn of(
        schema_type: &SchemaType,
        choices: &dyn Fn(&EntityType) -> Option<Arc<[Eid]>>,
    ) -> Option<Self> {
        Some(match schema_type {
            SchemaType::Bool => Self::Bool,
            SchemaType::Long => Self::Long,
            SchemaType::String => Self::Text,
            SchemaType::Set { element_ty } => Self::Set(Arc::new(Self::of(element_ty, choices)?)),
            SchemaType::Entity { ty } => {
                Self::Entity(EntityShape { kind: ty.clone(), choices: choices(ty) })
            }
            SchemaType::Extension { name } => Self::Extension(Extension::named(&name.to_string())?),
            SchemaType::Record { attrs, open_attrs: false } => {
                let members = attrs
                    .iter()
                    .map(|(name, attribute)| {
                        let shape = Self::of(attribute.schema_type(), choices)?;
                        let required = attribute.is_required();
                        Some((Arc::from(name.as_str()), Member { shape, required }))
                    })
                    .collect::<Option<_>>()?;
                Self::Record(Arc::new(RecordShape { members }))
            }
            SchemaType::EmptySet | SchemaType::Record { open_attrs: true, .. } => return None,
        })
    }

    /// The value in Cedar's form.
    ///
    /// # Errors
    /// The value has another type, lacks a required member, or is a number that does not fit.
    pub(crate) fn convert(&self, value: &Value) -> Result<CedarValue, Misfit> {
        match self {
            Self::Bool => {
                value.as_bool().map(CedarValue::from).ok_or_else(|| Misfit::new("a boolean"))
            }
            Self::Long => whole_number(value)
                .map(CedarValue::from)
                .ok_or_else(|| Misfit::new("a whole number of 64 bits")),
            Self::Text => {
                value.as_str().map(CedarValue::from).ok_or_else(|| Misfit::new("a string"))
            }
            Self::Opaque => Ok(CedarValue::from(value.to_string())),
            Self::Entity(shape) => shape.convert(value),
            Self::Extension(extension) => extension.convert(value),
            Self::Set(element) => convert_set(element, value),
            Self::Record(record) => record.convert(value),
        }
    }
}

impl EntityShape {
    fn convert(&self, value: &Value) -> Result<CedarValue, Misfit> {
        let refuse = || Misfit::new(format!("a reference to an entity of type {}", self.kind));
        let reference = value.get("__entity").unwrap_or(value);
        let kind = reference.get("type").and_then(Value::as_str).ok_or_else(refuse)?;
        let id = reference.get("id").and_then(Value::as_str).ok_or_else(refuse)?;
        if kind != self.kind.to_string() {
            return Err(refuse());
        }
        let eid = Eid::new(id);
        if self.choices.as_ref().is_some_and(|choices| !choices.contains(&eid)) {
            return Err(Misfit::new(format!("one of the ids that {} lists", self.kind)));
        }
        Ok(CedarValue::from(EntityUID::from_components(self.kind.clone(), eid, None)))
    }
}

impl RecordShape {
    /// The members that the shape knows, converted; others are left out. Null counts as absent
    /// for members that may be.
    pub(crate) fn convert(&self, value: &Value) -> Result<CedarValue, Misfit> {
        let object = value.as_object().ok_or_else(|| Misfit::new("an object"))?;
        let mut members = Vec::with_capacity(self.members.len());
        for (name, member) in &self.members {
            if let Some(converted) = member.convert(name, object.get(&**name))? {
                members.push((&**name, converted));
            }
        }
        Ok(CedarValue::record(members, None))
    }

    /// The same record with only the members that `keep` names.
    pub(crate) fn narrowed(&self, keep: &dyn Fn(&str) -> bool) -> Self {
        let kept = self.members.iter().filter(|(name, _)| keep(name));
        Self { members: kept.map(|(name, member)| (Arc::clone(name), member.clone())).collect() }
    }
}

impl Member {
    /// The value of a member; nothing when it is absent and may be.
    pub(crate) fn convert(
        &self,
        name: &str,
        value: Option<&Value>,
    ) -> Result<Option<CedarValue>, Misfit> {
        match value {
            None if self.required => Err(Misfit::new("a value").under(name)),
            None => Ok(None),
            Some(Value::Null) if !self.required => Ok(None),
            Some(value) => self.shape.convert(value).map(Some).map_err(|error| error.under(name)),
        }
    }
}

fn convert_set(element: &Shape, value: &Value) -> Result<CedarValue, Misfit> {
    let items = value.as_array().ok_or_else(|| Misfit::new("a list"))?;
    let converted = items.iter().map(|item| element.convert(item)).collect::<Result<Vec<_>, _>>();
    Ok(CedarValue::set(converted.map_err(|error| error.under("[]"))?, None))
}

/// Whole numbers also when they are written with a fraction of zero, as JSON Schema counts them.
fn whole_number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        let text = format!("{number:.0}");
        let whole: i64 = text.parse().ok()?;
        // Beyond 2^53 a float no longer says which whole number was meant.
        (number.fract() == 0.0 && whole.unsigned_abs() < 1 << 53).then_some(whole)
    })
}

#[cfg(test)]
mod tests;
