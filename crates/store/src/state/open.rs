//! From the URL of a state to a connection with the database.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::{StateError, failed};

/// The file that `url` names.
pub(super) fn path(url: &str) -> Result<PathBuf, StateError> {
    let Some((scheme, rest)) = url.split_once(':') else {
        return Err(StateError::Url(url.to_owned()));
    };
    match scheme {
        "postgres" | "postgresql" => Err(StateError::Fleet),
        "sqlite" => {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            // not a path: an in-memory database would forget, parameters would be ignored
            if path.is_empty() || path.starts_with(':') || path.contains('?') {
                return Err(StateError::Url(url.to_owned()));
            }
            Ok(PathBuf::from(path))
        }
        // the rest may hold a password
        scheme => Err(StateError::Url(format!("{scheme}:…"))),
    }
}

/// Connects with the database in the file `path`.
pub(super) async fn pool(path: &Path) -> Result<SqlitePool, StateError> {
    make_private(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging();
    SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await
        .map_err(failed("open"))
}

/// Makes the file when it is not there, and closes it and what `SQLite` keeps beside it to
/// everyone but the owner. Files that `SQLite` makes later take their mode from this one.
fn make_private(path: &Path) -> Result<(), StateError> {
    let failed = |doing| {
        let path = path.to_owned();
        move |source| StateError::File { doing, path, source }
    };
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(failed("open"))?;
    close_to_others(&file).map_err(failed("close to others"))?;
    for suffix in ["-wal", "-shm"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(suffix);
        match std::fs::File::open(&beside) {
            Ok(file) => close_to_others(&file).map_err(failed("close to others"))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed("open")(error)),
        }
    }
    Ok(())
}

#[cfg(unix)]
fn close_to_others(file: &std::fs::File) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

#[cfg(not(unix))]
fn close_to_others(_file: &std::fs::File) -> io::Result<()> {
    Ok(())
}
