//! The memory: decision records in hash-chained, append-only segments.
