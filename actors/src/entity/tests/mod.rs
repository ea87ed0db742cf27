//! Tests of the machine (pure) and of the directory with its shells and supervisor (on the memory store).

mod directory;
mod machine;
mod outbox;
mod toy;
