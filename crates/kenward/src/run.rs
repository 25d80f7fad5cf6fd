//! Puts a checked configuration into service: state, log, keys, directory, both planes.

mod keys;
mod reload;
mod token;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kenward_control::Control;
use kenward_gateway::{Gateway, Issuers, Parts, clock, reach};
use kenward_live::{Live, file_change};
use kenward_model::{Finding, Place, Timestamp};
use kenward_store::State;
use kenward_store::segments::Log;
use kenward_world::{Change, World};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::{self, Loaded};

pub(crate) use token::kept as kept_admin_token;

/// How often house is kept: idle sessions, old keys.
const HOUSEKEEPING: Duration = Duration::from_secs(2);
/// How often histories that nobody needs leave the memory.
const TIDYING: Duration = Duration::from_mins(30);

/// A gateway in service.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) listen: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) admin_token: String,
    pub(crate) audit: PathBuf,
    pub(crate) log: Arc<Log>,
    gateway: Arc<Gateway>,
    live: Arc<Live>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// The runtime of everything beside the calls themselves, which have threads of their own.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()
}

/// How a gateway is put into service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner<'a> {
    /// The configuration file, to be watched.
    pub(crate) path: &'a Path,
    /// When the configuration began to be read.
    pub(crate) read: Timestamp,
    /// Whether it starts although a server or an issuer cannot be reached.
    pub(crate) allow_unreachable: bool,
}

impl Running {
    /// Starts everything, or nothing: what is missing is said all at once.
    pub(crate) async fn start(loaded: Loaded, manner: Manner<'_>) -> Result<Self, Vec<Finding>> {
        let Loaded { config, directory, desk, compiled, watched, findings: _ } = loaded;
        let issuers = Issuers::new(
            config.issuers.clone(),
            manner.path.parent().unwrap_or_else(|| Path::new("")),
            config.settings.limits.leeway,
        );
        let absent = absent(&config, &issuers, manner.path).await;
        if !absent.is_empty() && !manner.allow_unreachable {
            return Err(absent);
        }
        for finding in &absent {
            tracing::warn!("{}", finding.message);
        }
        let listeners = Listeners::bind(&config).await?;
        let state = State::open(&config.state).await.map_err(|error| {
            vec![Finding::error(Place::whole(&config.state), error.to_string())]
        })?;
        let log = open_log(&config)?;
        let grants = keys::load(&state).await?;
        let world = world(&state, &directory).await?;
        let live = Arc::new(Live::new(desk, compiled, world, state));
        let broken = |error: String| vec![Finding::error(Place::whole(&config.state), error)];
        live.histories().load().await.map_err(|error| broken(error.to_string()))?;
        live.load_definitions().await.map_err(|error| broken(error.to_string()))?;
        let settings = config.settings.clone();
        let parts =
            Parts { settings, live: Arc::clone(&live), log: Arc::clone(&log), issuers, grants };
        let gateway = Gateway::new(parts)
            .map_err(|error| vec![Finding::error(Place::whole("kenward"), error.to_string())])?;
        let gateway = Arc::new(gateway);
        let admin_token = token::admin_token(&config)?;
        let (stop, _) = watch::channel(false);
        let mut running = Self {
            listen: listeners.mcp_address,
            admin: listeners.admin_address,
            admin_token,
            audit: config.audit.clone(),
            log,
            gateway,
            live,
            stop,
            tasks: JoinSet::new(),
        };
        running.serve(listeners);
        running.keep_house();
        running.watch_files(manner, watched, directory);
        Ok(running)
    }

    fn serve(&mut self, listeners: Listeners) {
        let (gateway, stop) = (Arc::clone(&self.gateway), self.stopped());
        self.tasks.spawn(async move {
            kenward_gateway::serve(gateway, listeners.mcp, stop).await;
        });
        let gateway = Arc::clone(&self.gateway);
        let missing = move || {
            let without = gateway.issuers().missing();
            without.into_iter().map(|name| format!("the keys of issuer {name}")).collect()
        };
        let (live, log) = (Arc::clone(&self.live), Arc::clone(&self.log));
        let control = Arc::new(Control::new(live, log, &self.admin_token, missing));
        let stop = self.stopped();
        self.tasks.spawn(async move {
            if let Err(error) = kenward_control::serve(control, listeners.admin, stop).await {
                tracing::error!(%error, "the admin listener has ended");
            }
        });
    }

    fn keep_house(&mut self) {
        let (gateway, live, stop) =
            (Arc::clone(&self.gateway), Arc::clone(&self.live), self.stopped());
        let log = Arc::clone(&self.log);
        self.tasks.spawn(async move {
            tokio::select! {
                () = chores(&gateway, &live, &log) => {}
                () = stop => {}
            }
        });
    }

    fn watch_files(
        &mut self,
        manner: Manner<'_>,
        watched: Vec<PathBuf>,
        directory: Vec<(String, Vec<kenward_world::EntityRecord>)>,
    ) {
        let stop = self.stopped();
        let files = directory.into_iter().map(|(name, _)| name).collect();
        let reload = reload::Reload {
            path: manner.path.to_path_buf(),
            files,
            live: Arc::clone(&self.live),
            gateway: Arc::clone(&self.gateway),
            log: Arc::clone(&self.log),
        };
        let read = manner.read;
        self.tasks.spawn(async move {
            tokio::select! {
                () = reload::watch(reload, watched, read) => {}
                () = stop => {}
            }
        });
    }

