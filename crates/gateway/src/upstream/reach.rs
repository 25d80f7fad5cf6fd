//! Whether a server is there at all, asked once before the gateway starts.

use std::path::Path;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::settings::Transport;

/// How long a server may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(3);

/// Tries to reach a server without saying anything to it; the problem in words when it is not there.
///
/// A process is not started: its program only has to be found and executable.
pub async fn reach(transport: &Transport, search_path: &str) -> Result<(), String> {
    match transport {
        Transport::Http(uri) => connect(uri).await,
        Transport::Stdio { command, .. } => find(command, search_path),
    }
}

async fn connect(uri: &http::Uri) -> Result<(), String> {
    let host = uri.host().ok_or("the URL names no host")?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    let port = uri.port_u16().unwrap_or(default);
    match tokio::time::timeout(PATIENCE, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("no connection to {host}:{port}: {error}")),
        Err(_) => Err(format!("no connection to {host}:{port} within {} s", PATIENCE.as_secs())),
    }
}

fn find(command: &[String], search_path: &str) -> Result<(), String> {
    let program = command.first().ok_or("the command is empty")?;
    let found = if program.contains('/') {
        is_executable(Path::new(program))
    } else {
        search_path.split(':').any(|folder| is_executable(&Path::new(folder).join(program)))
    };
    if found { Ok(()) } else { Err(format!("the program `{program}` is not found")) }
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
