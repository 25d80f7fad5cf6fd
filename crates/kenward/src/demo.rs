//! `kenward demo`: the whole story on embedded parts in one process.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use kenward_audit::{Filter, Kind, Record};
use kenward_demo::assets::{self, Ports, TRUST_DOMAIN};
use kenward_demo::{Authority, Deliveries, DemoError, Explanation, Guard, Stage, Verified};
use kenward_gateway::clock;
use kenward_model::Finding;
use kenward_store::segments;

use crate::cli::Outcome;
use crate::config::{self, Loaded};
use crate::report::{self, Format};
use crate::run::{Manner, Running};
use crate::serve::{ended, log_to_stderr};

/// How often the day goes on when the demo is left running.
const TICK: Duration = Duration::from_secs(10);

/// What `kenward demo` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Leave everything running afterwards, and say how to connect a client of your own.
    #[arg(long)]
    pub(crate) serve: bool,
}

/// The pieces of the demo in service.
struct Scene {
    authority: Authority,
    deliveries: Deliveries,
    gateway: Running,
    public: String,
}

/// Plays the story; the exit status says whether everything went as told.
pub(crate) fn run(args: &Args, format: Format) -> io::Result<Outcome> {
    log_to_stderr(format, "error");
    let folder = tempfile::Builder::new().prefix("kenward-demo-").tempdir()?;
    let ports = ports(args.serve)?;
    let path = assets::write(folder.path(), ports).map_err(io::Error::other)?;
    let loaded =
        config::load(&path, Some(&config::environment), &|_| Ok(config::Definitions::new()));
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(findings) => return refuse(&findings, format),
    };
    let runtime = crate::run::runtime()?;
    runtime.block_on(async {
        match Scene::set(loaded, &path, ports).await? {
            Ok(scene) => scene.play(args, folder.path()).await,
            Err(findings) => refuse(&findings, format),
        }
    })
}

fn refuse(findings: &[Finding], format: Format) -> io::Result<Outcome> {
    report::print(&mut anstream::stderr(), findings, format)?;
    Ok(Outcome::Found)
}

impl Scene {
    async fn set(
        loaded: Loaded,
        path: &Path,
        ports: Ports,
    ) -> io::Result<Result<Self, Vec<Finding>>> {
        let surfaces = loaded.desk.surface.servers.values();
        let scopes = surfaces.flat_map(|server| &server.scopes);
        let scopes = scopes.map(|rule| (rule.scope.to_string(), rule.says.to_string())).collect();
        let public = loaded.config.settings.public_url.clone();
        let guard = Guard {
            jwks: format!("{public}/.well-known/jwks.json"),
            trust_domain: TRUST_DOMAIN.to_owned(),
        };
        let deliveries = Deliveries::start(loopback(ports.deliveries), Some(guard));
        let deliveries = deliveries.await.map_err(other)?;
        let authority = Authority::start(loopback(ports.authority), scopes, assets::people());
        let authority = authority.await.map_err(other)?;
        let manner = Manner { path, read: clock::now(), allow_unreachable: false };
        match Running::start(loaded, manner).await {
            Ok(gateway) => Ok(Ok(Self { authority, deliveries, gateway, public })),
            Err(findings) => Ok(Err(findings)),
        }
    }

    async fn play(mut self, args: &Args, folder: &Path) -> io::Result<Outcome> {
        let audit = self.gateway.audit.clone();
        let admin = format!("http://{}", self.gateway.admin);
        let explain = |id: &str| explain(&audit, id);
        let stage = Stage {
            authority: &self.authority,
            deliveries: &self.deliveries,
            gateway: &self.public,
            admin: &admin,
            admin_token: &self.gateway.admin_token,
            audit: &audit,
            scratch: folder,
            explain: &explain,
            verify: &verify,
        };
        let played = kenward_demo::play_to_terminal(&stage).await;
        let outcome = match &played {
            Ok(_) => Outcome::Good,
            Err(deviations) => {
                let mut err = anstream::stderr();
                for deviation in deviations {
                    writeln!(err, "\x1b[1;31mnot as told\x1b[0m: {deviation}")?;
                }
                Outcome::Found
            }
        };
        if args.serve {
            self.deliveries.keep_going(TICK);
            self.invite(folder)?;
            ended().await?;
        }
        self.gateway.stop().await;
        Ok(outcome)
    }

