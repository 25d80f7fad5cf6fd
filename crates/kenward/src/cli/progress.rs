//! What is being done, said on standard error as soon as it takes long.

use std::io::{IsTerminal as _, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Says every now and then what is being done, from two seconds on.
#[derive(Debug)]
pub(crate) struct Progress {
    what: Arc<Mutex<String>>,
    ends: Option<Sender<()>>,
    speaker: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins; `verb` says what is done to whatever is named.
    pub(crate) fn begin(verb: &'static str) -> Self {
        let what = Arc::new(Mutex::new("reading the policies".to_owned()));
        let (ends, ended) = mpsc::channel();
        let named = Arc::clone(&what);
        let speaker = std::thread::spawn(move || {
            while ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let what = named.lock().map(|what| what.clone()).unwrap_or_default();
                say(verb, &what);
            }
        });
        Self { what, ends: Some(ends), speaker: Some(speaker) }
    }

    /// Names what is looked at now.
    pub(crate) fn now(&self, what: &str) {
        if let Ok(mut named) = self.what.lock() {
            what.clone_into(&mut named);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.ends.take());
        if let Some(speaker) = self.speaker.take() {
            drop(speaker.join());
        }
    }
}

fn say(verb: &str, what: &str) {
    let mut out = anstream::stderr();
    let (dim, reset) =
        if std::io::stderr().is_terminal() { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
    // Whoever does not read it misses nothing.
    drop(writeln!(out, "{dim}{verb}: {what}{reset}"));
}

const PATIENCE: Duration = Duration::from_secs(2);
