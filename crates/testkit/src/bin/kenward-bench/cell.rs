//! One cell of the table: one kind of request, one way to the server, so many connections.

use std::time::Duration;

use bytes::Bytes;
use kenward_testkit::load::{self, Load, Measured};
use kenward_testkit::proc;

use crate::house::House;

/// Never more requests than this in one cell, however fast the machine is.
const MOST: u64 = 2_000_000;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    /// A call with a small answer; it names a customer and reveals a fact about them.
    Call,
    /// A list of 20 tools.
    List,
    /// A call with an answer of 1 MB.
    Large,
}

impl Workload {
    pub(crate) const ALL: [Self; 3] = [Self::Call, Self::List, Self::Large];

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Call => "tools/call, small answer",
            Self::List => "tools/list, 20 tools",
            Self::Large => "tools/call, answer of 1 MB",
        }
    }

    fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Call => &[("mcp-method", "tools/call"), ("mcp-name", "get_customer_address")],
            Self::List => &[("mcp-method", "tools/list")],
            Self::Large => &[("mcp-method", "tools/call"), ("mcp-name", "large")],
        }
    }

    fn body(self) -> String {
        let meta = "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\
                    \"io.modelcontextprotocol/clientCapabilities\":{}}";
        let (method, params) = match self {
            Self::Call => (
                "tools/call",
                "\"name\":\"get_customer_address\",\"arguments\":{\"customer_id\":\"1001\"},",
            ),
            Self::List => ("tools/list", ""),
            Self::Large => ("tools/call", "\"name\":\"large\",\"arguments\":{},"),
        };
        format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\",\"params\":{{{params}{meta}}}}}"
        )
    }

    /// Whether an answer is the server's own and not a refusal.
    fn check(self) -> fn(&[u8]) -> bool {
        match self {
            Self::Call => |body| contains(body, b"1 Main Street"),
            Self::List => |body| contains(body, b"\"tool_18\""),
            Self::Large => |body| body.len() > 1_000_000,
        }
    }
}

/// Which way it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The server itself.
    Direct,
    /// nginx as a reverse proxy.
    Nginx,
    /// Kenward with everything on.
    Kenward,
}

impl Target {
    pub(crate) const ALL: [Self; 3] = [Self::Direct, Self::Nginx, Self::Kenward];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Nginx => "nginx",
            Self::Kenward => "kenward",
        }
    }
}

/// What a cell came to.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) measured: Measured,
    /// Processor time of the proxy's processes for each request; nothing without a proxy.
    pub(crate) processor: Option<Duration>,
}

/// Warms up, then measures.
pub(crate) async fn measure(
    house: &House,
    workload: Workload,
    target: Target,
    connections: usize,
    duration: Duration,
) -> Result<Cell, String> {
    let address = house.address(target);
    let request = request(house, workload, &address);
    let warm_up =
        Load { address, request, connections, duration: Duration::from_millis(400), most: MOST };
    load::run(&warm_up, workload.check()).await?;
    let before = processor_time(house, target);
    let load = Load { duration, ..warm_up };
    let measured = load::run(&load, workload.check()).await?;
    let used = processor_time(house, target).saturating_sub(before);
    let answers = u32::try_from(measured.answers.max(1)).unwrap_or(u32::MAX);
    let processor = (target != Target::Direct).then(|| used / answers);
    Ok(Cell { measured, processor })
}

fn request(house: &House, workload: Workload, address: &str) -> Bytes {
    let bearer = format!("Bearer {}", house.token);
    let mut headers = vec![
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
        ("mcp-protocol-version", "2026-07-28"),
        ("authorization", bearer.as_str()),
    ];
    headers.extend(workload.headers());
    load::request(address, "/mcp/bench", &headers, &workload.body())
}

fn processor_time(house: &House, target: Target) -> Duration {
    let processes = house.processes(target);
    processes.iter().filter_map(|pid| proc::processor_time(*pid)).sum()
}

fn contains(body: &[u8], wanted: &[u8]) -> bool {
    body.windows(wanted.len()).any(|window| window == wanted)
}
