//! What every result of the service has in common, in either era.

use kenward_mcp::dialect::{self, Era};
use serde_json::{Map, Value, json};

/// How long lists and resources may be kept, in milliseconds.
const TTL_MS: u64 = 5_000;

/// Whether a result says how long it may be kept (2026-07-28, caching).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cacheable {
    Yes,
    No,
}

/// A result as the era wants it.
pub(super) fn result(era: Era, mut members: Value, cacheable: Cacheable) -> Value {
    let Value::Object(object) = &mut members else { return members };
    if era == Era::Modern {
        object.insert("resultType".to_owned(), Value::from("complete"));
        let meta = object.entry("_meta").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(meta) = meta {
            meta.insert("io.modelcontextprotocol/serverInfo".to_owned(), server_info());
        }
        if cacheable == Cacheable::Yes {
            object.insert("ttlMs".to_owned(), Value::from(TTL_MS));
            object.insert("cacheScope".to_owned(), Value::from("public"));
        }
    }
    members
}

/// The answer to `initialize`.
pub(super) fn initialized(requested: &str) -> Value {
    json!({
        "protocolVersion": dialect::negotiate(requested).version,
        "capabilities": capabilities(),
        "serverInfo": server_info(),
        "instructions": INSTRUCTIONS,
    })
}

/// The answer to `server/discover`, before it is completed by [`result`].
pub(super) fn discovered() -> Value {
    json!({
        "supportedVersions": dialect::VERSIONS,
        "capabilities": capabilities(),
        "instructions": INSTRUCTIONS,
    })
}

const INSTRUCTIONS: &str = "Deliveries of a parcel service in Tennessee. Look a customer up before \
                            you speak of their parcels.";

fn capabilities() -> Value {
    json!({
        "tools": { "listChanged": false },
        "prompts": { "listChanged": false },
        "resources": { "subscribe": true, "listChanged": false },
    })
}

fn server_info() -> Value {
    json!({ "name": "deliveries", "title": "Deliveries", "version": env!("CARGO_PKG_VERSION") })
}
