//! The admin's token: configured, or made once and kept where only its owner can read it.

use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use kenward_gateway::clock;
use kenward_model::{Finding, Place};

use crate::config::Config;

/// The bearer token of the admin API.
pub(super) fn admin_token(config: &Config) -> Result<String, Vec<Finding>> {
    if let Some(token) = &config.admin_token {
        return Ok(token.0.clone());
    }
    let path = path(config);
    let kept = match std::fs::read_to_string(&path) {
        Ok(token) if !token.trim().is_empty() => return Ok(token.trim().to_owned()),
        Ok(_) => make(&path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path),
        Err(error) => Err(error),
    };
    kept.map_err(|error| {
        let place = Place::whole(path.display().to_string());
        vec![Finding::error(place, format!("the admin token cannot be kept: {error}"))]
    })
}

/// The token of a gateway that runs already; none is made.
pub(crate) fn kept(config: &Config) -> Result<String, Vec<Finding>> {
    if let Some(token) = &config.admin_token {
        return Ok(token.0.clone());
    }
    let path = path(config);
    std::fs::read_to_string(&path).map(|token| token.trim().to_owned()).map_err(|error| {
        let place = Place::whole(path.display().to_string());
        let finding = Finding::error(place, format!("there is no admin token: {error}"));
        vec![finding.with_help("start the gateway first, as the user who runs this command")]
    })
}

/// Beside the state.
fn path(config: &Config) -> PathBuf {
    let state = config.state.strip_prefix("sqlite:").unwrap_or("kenward.db");
    Path::new(state).with_extension("admin-token")
}

fn make(path: &Path) -> io::Result<String> {
    let bytes = clock::entropy::<32>().map_err(io::Error::other)?;
    let token = bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    writeln!(file, "{token}")?;
    tracing::info!(path = %path.display(), "an admin token was made");
    Ok(token)
}
