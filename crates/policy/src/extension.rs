//! Cedar's extension values: addresses, decimals, points in time and durations.

use std::net::IpAddr;
use std::sync::LazyLock;

use cedar_policy_core::ast::{Name, PartialValue, Value as CedarValue};
use cedar_policy_core::extensions::Extensions;
use kenward_model::Timestamp;
use serde_json::Value;

use crate::shape::Misfit;

/// A type that Cedar has by extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extension {
    Address,
    Decimal,
    Time,
    Duration,
}

impl Extension {
    /// The extension type that the schema calls `name`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "ipaddr" => Some(Self::Address),
            "decimal" => Some(Self::Decimal),
            "datetime" => Some(Self::Time),
            "duration" => Some(Self::Duration),
            _ => None,
        }
    }

    fn constructor(self) -> &'static str {
        match self {
            Self::Address => "ip",
            Self::Decimal => "decimal",
            Self::Time => "datetime",
            Self::Duration => "duration",
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Address => "an IP address or range",
            Self::Decimal => "a decimal with up to four places, as a string",
            Self::Time => "a date or point in time, as a string",
            Self::Duration => "a duration such as `1d2h`, as a string",
        }
    }

    /// The value from its text, or from Cedar's JSON `{"__extn": {"fn": …, "arg": …}}`.
    pub(crate) fn convert(self, value: &Value) -> Result<CedarValue, Misfit> {
        let call = value.get("__extn").unwrap_or(value);
        let text = match call.get("fn").and_then(Value::as_str) {
            Some(function) if function == self.constructor() => call.get("arg"),
            Some(_) => None,
            None => Some(value),
        };
        text.and_then(Value::as_str)
            .and_then(|text| call_function(self.constructor(), &[CedarValue::from(text)]))
            .ok_or_else(|| Misfit::new(self.expected()))
    }
}

/// An address as Cedar's `ipaddr`.
pub(crate) fn address(ip: IpAddr) -> Option<CedarValue> {
    call_function("ip", &[CedarValue::from(ip.to_string())])
}

/// A point in time as Cedar's `datetime`, which counts in milliseconds.
pub(crate) fn time(at: Timestamp) -> Option<CedarValue> {
    static EPOCH: LazyLock<Option<CedarValue>> =
        LazyLock::new(|| call_function("datetime", &[CedarValue::from("1970-01-01")]));
    let epoch = EPOCH.as_ref()?.clone();
    let millis = at.as_micros().div_euclid(1_000);
    let span = call_function("duration", &[CedarValue::from(format!("{millis}ms"))])?;
    call_function("offset", &[epoch, span])
}

fn call_function(name: &str, arguments: &[CedarValue]) -> Option<CedarValue> {
    let name = Name::parse_unqualified_name(name).ok()?;
    let function = Extensions::all_available().func(&name).ok()?;
    match function.call(arguments).ok()? {
        PartialValue::Value(value) => Some(value),
        PartialValue::Residual(_) => None,
    }
}
