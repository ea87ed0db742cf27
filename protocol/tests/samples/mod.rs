//! Rows to write: fixed ones for snapshots, any ones for properties.

pub(crate) mod any;
pub(crate) mod fixed;
