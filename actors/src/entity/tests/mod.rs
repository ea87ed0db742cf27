//! Tests of the machine (pure) and of the directory with its shells and supervisor (on the memory store).

mod directory;
mod fixture;
mod inspect;
mod machine;
mod outbox;
mod requests;
mod route;
mod toy;
