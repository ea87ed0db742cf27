//! The client API's JSON, as Discord's libraries read it: the union of the fields they need, nulls included.
//!
//! Source: <https://discord.com/developers/docs/reference>; what each library needs was measured.

pub mod application;
pub mod channel;
pub mod events;
pub mod gateway;
pub mod group;
pub mod invite;
pub mod member;
pub mod message;
pub mod user;

use bytes::Bytes;
use serde::Serialize;

/// The JSON text of a body.
pub fn encode(body: &impl Serialize) -> Bytes {
    #[allow(
        clippy::expect_used,
        reason = "invariant: bodies are plain structs with string keys"
    )]
    serde_json::to_vec(body)
        .expect("a body of the client API is valid JSON")
        .into()
}
