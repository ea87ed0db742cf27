//! A WebRTC client without a browser: it sends made-up Opus and VP8, and checks what it gets as a decoder would.

pub mod client;
pub mod content;
pub mod decoder;
pub mod impair;
pub mod kernel;
pub mod source;
pub mod world;

pub use client::{Client, Layout};
pub use decoder::{Audio, Video};
pub use impair::{Profile, Relay};
pub use kernel::Sockets;
pub use world::World;
