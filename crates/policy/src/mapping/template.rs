//! Templates: JSON in which a text that begins with `$` is an expression.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::mapping::MappingError;
use crate::mapping::expression::{Budget, Expression, Inputs};

/// How deep a template may be.
const MAX_DEPTH: usize = 16;

/// A compiled template.
#[derive(Debug, Clone)]
pub(super) enum Template {
    Literal(Value),
    Expression(Arc<Expression>),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Template {
    pub(super) fn compile(
        at: &str,
        value: &Value,
        budget: &mut Budget,
    ) -> Result<Self, MappingError> {
        Self::compile_within(at, value, budget, MAX_DEPTH)
    }

    fn compile_within(
        at: &str,
        value: &Value,
        budget: &mut Budget,
        depth: usize,
    ) -> Result<Self, MappingError> {
        budget.take_node(at)?;
        let deeper = depth.checked_sub(1);
        let Some(deeper) = deeper else {
            return Err(MappingError::malformed(at, "it is nested too deeply"));
        };
        match value {
            Value::String(text) => match text.strip_prefix('$') {
                Some(literal) if literal.starts_with('$') => {
                    Ok(Self::Literal(Value::String(literal.to_owned())))
                }
                Some(source) => {
                    Ok(Self::Expression(Arc::new(Expression::compile(at, source, budget)?)))
                }
                None => Ok(Self::Literal(value.clone())),
            },
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(position, item)| {
                    Self::compile_within(&format!("{at}[{position}]"), item, budget, deeper)
                })
                .collect::<Result<_, _>>()
                .map(Self::List),
            Value::Object(members) => members
                .iter()
                .map(|(name, member)| {
                    let compiled =
                        Self::compile_within(&format!("{at}.{name}"), member, budget, deeper)?;
                    Ok((name.clone(), compiled))
                })
                .collect::<Result<_, _>>()
                .map(Self::Object),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(Self::Literal(value.clone())),
        }
    }

    /// The value; nothing when an expression says that the member is absent.
    pub(super) fn resolve(
        &self,
        at: &str,
        inputs: &Inputs<'_>,
    ) -> Result<Option<Value>, MappingError> {
        match self {
            Self::Literal(value) => Ok(Some(value.clone())),
            Self::Expression(expression) => expression.evaluate(at, inputs),
            Self::List(items) => {
                let absent = || MappingError::unevaluated(at, "an item of a list cannot be absent");
                let resolve = |item: &Self| item.resolve(at, inputs)?.ok_or_else(absent);
                items
                    .iter()
                    .map(resolve)
                    .collect::<Result<_, _>>()
                    .map(|items| Some(Value::Array(items)))
            }
            Self::Object(members) => {
                let mut resolved = Map::new();
                for (name, member) in members {
                    let value = member.resolve(at, inputs)?;
                    resolved.extend(value.map(|value| (name.clone(), value)));
                }
                Ok(Some(Value::Object(resolved)))
            }
        }
    }

    /// Whether the value depends on the parameters of the call.
    pub(super) fn needs_params(&self) -> bool {
        match self {
            Self::Literal(_) => false,
            Self::Expression(expression) => expression.needs_params(),
            Self::List(items) => items.iter().any(Self::needs_params),
            Self::Object(members) => members.iter().any(|(_, member)| member.needs_params()),
        }
    }

    /// The text, when it is one and no expression.
    pub(super) fn literal(&self) -> Option<&str> {
        match self {
            Self::Literal(value) => value.as_str(),
            Self::Expression(_) | Self::List(_) | Self::Object(_) => None,
        }
    }
}

/// A name: a string, or a whole number in its decimal form.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}
