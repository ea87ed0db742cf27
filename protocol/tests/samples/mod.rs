//! Rows and commands to write: fixed ones for snapshots, any ones for properties. Each test uses a part of them.
#![allow(dead_code, reason = "not every test has every sample")]
#![allow(clippy::panic, reason = "a panic in a test is the report")]

pub(crate) mod any;
pub(crate) mod commands;
pub(crate) mod fixed;
