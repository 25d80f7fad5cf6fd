//! The state that survives a restart: keys, definitions and entities, in SQLite.
