//! What the benches share: a core each for server and generator, CPU time of a process, lean connections, a table.

mod acks;
mod figure;
mod ours;
mod poster;
mod process;
mod readers;
mod seed;
pub mod sfu;
mod socketio;
mod table;

pub use acks::{Speaker, Writer, at_rate, quantile_ms, saturate};
pub use figure::{Figure, measure, median, option};
pub use ours::{Ours, build_release, release_node, release_node_with};
pub use poster::Poster;
pub use process::{Cpu, pin_generator, server_pin};
pub use readers::{Readers, Wire};
pub use seed::{seed, seed_groups};
pub use socketio::{Peer, SocketIo};
pub use table::Table;

/// A room of some server with connected members, as the fan-out bench drives it.
pub trait Room {
    /// For the table.
    fn name(&self) -> &'static str;
    /// Connects more members, until there are `members`.
    fn grow(&mut self, members: usize) -> impl Future<Output = ()>;
    /// Sends messages until `stop`, keeping at most `in_flight` that are not yet with every member. Answers how many.
    fn send(&mut self, in_flight: u64, stop: std::time::Instant) -> impl Future<Output = u64>;
    /// CPU time that the server has used.
    fn cpu(&self) -> Cpu;
}