    /// How a real client gets in, and what to try.
    fn invite(&self, folder: &Path) -> io::Result<()> {
        let endpoint = format!("{}/mcp/deliveries", self.public);
        let mut out = anstream::stdout();
        writeln!(
            out,
            "\n\x1b[1mEverything is left running.\x1b[0m Ctrl-C ends it.\n\
             \n  MCP endpoint   {endpoint}\
             \n  sign in at     {} (your client opens it; choose who you are)\
             \n  admin API      http://{}/api/v1 (bearer {})\
             \n  configuration  {} (edit it: a change is in force within a second)\n\
             \nConnect a client of your own:\
             \n  MCP Inspector  npx @modelcontextprotocol/inspector, transport Streamable HTTP, URL {endpoint}\
             \n  Claude Code    claude mcp add --transport http deliveries {endpoint}\
             \n  VS Code        code --add-mcp '{{\"name\":\"deliveries\",\"type\":\"http\",\"url\":\"{endpoint}\"}}'\n\
             \nThen ask, as Rita: \"What is Taylor Swift's home address?\" and \"Which drop-off points are near her?\"\
             \nSign in as Priya, of the protection desk, and ask again.",
            self.authority.url,
            self.gateway.admin,
            self.gateway.admin_token,
            folder.display(),
        )
    }
}

/// The usual ports when the demo stays and they are free; otherwise whatever is free.
fn ports(stays: bool) -> io::Result<Ports> {
    let usual = Ports::default();
    let wanted = [usual.gateway, usual.admin, usual.authority, usual.deliveries];
    let all_free = || wanted.iter().all(|port| TcpListener::bind(loopback(*port)).is_ok());
    if stays && all_free() {
        return Ok(usual);
    }
    // Held together, so that no two of them are the same.
    let mut held = Vec::new();
    for _ in wanted {
        held.push(TcpListener::bind(loopback(0))?);
    }
    let mut free = held.iter().map(|listener| listener.local_addr().map(|address| address.port()));
    let mut next = || free.next().unwrap_or_else(|| Err(io::Error::other("no free port")));
    Ok(Ports { gateway: next()?, admin: next()?, authority: next()?, deliveries: next()? })
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn other(error: DemoError) -> io::Error {
    io::Error::other(error)
}

/// What the audit log says of the decision `id`.
fn explain(audit: &Path, id: &str) -> Option<Explanation> {
    let records =
        segments::read(audit, Filter { id: Some(id.to_owned()), ..Filter::default() }).ok()?;
    let record: Record = records
        .filter_map(Result::ok)
        .map(|entry| entry.record)
        .find(|record| matches!(record.kind, Kind::Decision))?;
    let note = record.note.map(std::borrow::Cow::into_owned);
    Some(Explanation {
        question: record.question.map(|question| question.words().to_owned()),
        reasons: record.reasons.iter().map(ToString::to_string).chain(note).collect(),
        policies: record.policies.iter().map(ToString::to_string).collect(),
        objects: record.objects.iter().map(ToString::to_string).collect(),
        facts: record
            .facts
            .iter()
            .map(|fact| format!("{} of {}", fact.attribute, fact.subject))
            .collect(),
    })
}

fn verify(audit: &Path) -> Result<Verified, Vec<String>> {
    segments::verify(audit)
        .map(|verified| Verified { records: verified.lines })
        .map_err(|broken| broken.iter().map(ToString::to_string).collect())
}
