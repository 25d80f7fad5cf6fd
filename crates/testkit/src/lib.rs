//! Fixtures for tests: scriptable MCP servers and clients, issuers and load.
