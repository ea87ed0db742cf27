//! What the tests of links share: nodes that are a process each, certificates, and strangers that dial one.

mod certificates;
mod peer;
mod stranger;

pub use certificates::{Authority, expired};
pub use peer::{Counts, LinkPeer};
pub use stranger::{Stranger, hello, plain, trusting_nobody};
