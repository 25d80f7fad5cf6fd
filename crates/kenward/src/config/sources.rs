//! The files that the configuration names: policies, directory and inferences.

use std::fmt;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use kenward_model::{Finding, Place};
use kenward_policy::{SourceFile, Sources};

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// There is no such file.
    Missing,
    /// Something else, in words.
    Other(String),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such file"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            Self::Missing
        } else {
            Self::Other(error.to_string())
        }
    }
}

/// The whole text of the file at `path`.
pub(crate) fn text(path: &Path) -> Result<String, Unreadable> {
    let bytes = bytes(path)?;
    String::from_utf8(bytes).map_err(|_| Unreadable::Other("it is not UTF-8 text".to_owned()))
}

/// The whole content of the file at `path`, which must not be a folder.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Unreadable> {
    let file = fs::File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(Unreadable::Other("it is a folder, not a file".to_owned()));
    }
    let mut content = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut content)?;
    if content.len() > usize::try_from(MOST_BYTES).unwrap_or(usize::MAX) {
        return Err(Unreadable::Other("it is larger than 1 GiB".to_owned()));
    }
    Ok(content)
}

/// The most bytes of a file; directories of millions of entities are large.
const MOST_BYTES: u64 = 1 << 30;

/// All policies and schemas below `folder`, in the order of their names. `place` is where the
/// folder was named.
pub(crate) fn policies(folder: &Path, place: &Place, findings: &mut Vec<Finding>) -> Sources {
    let mut sources = Sources { schemas: Vec::new(), policies: Vec::new() };
    let before = findings.len();
    let mut files = Vec::new();
    match folder.metadata() {
        Ok(found) if found.is_dir() => collect(folder, 0, &mut files, findings),
        Ok(_) => findings.push(not_a_folder(folder, place)),
        Err(error) => {
            let why = match Unreadable::from(error) {
                Unreadable::Missing => "there is no such folder".to_owned(),
                Unreadable::Other(why) => why,
            };
            let message = format!("the policies at `{}` cannot be read: {why}", folder.display());
            findings.push(Finding::error(place.clone(), message));
        }
    }
    files.sort();
    for path in files {
        take(&path, &mut sources, findings);
    }
    if sources.policies.is_empty() && findings.len() == before {
        let message =
            format!("there is no policy in `{}`: every call is refused", folder.display());
        findings.push(
            Finding::warning(place.clone(), message).with_help("add a file that ends in .cedar"),
        );
    }
    sources
}

fn not_a_folder(path: &Path, place: &Place) -> Finding {
    Finding::error(place.clone(), format!("`{}` is no folder", path.display()))
        .with_help("name the folder that holds the *.cedar files")
}

/// INVARIANT: no policy file below the folder is left out silently; one that were could be the
/// one that forbids.
fn collect(folder: &Path, level: usize, files: &mut Vec<PathBuf>, findings: &mut Vec<Finding>) {
    let place = || Place::whole(folder.display().to_string());
    if level > MOST_LEVELS {
        findings.push(Finding::error(place(), "policy folders are nested too deeply"));
        return;
    }
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            findings.push(Finding::error(place(), format!("this folder cannot be read: {error}")));
            return;
        }
    };
    for path in entries.into_iter().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, level + 1, files, findings);
        } else if kind(&path).is_some() {
            files.push(path);
        }
    }
}

/// How deep the policy folder may go; a link to a folder above would go on for ever.
const MOST_LEVELS: usize = 8;

#[derive(Clone, Copy)]
enum Kind {
    Policies,
    Schema,
}

fn kind(path: &Path) -> Option<Kind> {
    match path.extension()?.to_str()? {
        "cedar" => Some(Kind::Policies),
        "cedarschema" => Some(Kind::Schema),
        _ => None,
    }
}

fn take(path: &Path, sources: &mut Sources, findings: &mut Vec<Finding>) {
    let name = path.display().to_string();
    match (text(path), kind(path)) {
        (Ok(text), Some(Kind::Policies)) => {
            sources.policies.push(SourceFile { path: name, text });
        }
        (Ok(text), Some(Kind::Schema)) => sources.schemas.push(SourceFile { path: name, text }),
        (Ok(_), None) => {}
        (Err(why), _) => {
            let message = format!("this file cannot be read: {why}");
            findings.push(Finding::error(Place::whole(name), message));
        }
    }
}
