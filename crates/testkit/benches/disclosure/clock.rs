//! The processor time of this thread, without the time that reading it takes.

use rustix::time::{ClockId, clock_gettime};

/// A clock that stands still while others use the processor.
#[derive(Debug)]
pub(crate) struct Clock {
    /// What reading it costs, in nanoseconds.
    cost: u64,
}

impl Clock {
    /// A clock that knows what reading it costs.
    pub(crate) fn new() -> Self {
        let mut costs: Vec<u64> = (0..1_001).map(|_| Self { cost: 0 }.time(|| ()).1).collect();
        costs.sort_unstable();
        Self { cost: costs.get(500).copied().unwrap_or(0) }
    }

    /// What `work` gives, and how long the processor was at it, in nanoseconds.
    pub(crate) fn time<T>(&self, work: impl FnOnce() -> T) -> (T, u64) {
        let before = now();
        let done = work();
        let used = now().saturating_sub(before);
        (done, used.saturating_sub(self.cost))
    }
}

fn now() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let part = |part: i64| u64::try_from(part).unwrap_or(0);
    part(time.tv_sec) * 1_000_000_000 + part(time.tv_nsec)
}
