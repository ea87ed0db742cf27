//! Media workers and clients over the loopback: who hears and sees whom, and what bad input does to them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    reason = "a panic in test code is the report, and tests read clocks"
)]

mod aiortc;
mod flow;
mod hostile;
mod listen;
mod network;
mod rights;
mod soak;
