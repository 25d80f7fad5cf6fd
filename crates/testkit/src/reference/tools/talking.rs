//! Tools that say something before their result, or make the server say something elsewhere.

use std::time::Duration;

use crate::reference::Server;
use crate::reference::call::{Call, Outcome, text};
use crate::reference::subscriptions::News;

/// Between two things that are said, so that they can be told apart.
const PAUSE: Duration = Duration::from_millis(50);

pub(super) async fn answer(server: &Server, call: &Call) -> Option<Outcome> {
    Some(match call.name() {
        "test_tool_with_logging" | "test_logging_tool" => {
            for said in ["Tool execution started", "Tool processing data"] {
                call.log("info", said);
                tokio::time::sleep(PAUSE).await;
            }
            call.log("info", "Tool execution completed");
            text("Logged three times.")
        }
        "test_tool_with_progress" => {
            for done in [0, 50] {
                call.progress(done, 100);
                tokio::time::sleep(PAUSE).await;
            }
            call.progress(100, 100);
            text("Reported all progress.")
        }
        "test_reconnection" => {
            call.disconnect();
            tokio::time::sleep(PAUSE * 4).await;
            text("Came back for the result.")
        }
        "test_trigger_tool_change" => announced(server, &News::ToolsChanged),
        "test_trigger_prompt_change" => announced(server, &News::PromptsChanged),
        "test_trigger_resource_update" => {
            let uri = call.argument("uri").as_str().unwrap_or("test://watched-resource");
            announced(server, &News::ResourceUpdated(uri.to_owned()))
        }
        _ => return None,
    })
}

fn announced(server: &Server, news: &News) -> Outcome {
    server.announce(news);
    text("Announced it.")
}
