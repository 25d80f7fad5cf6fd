//! The accept loop: connections are bounded in number, in time and in what they may send.

mod idle;
mod peers;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::body::AnswerBody;
use crate::gateway::Gateway;
use crate::pipeline;
use crate::settings::Limits;
use idle::{Alive, Watched, has_spoken};
use peers::{Peer, Peers};

/// How long calls under way may take to end when the gateway stops.
const GRACE: Duration = Duration::from_secs(5);
/// Connections that wait for one core.
const WAITING: usize = 64;
/// Requests that one HTTP/2 connection may have under way.
const CONCURRENT: u32 = 256;

/// Serves connections until `stop` is done, then lets calls under way end.
///
/// Each core has a thread with a runtime of its own, and a connection stays with one of them, with
/// the connections upstream that it uses: nothing about a call crosses from core to core.
pub async fn serve(gateway: Arc<Gateway>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let room = Arc::new(Semaphore::new(gateway.settings().limits.connections));
    let mut cores = Vec::new();
    for number in 0..std::thread::available_parallelism().map_or(2, usize::from) {
        match Core::start(number, &gateway) {
            Ok(core) => cores.push(core),
            Err(error) => tracing::error!(%error, "a thread of the data plane did not start"),
        }
    }
    let room = Room { room, peers: Peers::new(gateway.settings().limits.connections_per_peer) };
    accept(&gateway, &listener, &room, &cores, stop).await;
    gateway.sessions.end_all();
    for Core { connections, ended } in cores {
        drop(connections);
        // An error means that the thread has ended already.
        let _ended = ended.await;
    }
}

/// How many more connections there may be.
struct Room {
    room: Arc<Semaphore>,
    peers: Peers,
}

/// Hands each connection to the next core in turn.
async fn accept(
    gateway: &Arc<Gateway>,
    listener: &TcpListener,
    room: &Room,
    cores: &[Core],
    stop: impl Future<Output = ()>,
) {
    let mut turn = cores.iter().cycle();
    tokio::pin!(stop);
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&room.room).acquire_owned() => permit,
            () = &mut stop => break,
        };
        let Ok(permit) = permit else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Without a place for it the connection is closed by being dropped.
                let Some(counted) = room.peers.enter(peer.ip()) else { continue };
                let Some(core) = turn.next() else { return };
                let held = (permit, counted);
                core.take(Connection { gateway: Arc::clone(gateway), stream, peer, held }).await;
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// One core's part of the data plane.
struct Core {
    connections: mpsc::Sender<Connection>,
    /// Done when the thread has ended.
    ended: oneshot::Receiver<()>,
}

impl Core {
    async fn take(&self, connection: Connection) {
        if self.connections.send(connection).await.is_err() {
            tracing::error!("a thread of the data plane is gone");
        }
    }

    fn start(number: usize, gateway: &Arc<Gateway>) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (connections, incoming) = mpsc::channel(WAITING);
        let (done, ended) = oneshot::channel();
        let gateway = Arc::clone(gateway);
        std::thread::Builder::new().name(format!("core-{number}")).spawn(move || {
            runtime.block_on(serve_core(&gateway, incoming));
            // An error means that nobody waits any more.
            let _unheard = done.send(());
        })?;
        Ok(Self { connections, ended })
    }
}

/// Serves the connections of one core until there are no more.
async fn serve_core(gateway: &Gateway, mut incoming: mpsc::Receiver<Connection>) {
    let builder = builder(&gateway.settings().limits);
    let graceful = GracefulShutdown::new();
    while let Some(connection) = incoming.recv().await {
        connection.start(&builder, &graceful);
    }
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("calls under way were cut off");
    }
    // Processes are ended by tasks of the core that started them.
    gateway.close().await;
}

fn builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_headers(limits.headers)
        // No `pipeline_flush`: with it hyper buffers an answer without bound for who does not read.
        .max_buf_size(limits.head);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.head).unwrap_or(u32::MAX))
        .max_concurrent_streams(CONCURRENT)
        .max_pending_accept_reset_streams(20);
    builder
}

/// One connection before it is served.
struct Connection {
    gateway: Arc<Gateway>,
    /// Registered with the runtime that accepted it; it moves to the core's own.
    stream: TcpStream,
    peer: SocketAddr,
    held: (OwnedSemaphorePermit, Peer),
}

impl Connection {
    fn start(self, builder: &auto::Builder<TokioExecutor>, graceful: &GracefulShutdown) {
        let Self { gateway, stream, peer, held } = self;
        let moved = stream.into_std().and_then(TcpStream::from_std);
        let Ok(stream) = moved else {
            return tracing::warn!("a connection could not be taken over");
        };
        // A socket that refuses the option still works, only slower.
        let _slower = stream.set_nodelay(true);
        let limits = gateway.settings().limits.clone();
        let (builder, watcher) = (builder.clone(), graceful.watcher());
        tokio::spawn(async move {
            // Until its first words nobody knows which HTTP it speaks.
            let speaks = tokio::time::timeout(limits.header_time, has_spoken(&stream)).await;
            if speaks == Ok(true) {
                let alive = Alive::new();
                let io = TokioIo::new(Watched::new(stream, &alive));
                let service = service_fn(|request| answered(&gateway, &alive, peer, request));
                let connection = watcher.watch(builder.serve_connection(io, service));
                let ended = tokio::select! {
                    ended = connection => ended,
                    () = alive.idle(limits.idle_time) => Err("it was idle".into()),
                };
                ended.unwrap_or_else(|error| tracing::debug!(%error, "a connection broke off"));
            }
            drop(held);
        });
    }
}

/// One request, during which its connection is not idle.
fn answered(
    gateway: &Arc<Gateway>,
    alive: &Alive,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<AnswerBody>, Infallible>> + Send + use<> {
    let (gateway, busy) = (Arc::clone(gateway), alive.busy());
    async move {
        let answer = pipeline::answer(&gateway, peer, request).await;
        drop(busy);
        Ok(answer)
    }
}
