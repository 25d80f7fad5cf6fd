//! Changes come into force whole, or not at all.
