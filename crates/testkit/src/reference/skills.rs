//! The extension for skills (SEP-2640): one skill with a file in a folder of its own.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::call::{Call, Failure};
use super::hexadecimal;

/// The extension's name.
pub(super) const EXTENSION: &str = "io.modelcontextprotocol/skills";

const NAME: &str = "writing-reports";
const DESCRIPTION: &str = "Writes a report with the sections that reports have here.";
const FOLDER: &str = "skill://reference/writing-reports";

const MANIFEST: &str = "\
---
name: writing-reports
description: Writes a report with the sections that reports have here.
---

# Writing reports

Follow the order of `references/sections.md`.
";

const SECTIONS: &str = "\
# Sections

1. What happened
2. What was done
3. What is left
";

/// The files of the skill, by their path within its folder.
const FILES: [(&str, &str); 2] = [("SKILL.md", MANIFEST), ("references/sections.md", SECTIONS)];

/// The three methods of the extension.
pub(super) fn answer(call: &Call) -> Result<Value, Failure> {
    let uri = call.params["uri"].as_str().unwrap_or_default();
    match call.method.as_str() {
        "skills/list" => Ok(json!({ "skills": [entry()] })),
        "skills/get" if uri == manifest_uri() => Ok(json!({ "skill": entry() })),
        "skills/get" => {
            Err(Failure::invalid("there is no such skill").with_data(json!({ "uri": uri })))
        }
        _ => directory(uri).ok_or_else(|| {
            Failure::invalid("this is no directory").with_data(json!({ "uri": uri }))
        }),
    }
}

/// The manifest as `resources/list` gives it.
pub(super) fn resource() -> Value {
    json!({
        "uri": manifest_uri(), "name": NAME, "description": DESCRIPTION, "mimeType": "text/markdown",
    })
}

/// A file of the skill as `resources/read` gives it.
pub(super) fn contents(uri: &str) -> Option<Value> {
    let path = uri.strip_prefix(FOLDER)?.strip_prefix('/')?;
    let (_, text) = FILES.iter().find(|(known, _)| *known == path)?;
    Some(json!({ "uri": uri, "mimeType": "text/markdown", "text": text }))
}

fn manifest_uri() -> String {
    format!("{FOLDER}/SKILL.md")
}

fn entry() -> Value {
    let files: Vec<Value> = FILES
        .iter()
        .map(|(path, text)| {
            let hex = hexadecimal(digest(&SHA256, text.as_bytes()).as_ref());
            json!({
                "uri": format!("{FOLDER}/{path}"),
                "digest": format!("sha256:{hex}"),
                "size": text.len(),
            })
        })
        .collect();
    json!({
        "uri": manifest_uri(),
        "frontmatter": { "name": NAME, "description": DESCRIPTION },
        "resources": files,
    })
}

fn directory(uri: &str) -> Option<Value> {
    let file = |path: &str, name: &str| json!({ "uri": format!("{FOLDER}/{path}"), "name": name, "mimeType": "text/markdown" });
    let folder = json!({
        "uri": format!("{FOLDER}/references"), "name": "references", "mimeType": "inode/directory",
    });
    match uri.strip_prefix(FOLDER)?.trim_end_matches('/') {
        "" => Some(json!({ "resources": [file("SKILL.md", NAME), folder] })),
        "/references" => {
            Some(json!({ "resources": [file("references/sections.md", "sections.md")] }))
        }
        _ => None,
    }
}
