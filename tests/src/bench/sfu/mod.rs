//! SFUs under load: ours and Janus, each a process of its own, with the same clients.

mod crowd;
mod janus;
mod ours;

use crate::bench::Cpu;
use crate::voice::{Client, Layout};

pub use crate::voice::world::own_address;
pub use crowd::{Crowd, Flow, middle, quantile};
pub use janus::Janus;
pub use ours::{Options, Workers};

/// A server of rooms.
pub trait Sfu {
    /// For the table.
    fn name(&self) -> &'static str;
    /// Somebody who only sends a voice and a camera of one layer comes into a room.
    fn publish(&mut self, room: u64, user: u64) -> Client;
    /// Somebody who watches and hears one who publishes.
    fn watch(&mut self, room: u64, user: u64, whom: u64) -> Client;
    /// CPU time that the server has used.
    fn cpu(&self) -> Cpu;
    /// What it says of itself, as text.
    fn load(&mut self) -> String {
        String::new()
    }
    /// What it holds in memory, in kilobytes.
    fn resident_kb(&self) -> u64;
}

/// A voice and a camera of one layer.
pub const SPEAKER: Layout = Layout {
    microphone: true,
    camera: 1,
    screen: false,
    screen_audio: false,
    audio_slots: 0,
    video_slots: 0,
    transport_cc: true,
};
