//! A caller with a token: the suite cannot send one, so that everything it sends goes through here.
//!
//! One header is added to each request. Everything else passes byte for byte in both directions, as it
//! comes, and the end of one side is the end of the other.

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// The longest head of a request.
const LONGEST: usize = 64 * 1024;

/// A shim; it runs as long as this value lives.
#[derive(Debug)]
pub(crate) struct Shim {
    serving: JoinHandle<()>,
}

impl Shim {
    /// Accepts connections of `listener`, and passes them to `target` with `token`.
    pub(crate) fn start(listener: TcpListener, target: SocketAddr, token: &str) -> Self {
        let line = format!("Authorization: Bearer {token}\r\n");
        Self { serving: tokio::spawn(serve(listener, target, line)) }
    }
}

impl Drop for Shim {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, target: SocketAddr, line: String) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let line = line.clone();
        connections.spawn(async move {
            let Ok(server) = TcpStream::connect(target).await else { return };
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            let answers = tokio::io::copy(&mut from_server, &mut to_client);
            let mut answers = std::pin::pin!(answers);
            tokio::select! {
                ended = requests(&mut from_client, &mut to_server, line.as_bytes()) => {
                    // A server that reads no further may have answered all the same.
                    if ended.is_err() {
                        let _ended = answers.await;
                    }
                }
                _ended = &mut answers => {}
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Passes one request after the other, each with `line` after its first line, until the client goes.
///
/// An error when the server takes no more.
async fn requests(
    from: &mut OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    line: &[u8],
) -> io::Result<()> {
    let mut read = Vec::new();
    loop {
        let Ok(Some(head)) = head(from, &mut read).await else { return Ok(()) };
        let body = length(&head);
        let first = head.windows(2).position(|pair| pair == b"\r\n").expect("a first line") + 2;
        let here = body.min(read.len());
        to.write_all(&[&head[..first], line, &head[first..], &read[..here]].concat()).await?;
        read.drain(..here);
        let rest = u64::try_from(body - here).expect("a length");
        let passed = tokio::io::copy(&mut (&mut *from).take(rest), to).await?;
        if passed < rest {
            return Ok(());
        }
    }
}

/// The next head with the empty line at its end; nothing when the client has gone.
async fn head(from: &mut OwnedReadHalf, read: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            return Ok(Some(read.drain(..end + 4).collect()));
        }
        assert!(read.len() < LONGEST, "a head without an end");
        if from.read_buf(read).await? == 0 {
            return Ok(None);
        }
    }
}

/// The length of the body, which the suite always tells beforehand.
fn length(head: &[u8]) -> usize {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    assert!(!text.contains("\r\ntransfer-encoding:"), "a body of unknown length: {text}");
    let value = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    value.map_or(0, |value| value.trim().parse().expect("a length"))
}
