//! Rookery's pure data: ids, limits, the client API (JSON), commands and events between entities, persisted
//! documents. No I/O, no clock, no runtime.

pub mod client;
pub mod command;
pub mod document;
pub mod entity;
pub mod error;
pub mod event;
pub mod ids;
pub mod intents;
pub mod limits;
pub mod permissions;
pub mod profile;
pub mod snowflake;
pub mod text;
pub mod time;
