//! Runs a command with a mongod beside it, whose URL the command finds in `ROOKERY_TEST_MONGO`: one server for tests that
//! have a process each. `with_mongod cargo nextest run ...`
#![allow(clippy::expect_used, reason = "a panic in test code is the report")]

use std::process::{Command, ExitCode};

use rookery_tests::contract::SHARED_MONGO;
use rookery_tests::servers::Mongod;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mongod = runtime.block_on(Mongod::start());
    let mut words = std::env::args_os().skip(1);
    let program = words.next().expect("a command");
    let status = Command::new(program)
        .args(words)
        .env(SHARED_MONGO, mongod.url(""))
        .status();
    let code = status.expect("the command starts").code();
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}
