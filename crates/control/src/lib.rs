//! The control plane: the admin API, health and metrics.
