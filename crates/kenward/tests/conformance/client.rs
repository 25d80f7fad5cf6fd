//! The suite as a server: what the gateway sends to the servers behind it.
//!
//! The suite starts a server and runs a command with its URL. The command is this very test program: it
//! starts the gateway before that server, and plays a plain client of the gateway.

use crate::expected::judge;
use crate::player;
use crate::suite::{Findings, Suite};

/// The scenarios that are about MCP itself; those about logging in concern no server behind us.
const SCENARIOS: [(&str, &[&str]); 11] = [
    ("initialize", &["2025-11-25"]),
    ("tools_call", &["2025-11-25", "2026-07-28"]),
    ("elicitation-sep1034-client-defaults", &["2025-11-25"]),
    ("sse-retry", &["2025-11-25"]),
    ("json-schema-2020-12-preservation", &["2025-11-25", "2026-07-28"]),
    ("request-metadata", &["2026-07-28"]),
    ("http-standard-headers", &["2026-07-28"]),
    ("http-custom-headers", &["2026-07-28"]),
    ("http-invalid-tool-headers", &["2026-07-28"]),
    ("json-schema-ref-no-deref", &["2026-07-28"]),
    ("sep-2322-client-request-state", &["2026-07-28"]),
];

#[tokio::test]
async fn the_gateway_is_a_good_client_2025_11_25() {
    as_a_client("2025-11-25", include_str!("expected/client-legacy.txt")).await;
}

#[tokio::test]
async fn the_gateway_is_a_good_client_2026_07_28() {
    as_a_client("2026-07-28", include_str!("expected/client-modern.txt")).await;
}

async fn as_a_client(revision: &str, expected: &str) {
    let Some(suite) = Suite::find() else { return };
    let mut all = Findings::default();
    for (scenario, revisions) in SCENARIOS {
        if revisions.contains(&revision) {
            all.add(suite.client(&player::command(), scenario, revision).await);
        }
    }
    judge(&format!("the gateway as a client, {revision}"), expected, &all);
}
