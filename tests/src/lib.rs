//! Rookery's proofs: the harness that drives the real binary, and what benches share. Everything here is test code.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::missing_panics_doc,
    reason = "a panic in test code is the report, and tests read clocks"
)]

pub mod bench;
pub mod contract;
pub mod disk;
pub mod fuzz;
pub mod harness;
pub mod links;
pub mod memory;
pub mod readme;
pub mod servers;
pub mod voice;
