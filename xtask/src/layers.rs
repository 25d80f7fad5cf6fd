//! The layers of the house: which crate may depend on which, and which may do input and output.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

use crate::command::root;

/// Every crate, from the bottom up, with the crates that it may depend on.
///
/// Siblings never depend on each other. A crate that is missing here fails the check.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("document", &["model"]),
    ("mcp", &["model"]),
    ("identity", &["model"]),
    ("audit", &["model"]),
    ("definitions", &["model"]),
    ("world", &["model", "document"]),
    ("disclosure", &["model", "document", "world"]),
    ("policy", &["model", "document", "world", "disclosure"]),
    ("proof", &["model", "disclosure", "policy", "world"]),
    ("store", &["model", "audit", "world"]),
    (
        "live",
        &[
            "model",
            "audit",
            "definitions",
            "document",
            "disclosure",
            "identity",
            "policy",
            "store",
            "world",
        ],
    ),
    (
        "gateway",
        &[
            "model",
            "audit",
            "definitions",
            "disclosure",
            "document",
            "identity",
            "live",
            "mcp",
            "policy",
            "store",
            "world",
        ],
    ),
    (
        "control",
        &[
            "model",
            "audit",
            "definitions",
            "disclosure",
            "document",
            "identity",
            "live",
            "policy",
            "store",
            "world",
        ],
    ),
    ("demo", &["model", "document", "identity", "mcp"]),
    (
        "kenward",
        &[
            "model",
            "audit",
            "control",
            "demo",
            "definitions",
            "disclosure",
            "document",
            "gateway",
            "identity",
            "live",
            "mcp",
            "policy",
            "proof",
            "store",
            "world",
        ],
    ),
    ("testkit", &[]),
    ("xtask", &[]),
];

/// The crates that may name what does input and output: layer 3 and above.
const WITH_IO: &[&str] =
    &["proof", "store", "live", "gateway", "control", "demo", "kenward", "testkit"];

/// What does input and output.
const IO: &[&str] = &["tokio", "hyper", "hyper-util", "axum", "sqlx"];

/// Checks every dependency of every crate and prints those that point the wrong way.
pub(crate) fn run() -> Result<bool, String> {
    let problems = problems()?;
    for problem in &problems {
        println!("layers: {problem}");
    }
    if problems.is_empty() {
        println!("layers: every dependency points down");
    }
    Ok(problems.is_empty())
}

fn problems() -> Result<Vec<String>, String> {
    let mut command = MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml")).no_deps();
    let metadata = command.exec().map_err(|error| error.to_string())?;
    let layers: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    Ok(metadata.packages.iter().flat_map(|package| wrong(package, &layers)).collect())
}

fn wrong(package: &Package, layers: &BTreeMap<&str, &[&str]>) -> Vec<String> {
    let name = short(&package.name);
    let Some(allowed) = layers.get(name) else {
        return vec![format!("`{name}` has no layer; give it one in xtask/src/layers.rs")];
    };
    // What only tests use may come from anywhere.
    let linked =
        package.dependencies.iter().filter(|used| used.kind != DependencyKind::Development);
    let mut problems = Vec::new();
    for used in linked {
        let target = short(&used.name);
        if used.path.is_some() && !allowed.contains(&target) {
            problems.push(format!("`{name}` must not depend on `{target}`"));
        }
        if IO.contains(&target) && !WITH_IO.contains(&name) {
            problems.push(format!("`{name}` must not depend on `{target}`: it is pure"));
        }
    }
    problems
}

fn short(name: &str) -> &str {
    name.strip_prefix("kenward-").unwrap_or(name)
}
