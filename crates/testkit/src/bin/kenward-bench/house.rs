//! Everything that is measured, running side by side: the server, nginx and Kenward.

use std::fmt::Write as _;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kenward_testkit::{Deployment, Gateway, Issuer, ports, proc};
use serde_json::{Value, json};

use crate::cell::Target;
use crate::nginx::Nginx;

/// The number of Cedar policies.
pub(crate) const POLICIES: usize = 100;
/// The number of customers in the directory.
pub(crate) const CUSTOMERS: usize = 1_000;

/// What runs.
#[derive(Debug)]
pub(crate) struct House {
    server: Server,
    nginx: Nginx,
    gateway: Gateway,
    _issuer: Issuer,
    /// The token of every request.
    pub(crate) token: String,
    /// From the start of the process to its first answer at `/readyz`.
    pub(crate) time_to_ready: Duration,
    /// Resident memory before the first request, in bytes.
    pub(crate) idle_bytes: u64,
}

#[derive(Debug)]
struct Server {
    process: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

impl House {
    /// Starts everything and waits until it answers.
    pub(crate) async fn start(kenward: &str) -> Self {
        let server = start_server();
        let issuer = Issuer::start().await;
        let deployment = deployment(&issuer, &server.address);
        let nginx = Nginx::start(deployment.folder(), &server.address);
        wait_for(&nginx.address);
        let token = issuer.token("rita", &deployment.audience("bench")).expires_in(3_600).sign();
        let started = Instant::now();
        let gateway = Gateway::start(kenward, deployment).await;
        let time_to_ready = started.elapsed();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let idle_bytes = proc::resident_bytes(gateway.pid()).unwrap_or_default();
        Self { server, nginx, gateway, _issuer: issuer, token, time_to_ready, idle_bytes }
    }

    /// Host and port of a target.
    pub(crate) fn address(&self, target: Target) -> String {
        match target {
            Target::Direct => self.server.address.clone(),
            Target::Nginx => self.nginx.address.clone(),
            Target::Kenward => self.gateway.http().address().to_owned(),
        }
    }

    /// The processes of the proxy.
    pub(crate) fn processes(&self, target: Target) -> Vec<u32> {
        match target {
            Target::Direct => Vec::new(),
            Target::Nginx => {
                let mut all = proc::children(self.nginx.pid());
                all.push(self.nginx.pid());
                all
            }
            Target::Kenward => vec![self.gateway.pid()],
        }
    }

    /// Resident memory of Kenward now, in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        proc::resident_bytes(self.gateway.pid()).unwrap_or_default()
    }
}

fn start_server() -> Server {
    let port = ports::free().to_string();
    let address = format!("127.0.0.1:{port}");
    let program = std::env::current_exe().expect("this program");
    let process = Command::new(program)
        .args(["serve", &port])
        .stdin(Stdio::null())
        .spawn()
        .expect("the server");
    wait_for(&address);
    Server { process, address }
}

fn wait_for(address: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(address).is_err() {
        assert!(Instant::now() < deadline, "nothing listens at {address}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Everything on: discovered keys, mapping, disclosure, grant, and the log as it is by default.
fn deployment(issuer: &Issuer, server: &str) -> Deployment {
    let mut deployment = Deployment::empty(issuer.url());
    deployment.add_server("bench", bench_server(server));
    deployment.write("policies/bench.cedarschema", SCHEMA);
    deployment.write("policies/bench.cedar", &policies());
    deployment.write("directory.yaml", &directory());
    deployment
}

fn bench_server(address: &str) -> Value {
    json!({
        "url": format!("http://{address}/mcp"),
        "tools": { "get_customer_address": {
            "mapping": { "evaluation": {
                "action": { "name": "read" },
                "resource": { "type": "Customer", "id": "$params.arguments.customer_id" },
            } },
            "discloses": [
                { "of": "Customer", "subject": "$params.arguments.customer_id", "attribute": "address" },
            ],
        } },
    })
}

const SCHEMA: &str = "entity Customer in [Group] { protected: Bool, assigned_to?: User };\n\
    action read appliesTo { principal: [User], resource: [Customer] };\n";

/// Four policies that matter here, and the others of a house with many departments.
fn policies() -> String {
    let mut text = "\
        permit (principal in Group::\"representatives\", action in Mcp::Action::\"tools/call\", resource in Mcp::Server::\"bench\");\n\
        permit (principal in Group::\"representatives\", action == Action::\"read\", resource is Customer);\n\
        permit (principal in Group::\"representatives\", action == Mcp::Action::\"learn\", resource is Customer)\n\
        when { resource has assigned_to && resource.assigned_to == principal };\n\
        forbid (principal, action == Mcp::Action::\"learn\", resource is Customer)\n\
        when { resource.protected && context.attribute == \"address\" } unless { principal in Group::\"desk\" };\n"
        .to_owned();
    for number in 4..POLICIES {
        let (action, resource) = match number % 4 {
            0 => ("action == Mcp::Action::\"learn\"", "resource is Customer"),
            1 => ("action == Action::\"read\"", "resource is Customer"),
            2 => ("action in Mcp::Action::\"tools/call\"", "resource in Mcp::Server::\"bench\""),
            _ => {
                ("action == Mcp::Action::\"resources/read\"", "resource in Mcp::Server::\"bench\"")
            }
        };
        let _infallible = writeln!(
            text,
            "permit (principal in Group::\"department-{number}\", {action}, {resource})\n\
             when {{ context.groups.contains(\"shift-{number}\") }};",
        );
    }
    text
}

fn directory() -> String {
    let mut text = String::from(
        "- { type: Group, id: representatives }\n\
         - { type: User, id: rita, parents: [ { type: Group, id: representatives } ] }\n",
    );
    for number in 0..CUSTOMERS {
        let _infallible = writeln!(
            text,
            "- {{ type: Customer, id: \"{}\", attributes: {{ protected: {}, assigned_to: \
             {{ __entity: {{ type: User, id: rita }} }} }}, aliases: [\"Customer {number}\"] }}",
            1_000 + number,
            number % 10 == 0,
        );
    }
    text
}
