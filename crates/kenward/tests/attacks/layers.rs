//! The layers of the disclosure control that the suite takes away, one after the other.

use serde_json::{Value, json};

use crate::domain::Domain;

/// How much of the disclosure control is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    /// Nothing but bindings on the tools that name a protected attribute: authorization by tool.
    Tools,
    /// Every binding, but each call is judged alone and nothing follows from anything.
    Calls,
    /// Everything but the memory of what was told.
    NoLedger,
    /// Everything but the memory of what was refused.
    NoShadows,
    /// Everything.
    All,
}

impl Layer {
    /// All of them, the weakest first.
    pub(crate) const EVERY: [Self; 5] =
        [Self::Tools, Self::Calls, Self::NoLedger, Self::NoShadows, Self::All];

    /// As the table names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Calls => "calls",
            Self::NoLedger => "no-ledger",
            Self::NoShadows => "no-shadows",
            Self::All => "all",
        }
    }

    /// The key `disclosure` of the configuration; nothing where the defaults are meant.
    pub(crate) fn disclosure(self) -> Option<Value> {
        let set =
            |ledger: bool, shadows: bool| Some(json!({ "ledger": ledger, "shadows": shadows }));
        match self {
            Self::Tools | Self::Calls => set(false, false),
            Self::NoLedger => set(false, true),
            Self::NoShadows => set(true, false),
            Self::All => None,
        }
    }

    /// The inferences that are left.
    pub(crate) fn inferences(self, domain: &Domain) -> Value {
        let mut inferences = domain.inferences.clone();
        if matches!(self, Self::Tools | Self::Calls) {
            inferences["inferences"] = json!([]);
        }
        inferences
    }

    /// What is left of the configuration of a server.
    pub(crate) fn server(self, domain: &Domain, name: &str) -> Value {
        let mut config = domain.servers[name].config.clone();
        if self == Self::Tools {
            for kind in ["tools", "prompts", "resources"] {
                if let Some(bindings) = config.get_mut(kind).and_then(Value::as_object_mut) {
                    bindings.retain(|tool, _| domain.guarded.contains(&format!("{name}/{tool}")));
                }
            }
        }
        config
    }
}
