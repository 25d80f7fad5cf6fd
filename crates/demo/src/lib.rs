//! The embedded pieces of the demo: an authorization server, the deliveries server and the player.