    /// Done when the gateway is told to stop.
    fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stop = self.stop.subscribe();
        async move {
            // An error means that the gateway itself is gone.
            let _gone = stop.wait_for(|stop| *stop).await;
        }
    }

    /// Stops in good order: calls under way end, processes are gone, the log is closed.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
        self.gateway.close().await;
        if let Err(error) = self.live.histories().flush().await {
            tracing::error!(%error, "histories could not be written");
        }
        self.live.state().close().await;
        if let Err(error) = self.log.stop() {
            tracing::error!(%error, "the audit log was not closed in good order");
        }
    }
}

/// What is to be done now and then, for ever.
async fn chores(gateway: &Gateway, live: &Live, log: &Log) {
    let mut turn = tokio::time::interval(HOUSEKEEPING);
    let mut tidying = tokio::time::interval(TIDYING);
    loop {
        tokio::select! {
            _ = turn.tick() => {
                gateway.keep_house().await;
                keys::rotate(gateway.grant_keys(), live.state(), log).await;
            }
            _ = tidying.tick() => tidy(live).await,
        }
    }
}

/// Histories that nobody needs leave the memory; what they hold is in the state.
async fn tidy(live: &Live) {
    if let Err(error) = live.histories().tidy().await {
        tracing::error!(%error, "histories could not be written");
    }
}

/// Both listeners, bound before anything else is opened.
struct Listeners {
    mcp: TcpListener,
    admin: TcpListener,
    mcp_address: SocketAddr,
    admin_address: SocketAddr,
}

impl Listeners {
    async fn bind(config: &config::Config) -> Result<Self, Vec<Finding>> {
        let (mcp, admin) = tokio::join!(listener(config.listen), listener(config.admin));
        match (mcp, admin) {
            (Ok((mcp, mcp_address)), Ok((admin, admin_address))) => {
                Ok(Self { mcp, admin, mcp_address, admin_address })
            }
            (mcp, admin) => Err(mcp.err().into_iter().chain(admin.err()).collect()),
        }
    }
}

async fn listener(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Finding> {
    let bound = TcpListener::bind(address).await;
    let bound = bound.and_then(|listener| Ok((listener.local_addr()?, listener)));
    bound.map(|(address, listener)| (listener, address)).map_err(|error| {
        let message = format!("cannot listen on `{address}`: {error}");
        Finding::error(Place::whole("kenward"), message)
            .with_help("end what listens there, or choose another address")
    })
}

fn open_log(config: &config::Config) -> Result<Arc<Log>, Vec<Finding>> {
    let opened = Log::open(&config.audit, config.sync, clock::now);
    opened.map(Arc::new).map_err(|error| {
        let place = Place::whole(config.audit.display().to_string());
        vec![Finding::error(place, error.to_string())]
    })
}

/// The directory as the state and the files have it, going on from the last revision.
pub(crate) async fn world(
    state: &State,
    directory: &[(String, Vec<kenward_world::EntityRecord>)],
) -> Result<World, Vec<Finding>> {
    let stored = async {
        let entities = state.entities().await?;
        let standings = state.standings().await?;
        Ok::<_, kenward_store::StateError>((state.revision().await?, entities, standings))
    };
    let broken = |error: String| vec![Finding::error(Place::whole("state"), error)];
    let (revision, entities, standings) =
        stored.await.map_err(|error| broken(error.to_string()))?;
    let mut world = World::empty().at_least(revision);
    let entities = entities.into_iter().map(|(source, record)| Change::Put(source, record));
    let standings = standings.into_iter().map(|(user, standing)| Change::Standing(user, standing));
    let stored = Change::All(entities.chain(standings).collect());
    let files = directory.iter().map(|(file, records)| file_change(file, records.clone()));
    for change in std::iter::once(stored).chain(files) {
        world = world.apply(&change).map_err(|error| broken(error.to_string()))?;
    }
    Ok(world)
}

/// The servers and issuers that are not there.
async fn absent(config: &config::Config, issuers: &Issuers, path: &Path) -> Vec<Finding> {
    let place = || Place::whole(path.display().to_string());
    let search_path = config::environment("PATH").unwrap_or_default();
    let servers = config.settings.servers.iter().map(|(name, server)| {
        let search_path = &search_path;
        async move { (name, reach(&server.transport, search_path).await) }
    });
    let servers = futures_util::future::join_all(servers);
    let (servers, problems) = tokio::join!(servers, issuers.refresh(clock::now()));
    let servers = servers.into_iter().filter_map(|(name, tried)| {
        let problem = tried.err()?;
        Some(
            Finding::error(place(), format!("server `{name}` cannot be reached: {problem}"))
                .with_help("start it, or start the gateway with --allow-unreachable"),
        )
    });
    let problems = problems.into_iter().map(|problem| {
        Finding::error(place(), problem.to_string())
            .with_help("check the issuer, or start the gateway with --allow-unreachable")
    });
    servers.chain(problems).collect()
}
