//! The Model Context Protocol as a gateway speaks it: envelopes, methods, headers, lists and streams.
//!
//! Everything here is pure: bytes in, bytes and values out. A message is parsed once into the bytes
//! that are decided on and later forwarded; nothing is ever written anew from a tree.

mod envelope;
mod error;
mod message;
mod splice;
mod variant;

pub mod bridge;
pub mod dialect;
pub mod lines;
pub mod list;
pub mod method;
pub mod mirror;
pub mod rename;
pub mod reply;
pub mod scan;
pub mod sse;
pub mod to_modern;
pub mod tree;

pub use error::EnvelopeError;
pub use message::{Kind, Limits, Message};
