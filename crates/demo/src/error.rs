//! Why a piece of the demo cannot do its work.

use std::net::SocketAddr;
use std::path::PathBuf;

use kenward_identity::grant::GrantError;

use crate::http::HttpError;

/// Why a piece of the demo cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The demo hands out tokens to whoever asks: it never leaves this machine.
    #[error("`{0}` is not a loopback address; the demo listens on this machine alone")]
    NotLoopback(SocketAddr),
    /// The address cannot be listened on.
    #[error("`{address}` cannot be listened on: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("`{path}` cannot be written: {source}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The system gave no entropy.
    #[error("no entropy from the system")]
    NoEntropy,
    /// No key could be made.
    #[error(transparent)]
    Key(#[from] GrantError),
    /// A peer cannot be reached.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The token endpoint refused.
    #[error("no token: {0}")]
    NoToken(String),
}
