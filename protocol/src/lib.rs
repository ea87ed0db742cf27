//! Rookery's pure data: ids, limits, the client API (JSON), commands and events between entities, persisted
//! documents. No I/O, no clock, no runtime.

pub mod archive;
pub mod client;
pub mod cluster;
pub mod command;
pub mod document;
pub mod entity;
pub mod error;
pub mod event;
pub mod ids;
pub mod inspect;
pub mod intents;
pub mod limits;
pub mod permissions;
pub mod profile;
pub mod session;
pub mod snowflake;
pub mod text;
pub mod time;
pub mod voice;
