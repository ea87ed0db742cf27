//! The client API's JSON, as Discord's libraries read it: the union of the fields they need, nulls included.
//!
//! Source: <https://discord.com/developers/docs/reference>; what each library needs was measured.

pub mod application;
pub mod audit;
pub mod ban;
pub mod channel;
pub mod direct;
pub mod embed;
pub mod events;
pub mod gateway;
pub mod group;
pub mod invite;
pub mod member;
pub mod message;
pub mod presence;
pub mod user;
pub mod voice;
pub mod voice_state;

use bytes::Bytes;
use serde::Serialize;

/// The JSON text of a body, in a buffer of its exact size: bodies are kept in logs.
pub fn encode(body: &impl Serialize) -> Bytes {
    let mut json = Vec::with_capacity(1_024);
    #[allow(
        clippy::expect_used,
        reason = "invariant: bodies are plain structs with string keys"
    )]
    serde_json::to_writer(&mut json, body).expect("a body of the client API is valid JSON");
    Bytes::copy_from_slice(&json)
}
