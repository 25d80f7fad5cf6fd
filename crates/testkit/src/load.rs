//! Load over raw HTTP/1.1 sockets: requests prepared once, answers read with the least work.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What is sent again and again.
#[derive(Debug, Clone)]
pub struct Load {
    /// Host and port.
    pub address: String,
    /// A whole request, head and body.
    pub request: Bytes,
    /// Connections at once; each has one request under way.
    pub connections: usize,
    /// When to stop.
    pub duration: Duration,
    /// When to stop at the latest, in requests.
    pub most: u64,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Answers that were as they should be.
    pub answers: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// Microseconds from the first byte of a request to the last of its answer.
    pub latency: Histogram<u64>,
}

impl Measured {
    /// Answers per second.
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a rate to be shown")]
    pub fn rate(&self) -> f64 {
        self.answers as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency below which `percent` of the answers were.
    pub fn percentile(&self, percent: f64) -> Duration {
        Duration::from_micros(self.latency.value_at_percentile(percent))
    }
}

/// A request with `headers` and `body`, ready to be sent.
pub fn request(address: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Bytes {
    let mut text = format!("POST {path} HTTP/1.1\r\nhost: {address}\r\n");
    for (name, value) in headers {
        let _infallible = write!(text, "{name}: {value}\r\n");
    }
    let _infallible = write!(text, "content-length: {}\r\n\r\n{body}", body.len());
    Bytes::from(text)
}

/// Sends the load and measures every request. Fails when an answer is no HTTP 200 that `is_good`.
pub async fn run(load: &Load, is_good: fn(&[u8]) -> bool) -> Result<Measured, String> {
    let started = Instant::now();
    let each = load.most.div_ceil(u64::try_from(load.connections).unwrap_or(u64::MAX));
    let load = Arc::new(load.clone());
    let tasks: Vec<_> = (0..load.connections)
        .map(|_| tokio::spawn(one_connection(Arc::clone(&load), started, each, is_good)))
        .collect();
    let mut latency = Histogram::new(3).map_err(|error| error.to_string())?;
    for task in tasks {
        let measured = task.await.map_err(|error| error.to_string())??;
        latency.add(&measured).map_err(|error| error.to_string())?;
    }
    Ok(Measured { answers: latency.len(), elapsed: started.elapsed(), latency })
}

async fn one_connection(
    load: Arc<Load>,
    started: Instant,
    most: u64,
    is_good: fn(&[u8]) -> bool,
) -> Result<Histogram<u64>, String> {
    let mut socket = TcpStream::connect(&load.address).await.map_err(|error| error.to_string())?;
    socket.set_nodelay(true).map_err(|error| error.to_string())?;
    let mut latency = Histogram::new(3).map_err(|error| error.to_string())?;
    let mut buffer = Vec::with_capacity(64 << 10);
    while started.elapsed() < load.duration && latency.len() < most {
        let begun = Instant::now();
        socket.write_all(&load.request).await.map_err(|error| error.to_string())?;
        let body = read_answer(&mut socket, &mut buffer).await?;
        let taken = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        latency.record(taken.max(1)).map_err(|error| error.to_string())?;
        if !is_good(&buffer[body..]) {
            return Err(format!("a bad answer: {}", excerpt(&buffer)));
        }
    }
    Ok(latency)
}

/// Reads one answer into `buffer` and says where its body begins.
async fn read_answer(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<usize, String> {
    buffer.clear();
    let body = loop {
        more(socket, buffer).await?;
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..body]).to_ascii_lowercase();
    if !head.starts_with("http/1.1 200") {
        return Err(format!("an answer that is no 200: {}", excerpt(buffer)));
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    match length.and_then(|length| length.trim().parse::<usize>().ok()) {
        Some(length) => {
            while buffer.len() < body + length {
                more(socket, buffer).await?;
            }
        }
        None => {
            while !buffer.ends_with(b"\r\n0\r\n\r\n") {
                more(socket, buffer).await?;
            }
        }
    }
    Ok(body)
}

async fn more(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<(), String> {
    match socket.read_buf(buffer).await {
        Ok(0) => Err(format!("the connection was closed after {}", excerpt(buffer))),
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn find(buffer: &[u8], wanted: &[u8]) -> Option<usize> {
    buffer.windows(wanted.len()).position(|window| window == wanted)
}

fn excerpt(buffer: &[u8]) -> String {
    String::from_utf8_lossy(&buffer[..buffer.len().min(400)]).into_owned()
}
