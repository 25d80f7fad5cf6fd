//! The extension for tasks (SEP-2663): calls that go on after they have been answered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::call::{Ask, Call, Failure, Outcome, Question, TASKS};
use super::subscriptions::News;
use super::{Server, tools, unguessable};

/// How long a task is kept after it began.
const TTL: Duration = Duration::from_mins(5);

/// How often a client should ask, in milliseconds.
const POLL: u32 = 200;

/// All tasks.
#[derive(Debug, Default)]
pub(super) struct Tasks(Mutex<HashMap<String, Arc<Task>>>);

#[derive(Debug)]
struct Task {
    id: String,
    began: Instant,
    created: Timestamp,
    inner: Mutex<Inner>,
    /// Something was answered, or the task was cancelled.
    changed: Notify,
}

#[derive(Debug)]
struct Inner {
    status: Status,
    updated: Timestamp,
    pending: Vec<Question>,
    answers: Map<String, Value>,
}

#[derive(Debug)]
enum Status {
    Working,
    InputRequired,
    Completed(Value),
    Failed(Failure),
    Cancelled,
}

/// Makes a task of `call` and answers with it.
pub(super) fn begin(server: &Arc<Server>, call: Call) -> Outcome {
    let now = Timestamp::now();
    let inner = Inner {
        status: Status::Working,
        updated: now,
        pending: Vec::new(),
        answers: call.answers.clone(),
    };
    let task = Arc::new(Task {
        id: unguessable(),
        began: Instant::now(),
        created: now,
        inner: Mutex::new(inner),
        changed: Notify::new(),
    });
    let mut result = task.described();
    result["resultType"] = json!("task");
    server.tasks.add(&task);
    tokio::spawn(run(Arc::clone(server), task, call));
    Outcome::Done(result)
}

/// Works, asks, waits for the answers, and works on.
async fn run(server: Arc<Server>, task: Arc<Task>, mut call: Call) {
    loop {
        let outcome = tokio::select! {
            outcome = tools::run(&server, &call) => outcome,
            () = task.is_cancelled() => return task.tell(&server),
        };
        match outcome {
            Outcome::Done(result) => task.becomes(Status::Completed(result)),
            Outcome::Fail(failure) => task.becomes(Status::Failed(failure)),
            Outcome::Ask(ask) => {
                if let Some(capability) = ask.lacks(&call) {
                    task.becomes(Status::Failed(Failure::lacking(&json!({ capability: {} }))));
                    return task.tell(&server);
                }
                task.asks(ask);
                task.tell(&server);
                let Some(answers) = task.answered().await else { return task.tell(&server) };
                call.answers = answers;
                task.becomes(Status::Working);
                task.tell(&server);
                continue;
            }
        }
        return task.tell(&server);
    }
}

/// `tasks/get`, `tasks/update` and `tasks/cancel`.
pub(super) fn manage(server: &Server, call: &Call) -> Result<Value, Failure> {
    if !call.takes_tasks() {
        return Err(Failure::lacking(&json!({ "extensions": { TASKS: {} } })));
    }
    let id = call.params["taskId"].as_str().unwrap_or_default();
    let task = server.tasks.find(id).ok_or_else(|| Failure::invalid("there is no such task"))?;
    match call.method.as_str() {
        "tasks/get" => return Ok(task.described()),
        "tasks/cancel" => task.cancel(),
        _ => task.take(&call.answers),
    }
    Ok(json!({}))
}

impl Tasks {
    fn add(&self, task: &Arc<Task>) {
        let mut all = self.0.lock().expect("the tasks");
        all.retain(|_, task| task.began.elapsed() < TTL);
        all.insert(task.id.clone(), Arc::clone(task));
    }

    fn find(&self, id: &str) -> Option<Arc<Task>> {
        self.0.lock().expect("the tasks").get(id).cloned()
    }
}

impl Task {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("the task")
    }

    /// What it becomes, unless it has ended already.
    fn becomes(&self, status: Status) {
        let mut inner = self.lock();
        if !inner.status.is_final() {
            inner.status = status;
            inner.updated = Timestamp::now();
        }
    }

    fn asks(&self, ask: Ask) {
        self.lock().pending = ask.questions;
        self.becomes(Status::InputRequired);
    }

    /// Takes those answers that were asked for.
    fn take(&self, answers: &Map<String, Value>) {
        let mut inner = self.lock();
        let Inner { pending, answers: known, .. } = &mut *inner;
        pending.retain(|question| {
            let answer = answers.get(question.key).filter(|answer| question.is_answered_by(answer));
            if let Some(answer) = answer {
                known.insert(question.key.to_owned(), answer.clone());
            }
            answer.is_none()
        });
        drop(inner);
        self.changed.notify_waiters();
    }

    /// All answers, once nothing is pending; nothing when the task was cancelled.
    async fn answered(&self) -> Option<Map<String, Value>> {
        loop {
            let changed = self.changed.notified();
            {
                let inner = self.lock();
                if inner.status.is_final() {
                    return None;
                }
                if inner.pending.is_empty() {
                    return Some(inner.answers.clone());
                }
            }
            changed.await;
        }
    }

    fn cancel(&self) {
        self.becomes(Status::Cancelled);
        self.changed.notify_waiters();
    }

    async fn is_cancelled(&self) {
        loop {
            let changed = self.changed.notified();
            if self.lock().status.is_final() {
                return;
            }
            changed.await;
        }
    }

    fn tell(&self, server: &Server) {
        server.announce(&News::Task(self.described()));
    }

    /// The task with what it has come to.
    fn described(&self) -> Value {
        let inner = self.lock();
        let mut task = json!({
            "taskId": self.id,
            "status": inner.status.name(),
            "createdAt": self.created.to_string(),
            "lastUpdatedAt": inner.updated.to_string(),
            "ttlMs": u64::try_from(TTL.as_millis()).unwrap_or(u64::MAX),
            "pollIntervalMs": POLL,
        });
        match &inner.status {
            Status::Completed(result) => task["result"] = result.clone(),
            Status::Failed(failure) => task["error"] = failure.error(),
            Status::InputRequired => {
                let pending = inner.pending.iter().map(|question| {
                    let request = json!({ "method": question.method, "params": question.params });
                    (question.key.to_owned(), request)
                });
                task["inputRequests"] = Value::Object(pending.collect());
            }
            Status::Working | Status::Cancelled => {}
        }
        task
    }
}

impl Status {
    fn is_final(&self) -> bool {
        matches!(self, Self::Completed(_) | Self::Failed(_) | Self::Cancelled)
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::InputRequired => "input_required",
            Self::Completed(_) => "completed",
            Self::Failed(_) => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}
