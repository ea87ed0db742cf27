//! What nodes say to each other: envelopes, the frames that carry them, and the names they give when a link is made.
//!
//! The encoding is bincode's, which is positional: a variant or a field is a place, not a name. So enums that travel are
//! append-only, and a struct that changes makes a new [`SCHEMA`]. Rows on disk are never written so.

mod codec;
mod envelope;
mod frame;
mod hello;
mod positional;

pub use self::codec::CodecError;
pub use self::envelope::Envelope;
pub use self::frame::{Batch, FrameError, HEADER_BYTES, LinkFrame, SCHEMA, TooLarge};
pub use self::hello::{
    HELLO_BYTES, HELLO_HEADER_BYTES, Hello, HelloError, Verdict, full_name, is_cluster_name,
};
