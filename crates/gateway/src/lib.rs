//! The data plane: every MCP message from the socket to the answer, in ten named steps.
