//! Ports that nobody uses, for processes that cannot be told to choose one themselves.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the range from which the system takes ports by itself.
const FIRST: u32 = 10_240;
const COUNT: u32 = 22_000;

/// A free TCP port of the loopback address, different for each call.
///
/// Test processes run side by side: each starts at a place of its own, so that two of them hardly
/// ever try the same port between this check and its use.
pub fn free() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(7_919);
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let candidate = FIRST + start.wrapping_add(step) % COUNT;
        let port = u16::try_from(candidate).expect("a port");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
