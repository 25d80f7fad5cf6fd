//! What changes, and the streams of `subscriptions/listen` that tell of it.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::{self, UnboundedSender};

use super::call::Call;
use super::http::{Answer, events};
use super::{Server, sse};

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// Something that a client may want to hear.
#[derive(Debug)]
pub(super) enum News {
    ToolsChanged,
    PromptsChanged,
    /// The resource with this URI has changed.
    ResourceUpdated(String),
    /// A task is now like this.
    Task(Value),
}

impl News {
    /// The notification, within a subscription if there is one.
    pub(super) fn message(&self, subscription: Option<&Value>) -> Value {
        let (method, mut params) = match self {
            Self::ToolsChanged => ("notifications/tools/list_changed", json!({})),
            Self::PromptsChanged => ("notifications/prompts/list_changed", json!({})),
            Self::ResourceUpdated(uri) => {
                ("notifications/resources/updated", json!({ "uri": uri }))
            }
            Self::Task(task) => ("notifications/tasks", task.clone()),
        };
        if let Some(id) = subscription {
            params["_meta"][SUBSCRIPTION] = id.clone();
        }
        json!({ "jsonrpc": "2.0", "method": method, "params": params })
    }
}

/// All open subscriptions.
#[derive(Debug, Default)]
pub(super) struct Listeners(Mutex<Vec<Listener>>);

#[derive(Debug)]
struct Listener {
    id: Value,
    wanted: Map<String, Value>,
    chunks: UnboundedSender<Bytes>,
}

impl Listeners {
    /// Tells every subscription that asked for it, and forgets those that are gone.
    pub(super) fn announce(&self, news: &News) {
        let mut all = self.0.lock().expect("the listeners");
        all.retain(|listener| !listener.chunks.is_closed());
        for listener in all.iter().filter(|listener| listener.wants(news)) {
            let _gone = listener.chunks.send(sse::event(&news.message(Some(&listener.id))));
        }
    }

    fn add(&self, listener: Listener) {
        self.0.lock().expect("the listeners").push(listener);
    }
}

impl Listener {
    fn wants(&self, news: &News) -> bool {
        let flag = |name: &str| self.wanted.get(name) == Some(&Value::Bool(true));
        let named = |list: &str, name: &Value| {
            let names = self.wanted.get(list).and_then(Value::as_array);
            names.is_some_and(|names| names.contains(name))
        };
        match news {
            News::ToolsChanged => flag("toolsListChanged"),
            News::PromptsChanged => flag("promptsListChanged"),
            News::ResourceUpdated(uri) => named("resourceSubscriptions", &json!(uri)),
            News::Task(task) => named("taskIds", &task["taskId"]),
        }
    }
}

/// Opens a stream that begins by saying what of the wishes will be heard.
pub(super) fn open(server: &Arc<Server>, id: &Value, call: &Call) -> Answer {
    let known = [
        "toolsListChanged",
        "promptsListChanged",
        "resourcesListChanged",
        "resourceSubscriptions",
        "taskIds",
    ];
    let asked = call.params["notifications"].as_object().cloned().unwrap_or_default();
    let wanted: Map<String, Value> = asked
        .into_iter()
        .filter(|(name, _)| known.contains(&name.as_str()))
        .filter(|(name, _)| name != "taskIds" || call.takes_tasks())
        .collect();
    let mut params = json!({ "notifications": wanted });
    params["_meta"][SUBSCRIPTION] = id.clone();
    let acknowledged = json!({
        "jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": params,
    });
    let (chunks, body) = mpsc::unbounded_channel();
    let _gone = chunks.send(sse::event(&acknowledged));
    server.listeners.add(Listener { id: id.clone(), wanted, chunks });
    events(body)
}
