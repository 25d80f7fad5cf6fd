//! What a server may be told that the client can do: what was declared and policy lets through.

use serde_json::{Map, Value, json};

use crate::pipeline::Call;

/// Where a modern request declares what its client can do.
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// Each capability with the part of it that counts, and the request that it is for.
const PARTS: [(&str, Option<&str>, &str); 6] = [
    ("elicitation", Some("form"), "elicitation/create"),
    ("elicitation", Some("url"), "elicitation/create"),
    ("sampling", None, "sampling/createMessage"),
    ("sampling", Some("tools"), "sampling/createMessage"),
    ("sampling", Some("context"), "sampling/createMessage"),
    ("roots", None, "roots/list"),
];

/// A set of capabilities; the same for requests that can share a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Declared(u8);

impl Declared {
    /// What `call` declares of what `server_requests`, which policy lets through, are for.
    pub(super) fn of(call: &Call, server_requests: &[&'static str]) -> Self {
        let meta = call.message.params().get("_meta");
        let all = meta.and_then(|meta| meta.get(CAPABILITIES)).unwrap_or(&Value::Null);
        let mut set = 0;
        for (place, (name, part, method)) in PARTS.into_iter().enumerate() {
            let Some(capability) = all.get(name).filter(|_| server_requests.contains(&method))
            else {
                continue;
            };
            if has(capability, name, part) {
                set |= 1 << place;
            }
        }
        Self(set)
    }

    /// Whether the person can be asked by a form.
    pub(super) fn can_fill_forms(self) -> bool {
        self.holds(0)
    }

    /// Whether the client's model can be lent together with tools.
    pub(super) fn can_sample_with_tools(self) -> bool {
        self.holds(3)
    }

    /// Whether the person can be sent to a page.
    pub(super) fn can_visit(self) -> bool {
        self.holds(1)
    }

    fn holds(self, place: usize) -> bool {
        self.0 & (1 << place) != 0
    }

    /// The set as `initialize` declares it.
    pub(super) fn json(self) -> Value {
        let mut all = Map::new();
        for (place, (name, part, _)) in PARTS.into_iter().enumerate() {
            if !self.holds(place) {
                continue;
            }
            let capability = all.entry(name).or_insert_with(|| json!({}));
            if let (Some(part), Some(members)) = (part, capability.as_object_mut()) {
                members.insert(part.to_owned(), json!({}));
            }
        }
        Value::Object(all)
    }
}

/// A client that elicits and says no more does so by a form.
fn has(capability: &Value, name: &str, part: Option<&str>) -> bool {
    match part {
        None => true,
        Some("form") if name == "elicitation" => {
            capability.get("form").is_some() || capability.get("url").is_none()
        }
        Some(part) => capability.get(part).is_some(),
    }
}
