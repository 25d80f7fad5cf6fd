//! `kenward serve`: the gateway itself, until a signal ends it.

use std::io::{self, Write as _};
use std::path::PathBuf;

use kenward_gateway::clock;
use kenward_model::Finding;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::Outcome;
use crate::config::{self, Loaded};
use crate::report::{self, Format};
use crate::run::{Manner, Running};

/// What `kenward serve` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "kenward.yaml")]
    pub(crate) config: PathBuf,
    /// Start although a server or an issuer cannot be reached; the log says which.
    #[arg(long)]
    pub(crate) allow_unreachable: bool,
}

/// Serves until a signal ends it.
pub(crate) fn run(args: &Args, format: Format) -> io::Result<Outcome> {
    let begun = clock::now();
    log_to_stderr(format, "info");
    let stored = &crate::cli::stored_definitions;
    let loaded = match config::load(&args.config, Some(&config::environment), stored) {
        Ok(loaded) => loaded,
        Err(findings) => return refuse(args, &findings, format),
    };
    let runtime = crate::run::runtime()?;
    runtime.block_on(async {
        let manner =
            Manner { path: &args.config, read: begun, allow_unreachable: args.allow_unreachable };
        say(&loaded, format)?;
        let public = loaded.config.settings.public_url.clone();
        match Running::start(loaded, manner).await {
            Ok(running) => {
                let took = clock::now().since(begun).as_millis();
                let mut err = anstream::stderr();
                writeln!(
                    err,
                    "ready in {took} ms: {public}/mcp/<server> on {}, admin on http://{}",
                    running.listen, running.admin
                )?;
                ended().await?;
                writeln!(err, "stopping")?;
                running.stop().await;
                Ok(Outcome::Good)
            }
            Err(findings) => refuse(args, &findings, format),
        }
    })
}

/// Nothing is started half: everything that is wrong is said, and that is all.
fn refuse(args: &Args, findings: &[Finding], format: Format) -> io::Result<Outcome> {
    report::print(&mut anstream::stderr(), findings, format)?;
    Ok(crate::cli::outcome_of(&args.config, findings))
}

/// Warnings do not keep a gateway from starting, and are not kept quiet either.
fn say(loaded: &Loaded, format: Format) -> io::Result<()> {
    if loaded.findings.is_empty() {
        return Ok(());
    }
    report::print(&mut anstream::stderr(), &loaded.findings, format)
}

/// Waits for SIGINT or SIGTERM.
pub(crate) async fn ended() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _signal = terminate.recv() => {}
        _signal = interrupt.recv() => {}
    }
    Ok(())
}

/// Logs to standard error; `KENWARD_LOG` chooses what (for example `debug` or `kenward_gateway=trace`).
pub(crate) fn log_to_stderr(format: Format, level: &str) {
    let wanted = config::environment("KENWARD_LOG").unwrap_or_else(|| level.to_owned());
    let filter = tracing_subscriber::EnvFilter::try_new(&wanted)
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // An error means that a subscriber is set already, in tests.
    let _set = match format {
        Format::Json => subscriber.json().try_init(),
        Format::Text => {
            let colour = io::IsTerminal::is_terminal(&io::stderr());
            subscriber.with_ansi(colour).try_init()
        }
    };
}
