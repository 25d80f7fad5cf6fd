//! When a connection last carried anything, and whether a request of it is worked on.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// How an HTTP/2 connection begins (RFC 9113, section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How often it is looked whether the rest of those words has come.
const LOOK: Duration = Duration::from_millis(5);

/// Whether the peer has said enough to tell which HTTP it speaks; false when it has gone.
pub(super) async fn has_spoken(stream: &TcpStream) -> bool {
    let mut words = [0; PREFACE.len()];
    loop {
        let said = match stream.peek(&mut words).await {
            Ok(0) | Err(_) => return false,
            Ok(length) => words.get(..length).unwrap_or_default(),
        };
        if said.len() == PREFACE.len() || !PREFACE.starts_with(said) {
            return true;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The signs of life of one connection.
#[derive(Debug, Clone)]
pub(super) struct Alive(Arc<Signs>);

#[derive(Debug)]
struct Signs {
    begun: Instant,
    /// When something was last read or written, in milliseconds since the beginning.
    moved: AtomicU64,
    busy: AtomicUsize,
}

/// A request that is worked on.
#[derive(Debug)]
pub(super) struct Busy(Alive);

impl Alive {
    pub(super) fn new() -> Self {
        let (moved, busy) = (AtomicU64::new(0), AtomicUsize::new(0));
        Self(Arc::new(Signs { begun: Instant::now(), moved, busy }))
    }

    pub(super) fn busy(&self) -> Busy {
        self.0.busy.fetch_add(1, Ordering::Relaxed);
        Busy(self.clone())
    }

    /// Waits until nothing has moved for `idle` and nothing is worked on.
    pub(super) async fn idle(&self, idle: Duration) {
        loop {
            let moved = Duration::from_millis(self.0.moved.load(Ordering::Relaxed));
            let rest = (moved + idle).saturating_sub(self.0.begun.elapsed());
            if !rest.is_zero() {
                tokio::time::sleep(rest).await;
            } else if self.0.busy.load(Ordering::Relaxed) > 0 {
                tokio::time::sleep(idle).await;
            } else {
                return;
            }
        }
    }

    fn moved(&self) {
        let now = u64::try_from(self.0.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.moved.store(now, Ordering::Relaxed);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        // What was worked on for long is not idle the moment it is done.
        self.0.moved();
        self.0.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A socket that notes when it carries something.
#[derive(Debug)]
pub(super) struct Watched {
    stream: TcpStream,
    alive: Alive,
}

impl Watched {
    pub(super) fn new(stream: TcpStream, alive: &Alive) -> Self {
        Self { stream, alive: alive.clone() }
    }

    fn note(&self, polled: &Poll<io::Result<usize>>) {
        if matches!(polled, Poll::Ready(Ok(1..))) {
            self.alive.moved();
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.alive.moved();
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(&polled);
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.note(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
