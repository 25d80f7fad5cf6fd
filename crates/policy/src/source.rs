//! The texts that a deployment's policies and schema are written in.

/// One file as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// The path as the user named it; findings point there.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// Everything that a deployment wrote for the decision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// The `*.cedarschema` files.
    pub schemas: Vec<SourceFile>,
    /// The `*.cedar` files.
    pub policies: Vec<SourceFile>,
}
