//! Who is calling and what goes on downstream: tokens, keys, metadata and grants.
