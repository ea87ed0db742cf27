//! The node's settings.

/// All settings.
#[derive(Debug, Clone, Default)]
pub struct Config {}
