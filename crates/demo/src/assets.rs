//! The demo's configuration as real files, which a person can read, copy and change.

use std::path::{Path, PathBuf};

use crate::{DemoError, Person};

/// What the grants of the demo name as their audience.
pub const TRUST_DOMAIN: &str = "demo.example";

const CONFIGURATION: &str = include_str!("../assets/kenward.yaml");
/// Every file but the configuration itself, by its name in the folder.
const FILES: [(&str, &str); 6] = [
    ("directory.yaml", include_str!("../assets/directory.yaml")),
    ("inferences.yaml", include_str!("../assets/inferences.yaml")),
    ("stories/celebrity.yaml", include_str!("../assets/stories/celebrity.yaml")),
    ("policies/schema.cedarschema", include_str!("../assets/policies/schema.cedarschema")),
    ("policies/operations.cedar", include_str!("../assets/policies/operations.cedar")),
    ("policies/knowledge.cedar", include_str!("../assets/policies/knowledge.cedar")),
];
/// The people of the demo: id, name and what they do.
const PEOPLE: [(&str, &str, &str); 6] = [
    ("rita", "Rita", "a customer service representative in Nashville"),
    ("ron", "Ron", "a representative too, with customers of his own"),
    ("una", "Una", "a representative for Memphis and Knoxville"),
    ("priya", "Priya", "of the protection desk, who looks after protected customers"),
    ("sam", "Sam", "the supervisor of the representatives"),
    ("nora", "Nora", "from marketing, who has no business here"),
];

/// The ports of loopback that the demo's servers listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// The gateway's MCP endpoints.
    pub gateway: u16,
    /// The gateway's admin listener.
    pub admin: u16,
    /// The authorization server.
    pub authority: u16,
    /// The deliveries service.
    pub deliveries: u16,
}

impl Default for Ports {
    /// The ports that the files name as they are.
    fn default() -> Self {
        Self { gateway: 8080, admin: 9090, authority: 8090, deliveries: 8091 }
    }
}

/// Writes the configuration into `directory`, which is made if need be, and gives the path of
/// `kenward.yaml`. Files of the same names are replaced.
///
/// # Errors
/// A file or folder cannot be written.
pub fn write(directory: &Path, ports: Ports) -> Result<PathBuf, DemoError> {
    make(&directory.join("policies"))?;
    make(&directory.join("stories"))?;
    for (name, text) in FILES {
        put(&directory.join(name), text)?;
    }
    let path = directory.join("kenward.yaml");
    put(&path, &configuration(ports))?;
    Ok(path)
}

/// The configuration file for these ports.
pub fn configuration(ports: Ports) -> String {
    let own = Ports::default();
    [
        (own.gateway, ports.gateway),
        (own.admin, ports.admin),
        (own.authority, ports.authority),
        (own.deliveries, ports.deliveries),
    ]
    .iter()
    // By way of a mark that is no port, so that what was replaced is not replaced again.
    .fold(CONFIGURATION.to_owned(), |text, (from, to)| {
        text.replace(&format!("127.0.0.1:{from}"), &format!("127.0.0.1;{to}"))
    })
    .replace("127.0.0.1;", "127.0.0.1:")
}

/// Everybody who can log in.
pub fn people() -> Vec<Person> {
    let person = |(id, name, role): (&str, &str, &str)| Person {
        id: id.to_owned(),
        name: name.to_owned(),
        role: role.to_owned(),
    };
    PEOPLE.into_iter().map(person).collect()
}

fn make(directory: &Path) -> Result<(), DemoError> {
    let failed = |source| DemoError::Write { path: directory.to_owned(), source };
    std::fs::create_dir_all(directory).map_err(failed)
}

fn put(path: &Path, text: &str) -> Result<(), DemoError> {
    let failed = |source| DemoError::Write { path: path.to_owned(), source };
    std::fs::write(path, text).map_err(failed)
}

#[cfg(test)]
mod tests;
