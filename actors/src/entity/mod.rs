//! Entities: the pure [`Core`], and the shell that runs it as a supervised ractor actor.

mod core;
pub mod world;

pub use self::core::{Core, Effect, Input, LoadError, ReplyTo};
