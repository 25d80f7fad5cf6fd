//! The Model Context Protocol as a gateway speaks it: envelopes, methods, headers, lists and streams.
