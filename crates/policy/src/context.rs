//! The context of a request, of which only the members are built that a policy reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use cedar_policy_core::ast::{
    Context, EntityUID, Expr, Literal, PartialValue, Unknown, Value as CedarValue,
};
use kenward_model::Fact;
use kenward_world::Standing;
use serde_json::Value;

use crate::case::Asker;
use crate::extension;
use crate::reads::Reads;
use crate::shape::RecordShape;
use crate::verdict::Cause;

/// What the context holds beside what every request's has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Detail<'a> {
    /// Nothing.
    None,
    /// The arguments of a call, of which `shape` is read.
    Arguments { shape: &'a RecordShape, arguments: &'a Value },
    /// The arguments are open.
    OpenArguments,
    /// What a mapping says.
    Mapping { said: Option<&'a CedarValue>, claimed: Option<&'a CedarValue> },
    /// What a mapping says is open.
    OpenMapping,
    /// A fact that would be learnt.
    Fact { fact: &'a Fact, via: Option<&'a EntityUID>, inferred: bool },
}

/// Builds contexts of one asker.
pub(crate) struct ContextBuilder<'a> {
    pub(crate) asker: Asker<'a>,
    pub(crate) agent: &'a EntityUID,
    pub(crate) standing: &'a Standing,
    /// The time in Cedar's form, which is made at most once for all questions.
    pub(crate) now: &'a dyn Fn() -> Option<CedarValue>,
}

type Members = Vec<(&'static str, PartialValue)>;

impl ContextBuilder<'_> {
    /// The context with the members that `reads` names.
    ///
    /// # Errors
    /// The arguments do not fit their type, or a value has no form in Cedar.
    pub(crate) fn build(&self, reads: Reads, detail: Detail<'_>) -> Result<Context, Cause> {
        let mut members = Members::new();
        if reads != Reads::NOTHING {
            self.token(reads, &mut members)?;
            self.circumstances(reads, &mut members)?;
            add_detail(reads, detail, &mut members)?;
        }
        Ok(assemble(members))
    }

    fn token(&self, reads: Reads, members: &mut Members) -> Result<(), Cause> {
        let caller = self.asker.caller;
        let mut text = |read: Reads, name, value: Option<&Arc<str>>| {
            if let Some(value) = value.filter(|_| reads.touches(read)) {
                members.push((name, CedarValue::from(&**value).into()));
            }
        };
        text(Reads::ACR, "acr", caller.acr.as_ref());
        text(Reads::RISK, "risk", self.standing.risk.as_ref());
        let mut texts = |read: Reads, name, values: &[Arc<str>]| {
            if reads.touches(read) {
                members.push((name, set_of(values).into()));
            }
        };
        texts(Reads::SCOPES, "scopes", &caller.scopes);
        texts(Reads::GROUPS, "groups", &caller.groups);
        texts(Reads::AMR, "amr", &caller.amr);
        if reads.touches(Reads::AGENT) {
            members.push(("agent", CedarValue::from(self.agent.clone()).into()));
        }
        if let Some(at) = caller.auth_time.filter(|_| reads.touches(Reads::AUTH_TIME)) {
            members.push(("auth_time", formed(extension::time(at), "auth_time")?));
        }
        Ok(())
    }

    fn circumstances(&self, reads: Reads, members: &mut Members) -> Result<(), Cause> {
        let environment = self.asker.environment;
        if let Some(ip) = environment.ip.filter(|_| reads.touches(Reads::IP)) {
            members.push(("ip", formed(extension::address(ip), "ip")?));
        }
        if reads.touches(Reads::NOW) {
            members.push(("now", formed((self.now)(), "now")?));
        }
        if reads.touches(Reads::PROTOCOL) {
            members.push(("protocol", CedarValue::from(environment.protocol).into()));
        }
        let compliant = self.standing.device_compliant;
        if let Some(compliant) = compliant.filter(|_| reads.touches(Reads::DEVICE_COMPLIANT)) {
            members.push(("device_compliant", CedarValue::from(compliant).into()));
        }
        if reads.touches(Reads::SESSION_REVOKED) {
            let revoked = self.standing.session_revoked;
            members.push(("session_revoked", CedarValue::from(revoked).into()));
        }
        Ok(())
    }
}

