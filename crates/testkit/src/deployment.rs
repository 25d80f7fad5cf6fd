//! The files of a deployment in a folder of its own, and the ports that it listens on.

mod deliveries;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Issuer, Upstream, ports};

/// A configuration with its policies and directory, not yet running.
#[derive(Debug)]
pub struct Deployment {
    folder: TempDir,
    /// What is written into the configuration file.
    pub config: Value,
    /// The environment variables of the gateway, beside `PATH`.
    pub environment: Vec<(String, String)>,
    /// A program with arguments that starts the gateway in its place, as `env` does.
    pub wrapper: Vec<String>,
    /// More arguments of `kenward serve`.
    pub arguments: Vec<String>,
}

impl Deployment {
    /// The bearer of the admin API.
    pub const ADMIN_TOKEN: &'static str = "the-admin-token-of-this-test-0123456789";

    /// The story's deployment: server `deliveries` at `upstream`, tokens of `issuer`, discovered.
    ///
    /// People: `rita` and `ron` are representatives, `petra` is one at the protection desk, `alice`
    /// administrates, `mallory` is nobody. Customer 1001 is rita's, 1002 is ron's, 4711 is protected.
    pub fn deliveries(issuer: &Issuer, upstream: &Upstream) -> Self {
        upstream.set_tools(deliveries::tools());
        upstream.set_prompts(deliveries::prompts());
        upstream.set_resources(deliveries::resources());
        upstream.set_templates(deliveries::templates());
        let mut deployment = Self::empty(issuer.url());
        deployment.config["servers"] = json!({ "deliveries": deliveries::server(upstream.url()) });
        deployment.config["inferences"] = json!("inferences.yaml");
        deployment.write("policies/deliveries.cedar", deliveries::POLICIES);
        deployment.write("policies/deliveries.cedarschema", deliveries::SCHEMA);
        deployment.write("directory.yaml", deliveries::DIRECTORY);
        deployment.write("inferences.yaml", deliveries::INFERENCES);
        deployment
    }

    /// A deployment without servers, whose directory and policies are empty.
    pub fn empty(issuer: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("kenward-test-").tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("policies")).expect("a folder");
        let listen = format!("127.0.0.1:{}", ports::free());
        let config = json!({
            "listen": listen,
            "public_url": format!("http://{listen}"),
            "admin": {
                "listen": format!("127.0.0.1:{}", ports::free()),
                "token": Self::ADMIN_TOKEN,
            },
            "state": "sqlite:kenward.db",
            "audit": { "directory": "audit/" },
            "issuers": [{ "issuer": issuer, "claims": { "user": "sub", "groups": "groups" } }],
            "servers": {},
            "policies": "policies/",
            "directory": "directory.yaml",
            "grants": { "trust_domain": "example.com", "lifetime": "30s" },
        });
        let deployment = Self {
            folder,
            config,
            environment: Vec::new(),
            wrapper: Vec::new(),
            arguments: Vec::new(),
        };
        deployment.write("directory.yaml", "[]\n");
        deployment
    }

    /// The folder of all files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file of this deployment.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The configuration file.
    pub fn config_path(&self) -> PathBuf {
        self.path("kenward.yaml")
    }

    /// Writes a file in place, as an editor or `cp` does.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file");
    }

    /// Replaces a file by renaming another over it, as careful programs do.
    pub fn replace(&self, name: &str, text: &str) {
        let beside = self.path(&format!("{name}.new"));
        std::fs::write(&beside, text).expect("a file");
        std::fs::rename(beside, self.path(name)).expect("renaming");
    }

    /// The text of a file.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("a file")
    }

    /// Writes the configuration file. JSON is YAML.
    pub fn write_config(&self) {
        self.write("kenward.yaml", &format!("{:#}\n", self.config));
    }

    /// What clients call.
    pub fn url(&self) -> String {
        self.config["public_url"].as_str().expect("a URL").to_owned()
    }

    /// The address of the admin listener as a URL.
    pub fn admin_url(&self) -> String {
        format!("http://{}", self.config["admin"]["listen"].as_str().expect("an address"))
    }

    /// The audience of the tokens for `server`.
    pub fn audience(&self, server: &str) -> String {
        format!("{}/mcp/{server}", self.url())
    }

    /// Adds a server.
    pub fn add_server(&mut self, name: &str, server: Value) {
        self.config["servers"][name] = server;
    }

    /// Adds text to the policies.
    pub fn add_policies(&self, text: &str) {
        let before = self.read("policies/deliveries.cedar");
        self.write("policies/deliveries.cedar", &format!("{before}\n{text}\n"));
    }
}
