//! Sessions of 2025-11-25 and earlier: what the server keeps between the requests of one client.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::sse::Stream;
use super::subscriptions::News;
use super::unguessable;

/// How many streams of one session can be come back to.
const STREAMS: usize = 32;

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<String, Arc<Session>>>);

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: String,
    /// The revision that was agreed on.
    pub(super) version: String,
    /// What the client declared.
    pub(super) capabilities: Value,
    /// The stream on which the server speaks by itself.
    pub(super) standing: Arc<Stream>,
    level: Mutex<String>,
    subscribed: Mutex<Vec<String>>,
    streams: Mutex<BTreeMap<u64, Arc<Stream>>>,
    next: AtomicU64,
    asked: Mutex<HashMap<String, oneshot::Sender<Value>>>,
    running: Mutex<HashMap<String, AbortHandle>>,
}

impl Sessions {
    /// Begins a session.
    pub(super) fn begin(&self, version: &str, capabilities: Value) -> Arc<Session> {
        let session = Arc::new(Session::new(version, capabilities));
        self.lock().insert(session.id.clone(), Arc::clone(&session));
        session
    }

    /// The session with this id.
    pub(super) fn find(&self, id: &str) -> Option<Arc<Session>> {
        self.lock().get(id).cloned()
    }

    /// Ends a session with its streams and whatever runs in it; false when there is none.
    pub(super) fn end(&self, id: &str) -> bool {
        let Some(session) = self.lock().remove(id) else { return false };
        session.end();
        true
    }

    /// Tells every session that wants to hear it.
    pub(super) fn announce(&self, news: &News) {
        let sessions: Vec<_> = self.lock().values().cloned().collect();
        for session in sessions {
            if let Some(message) = session.hears(news) {
                session.standing.say(&message);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.0.lock().expect("the sessions")
    }
}

impl Session {
    fn new(version: &str, capabilities: Value) -> Self {
        let standing = Arc::new(Stream::new(0, primes(version)));
        Self {
            id: unguessable(),
            version: version.to_owned(),
            capabilities,
            streams: Mutex::new(BTreeMap::from([(0, Arc::clone(&standing))])),
            standing,
            level: Mutex::new("info".to_owned()),
            subscribed: Mutex::default(),
            next: AtomicU64::new(1),
            asked: Mutex::default(),
            running: Mutex::default(),
        }
    }

    /// The lowest level of logs that the client wants.
    pub(super) fn level(&self) -> String {
        self.level.lock().expect("the level").clone()
    }

    /// Sets the lowest level of logs.
    pub(super) fn set_level(&self, level: &str) {
        level.clone_into(&mut self.level.lock().expect("the level"));
    }

    /// From now on the client hears of changes of `uri`, or no longer.
    pub(super) fn subscribe(&self, uri: &str, on: bool) {
        let mut subscribed = self.subscribed.lock().expect("the subscriptions");
        subscribed.retain(|known| known != uri);
        if on {
            subscribed.push(uri.to_owned());
        }
    }

    fn hears(&self, news: &News) -> Option<Value> {
        let wanted = match news {
            News::ToolsChanged | News::PromptsChanged => true,
            News::ResourceUpdated(uri) => {
                self.subscribed.lock().expect("the subscriptions").contains(uri)
            }
            News::Task(_) => false,
        };
        wanted.then(|| news.message(None))
    }

    /// A new stream for the answer to one request.
    pub(super) fn stream(&self) -> Arc<Stream> {
        let stream = Arc::new(Stream::new(self.number(), primes(&self.version)));
        let mut streams = self.streams.lock().expect("the streams");
        streams.insert(stream.number(), Arc::clone(&stream));
        while streams.len() > STREAMS {
            // The standing stream is number 0 and stays.
            let oldest = streams.keys().copied().find(|number| *number != 0);
            oldest.map(|number| streams.remove(&number));
        }
        stream
    }

    /// The stream with this number.
    pub(super) fn find_stream(&self, number: u64) -> Option<Arc<Stream>> {
        self.streams.lock().expect("the streams").get(&number).cloned()
    }

    /// The id of a question to the client, and where its answer will come.
    ///
    /// The id is the question's key, or begins with it where the same is asked twice at once.
    pub(super) fn ask(&self, key: &str) -> (String, oneshot::Receiver<Value>) {
        let mut asked = self.asked.lock().expect("the questions");
        let taken = asked.contains_key(key);
        let id = if taken { format!("{key}-{}", self.number()) } else { key.to_owned() };
        let (sender, answer) = oneshot::channel();
        asked.insert(id.clone(), sender);
        (id, answer)
    }

    /// Takes the client's answer to a question; false when it was never asked.
    pub(super) fn answered(&self, response: Value) -> bool {
        let id = response["id"].as_str().unwrap_or_default();
        let sender = self.asked.lock().expect("the questions").remove(id);
        sender.is_some_and(|sender| sender.send(response).is_ok())
    }

    /// Notes what works on the request `id`.
    pub(super) fn runs(&self, id: &Value, work: AbortHandle) {
        self.running.lock().expect("the requests").insert(id.to_string(), work);
    }

    /// The request `id` has been answered.
    pub(super) fn ran(&self, id: &Value) {
        self.running.lock().expect("the requests").remove(&id.to_string());
    }

    /// Gives up the request `id`.
    pub(super) fn cancel(&self, id: &Value) {
        if let Some(work) = self.running.lock().expect("the requests").remove(&id.to_string()) {
            work.abort();
        }
    }

    fn end(&self) {
        for work in self.running.lock().expect("the requests").values() {
            work.abort();
        }
        for stream in self.streams.lock().expect("the streams").values() {
            stream.finish();
        }
    }

    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

/// Whether streams of this revision open with an empty event, so that a client can come back at once.
fn primes(version: &str) -> bool {
    version >= "2025-11-25"
}