fn add_detail(reads: Reads, detail: Detail<'_>, members: &mut Members) -> Result<(), Cause> {
    match detail {
        Detail::Arguments { shape, arguments } if reads.touches(Reads::ARGUMENTS) => {
            members.push(("arguments", typed_arguments(shape, arguments)?.into()));
        }
        Detail::None | Detail::Arguments { .. } => {}
        Detail::OpenArguments => add_open(reads, Reads::ARGUMENTS, "arguments", members),
        Detail::Mapping { said, claimed } => {
            for (read, name, value) in
                [(Reads::MAPPING, "mapping", said), (Reads::CLAIMED, "claimed", claimed)]
            {
                if let Some(value) = value.filter(|_| reads.touches(read)) {
                    members.push((name, value.clone().into()));
                }
            }
        }
        Detail::OpenMapping => {
            add_open(reads, Reads::MAPPING, "mapping", members);
            add_open(reads, Reads::CLAIMED, "claimed", members);
        }
        Detail::Fact { fact, via, inferred } => add_fact(reads, fact, via, inferred, members),
    }
    Ok(())
}

fn add_fact(
    reads: Reads,
    fact: &Fact,
    via: Option<&EntityUID>,
    inferred: bool,
    members: &mut Members,
) {
    let precision = i64::from(fact.precision.0);
    for (read, name, value) in [
        (Reads::ATTRIBUTE, "attribute", CedarValue::from(&*fact.attribute)),
        (Reads::FAMILY, "family", CedarValue::from(&*fact.family)),
        (Reads::PRECISION, "precision", CedarValue::from(precision)),
        (Reads::EXACT, "exact", CedarValue::from(fact.precision.is_exact())),
        (Reads::INFERRED, "inferred", CedarValue::from(inferred)),
    ] {
        if reads.touches(read) {
            members.push((name, value.into()));
        }
    }
    match via {
        Some(tool) if reads.touches(Reads::VIA) => {
            members.push(("via", CedarValue::from(tool.clone()).into()));
        }
        Some(_) => {}
        None => add_open(reads, Reads::VIA, "via", members),
    }
}

fn add_open(reads: Reads, read: Reads, name: &'static str, members: &mut Members) {
    if reads.touches(read) {
        let unknown = Unknown::new_untyped(format!("context.{name}"));
        members.push((name, PartialValue::unknown(unknown)));
    }
}

/// The arguments by their type; absent arguments are an empty object.
fn typed_arguments(shape: &RecordShape, arguments: &Value) -> Result<CedarValue, Cause> {
    let none = Value::Object(serde_json::Map::new());
    let arguments = if arguments.is_null() { &none } else { arguments };
    shape.convert(arguments).map_err(|error| Cause::Arguments(error.under("arguments").to_string()))
}

fn formed(value: Option<CedarValue>, name: &str) -> Result<PartialValue, Cause> {
    let error = || Cause::PolicyError(format!("`context.{name}` has no form in Cedar"));
    value.map(PartialValue::from).ok_or_else(error)
}

fn set_of(values: &[Arc<str>]) -> CedarValue {
    CedarValue::set_of_lits(values.iter().map(|value| Literal::from(&**value)), None)
}

fn assemble(members: Members) -> Context {
    let mut values = Vec::with_capacity(members.len());
    let mut open = Vec::new();
    for (name, value) in members {
        match value {
            PartialValue::Value(value) => values.push((name, value)),
            PartialValue::Residual(expression) => open.push((name, expression)),
        }
    }
    if open.is_empty() {
        let values: BTreeMap<_, _> =
            values.into_iter().map(|(name, value)| (name.into(), value)).collect();
        return Context::Value(Arc::new(values));
    }
    let values = values.into_iter().map(|(name, value)| (name, Expr::from(value)));
    let all = values.chain(open).map(|(name, expression)| (name.into(), expression));
    Context::RestrictedResidual(Arc::new(all.collect()))
}
