//! From what a configuration file says to what it means, with a finding for each thing that
//! cannot be meant.

mod issuers;
mod limits;
mod servers;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use kenward_document::{Environment, Places};
use kenward_gateway::Settings;
use kenward_model::{Finding, Place};

use super::file::ConfigFile;
use super::{Config, Settled, url};

/// Settles the values of `file`; relative paths begin at `base`.
pub(super) fn settle(
    file: &ConfigFile,
    places: &Places,
    base: &Path,
    environment: Environment<'_>,
) -> Settled {
    let mut settler =
        Settler { file, places, base, environment, findings: Vec::new(), jwks: Vec::new() };
    let config = settler.config();
    let Settler { findings, jwks, .. } = settler;
    let config = config.filter(|_| !findings.iter().any(Finding::is_error));
    Settled { config, findings, jwks }
}

/// A key as a token of a JSON Pointer (RFC 6901 section 3).
pub(super) fn token(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

struct Settler<'s> {
    file: &'s ConfigFile,
    places: &'s Places,
    base: &'s Path,
    environment: Environment<'s>,
    findings: Vec<Finding>,
    /// The files that hold the keys of issuers.
    jwks: Vec<PathBuf>,
}

impl Settler<'_> {
    /// Every part is settled before the first missing one ends it, so that all findings are made.
    fn config(&mut self) -> Option<Config> {
        let listen = self.address("/listen", &self.file.listen);
        let admin = self.admin(listen);
        let public_url = self.public_url(listen);
        let state = self.state();
        let audit = self.audit();
        let invariants = self.invariants();
        let issuers = self.issuers();
        let servers = self.servers();
        let limits = self.limits();
        let grants = self.grants(public_url.as_deref());
        let disclosure = self.disclosure();
        let (trust_domain, grant_lifetime) = grants?;
        let public_url = public_url?;
        Some(Config {
            listen: listen?,
            admin: admin?,
            admin_token: self.file.admin.token.clone(),
            state: state?,
            audit: audit?,
            sync: self.file.audit.sync,
            invariants: invariants?,
            issuers,
            settings: Settings {
                workload: public_url.clone(),
                public_url,
                servers,
                limits: limits?,
                disclosure: disclosure?,
                trust_domain,
                grant_lifetime,
            },
        })
    }

    fn address(&mut self, pointer: &str, text: &str) -> Option<SocketAddr> {
        let numeric = match text.strip_prefix("localhost:") {
            Some(port) => format!("127.0.0.1:{port}"),
            None => text.to_owned(),
        };
        if let Ok(address) = numeric.parse() {
            return Some(address);
        }
        self.error(pointer, format!("`{text}` is no address to listen on"))
            .help("write an IP address and a port, for example 127.0.0.1:8080");
        None
    }

    fn admin(&mut self, listen: Option<SocketAddr>) -> Option<SocketAddr> {
        let admin = self.address("/admin/listen", &self.file.admin.listen)?;
        if listen.is_some_and(|listen| collide(listen, admin)) {
            self.error("/admin/listen", "the admin listener has the address of the MCP endpoints")
                .help("give it a port of its own");
        }
        if !admin.ip().is_loopback() {
            let message =
                "the admin listener can be reached from other machines, without encryption";
            self.warning("/admin/listen", message).help("bind it to 127.0.0.1");
        }
        if self.file.admin.token.as_ref().is_some_and(|token| token.0.len() < SHORTEST_TOKEN) {
            let message =
                format!("the token of the admin API is shorter than {SHORTEST_TOKEN} characters");
            self.error("/admin/token", message)
                .help("leave it out and one is made, or take the output of `openssl rand -hex 32`");
        }
        Some(admin)
    }

    fn public_url(&mut self, listen: Option<SocketAddr>) -> Option<String> {
        let Some(text) = &self.file.public_url else {
            return self.derived_url(listen?);
        };
        let uri = match url::web(text) {
            Ok(uri) => uri,
            Err(why) => {
                self.error("/public_url", format!("`{text}` {why}")).help(PUBLIC_URL);
                return None;
            }
        };
        if uri.query().is_some() || uri.path() != "/" || text.ends_with("//") {
            self.error("/public_url", format!("`{text}` has a path or a query")).help(PUBLIC_URL);
            return None;
        }
        if url::is_exposed(&uri) {
            let message = "clients would send their tokens to this URL without encryption";
            self.warning("/public_url", message).help("use https://, ended before the gateway");
        }
        Some(text.trim_end_matches('/').to_owned())
    }

    fn derived_url(&mut self, listen: SocketAddr) -> Option<String> {
        if listen.ip().is_unspecified() || listen.port() == 0 {
            let message = format!("`public_url` is missing, and clients cannot call `{listen}`");
            self.error("/listen", message).help("say under which URL clients reach the gateway");
            return None;
        }
        Some(format!("http://{listen}"))
    }

    fn state(&mut self) -> Option<String> {
        let state = &self.file.state;
        if state.starts_with("postgres:") || state.starts_with("postgresql:") {
            self.error("/state", "a state in PostgreSQL is not available in this version")
                .help("write sqlite: and a path");
            return None;
        }
        let path = state.strip_prefix("sqlite:").filter(|path| !path.is_empty());
        let Some(path) = path else {
            self.error("/state", format!("`{state}` names no state"))
                .help("write sqlite: and a path");
            return None;
        };
        let path = self.path(path);
        if let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) {
            let message = format!("there is no folder `{}` for the state", folder.display());
            self.error("/state", message);
            return None;
        }
        Some(format!("sqlite:{}", path.display()))
    }

    fn audit(&mut self) -> Option<PathBuf> {
        let path = self.path(&self.file.audit.directory);
        if path.exists() && !path.is_dir() {
            let message = format!("`{}` is no folder", self.file.audit.directory);
            self.error("/audit/directory", message);
            return None;
        }
        Some(path)
    }

    /// SECURITY: what lies in the policy folder is in force, so that an invariant there would hold
    /// by itself. Test: `config::tests::invariants_are_not_policies`.
    #[expect(clippy::option_option, reason = "nothing is wrong, or nothing is named")]
    fn invariants(&mut self) -> Option<Option<PathBuf>> {
        let Some(named) = self.file.invariants.as_deref() else { return Some(None) };
        let path = self.path(named);
        if !path.exists() {
            self.error("/invariants", format!("there is no `{named}`"));
            return None;
        }
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let policies = real(&self.path(&self.file.policies));
        if real(&path).starts_with(&policies) {
            let message = format!("`{named}` is in the policy folder, where it is in force itself");
            self.error("/invariants", message).help("keep invariants in a folder of their own");
            return None;
        }
        Some(Some(path))
    }

    /// A path of the file, absolute.
    fn path(&self, path: &str) -> PathBuf {
        let joined = self.base.join(path);
        std::path::absolute(&joined).unwrap_or(joined)
    }

    fn place(&self, pointer: &str) -> Place {
        self.places.place(pointer)
    }

    fn error(&mut self, pointer: &str, message: impl Into<String>) -> Last<'_> {
        let finding = Finding::error(self.place(pointer), message);
        self.add(finding)
    }

    fn warning(&mut self, pointer: &str, message: impl Into<String>) -> Last<'_> {
        let finding = Finding::warning(self.place(pointer), message);
        self.add(finding)
    }

    fn add(&mut self, finding: Finding) -> Last<'_> {
        self.findings.push(finding);
        Last(self.findings.last_mut())
    }
}

/// The finding that was just made.
struct Last<'f>(Option<&'f mut Finding>);

impl Last<'_> {
    fn help(self, help: impl Into<String>) {
        if let Some(finding) = self.0 {
            finding.help = Some(help.into());
        }
    }
}

/// Whether both cannot be bound at once.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let any = |ip: IpAddr| ip.is_unspecified();
    let same_host = one.ip() == other.ip() || any(one.ip()) || any(other.ip());
    one.port() != 0 && one.port() == other.port() && same_host
}

const SHORTEST_TOKEN: usize = 16;

const PUBLIC_URL: &str = "write scheme, host and port alone, for example https://mcp.example.com";
