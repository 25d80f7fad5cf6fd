//! The embedded pieces of the demo: an authorization server, the deliveries server and the player.
//!
//! Everything listens on loopback alone. Nothing here knows the gateway from the inside: it is
//! handed addresses, and speaks HTTP.

pub mod assets;
mod authority;
mod clock;
mod deliveries;
mod error;
mod http;
mod loopback;
mod player;
#[cfg(test)]
mod testing;

pub use authority::{Authority, Person};
pub use deliveries::{Deliveries, Guard, Seen};
pub use error::DemoError;
pub use http::HttpError;
pub use player::{Explanation, Played, Stage, Verified, play, play_to_terminal};
