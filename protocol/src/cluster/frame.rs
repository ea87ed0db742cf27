//! Frames: the envelopes that go to a peer at once, with an acknowledgement of what came from it.
//!
//! `schema u16 | link u64 | acked u64 | count u16 | envelopes`, numbers little-endian. A frame without envelopes is an
//! acknowledgement and a sign of life.

use super::codec::{self, CodecError};
use super::envelope::Envelope;
use crate::limits::{ENVELOPE_BYTES, LINK_FRAME_BYTES, LINK_FRAME_ENVELOPES};

/// What the envelopes of this version are. It changes when what one carries does; a frame of another schema is refused.
pub const SCHEMA: u16 = 2;

/// Bytes in front of the envelopes.
pub const HEADER_BYTES: usize = 20;

/// A frame as it was received.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkFrame {
    /// Which link it belongs to: the number that the receiver gave its sender when the link was made, so that nobody speaks in
    /// another's name, nor a link that is gone.
    pub link: u64,
    /// Bytes of frames that the sender has taken from the receiver, since the link was made.
    pub acked: u64,
    /// What it carries, in order.
    pub envelopes: Vec<Envelope>,
}

/// Why bytes are no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// It ends within the header.
    #[error("a frame of {0} bytes has no header")]
    Short(usize),
    /// Another version of the envelopes.
    #[error("schema {0} is not known")]
    Schema(u16),
    /// More envelopes or bytes than the limits allow.
    #[error("{count} envelopes in {bytes} bytes are too much for a frame")]
    TooLarge {
        /// Envelopes, as the header says.
        count: u16,
        /// Bytes of the whole frame.
        bytes: usize,
    },
    /// An envelope cannot be read.
    #[error("envelope {index}: {source}")]
    Envelope {
        /// Its place, from 0.
        index: usize,
        /// What is wrong.
        source: CodecError,
    },
    /// Bytes follow the last envelope.
    #[error("{0} bytes follow the last envelope")]
    Rest(usize),
}

impl LinkFrame {
    /// The link that a frame says it belongs to, also if the rest of it is junk.
    pub fn link_of(bytes: &[u8]) -> Option<u64> {
        let link = bytes.get(2..10)?;
        Some(u64::from_le_bytes(link.try_into().ok()?))
    }

    /// Reads a frame: within its limits, of this schema, and to the last byte.
    ///
    /// # Errors
    /// It is none.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let (header, mut rest) = bytes
            .split_at_checked(HEADER_BYTES)
            .ok_or(FrameError::Short(bytes.len()))?;
        let mut header = Fields(header);
        let schema = header.u16();
        if schema != SCHEMA {
            return Err(FrameError::Schema(schema));
        }
        let (link, acked, count) = (header.u64(), header.u64(), header.u16());
        let allowed = if count > 1 {
            LINK_FRAME_BYTES
        } else {
            ENVELOPE_BYTES
        };
        if usize::from(count) > LINK_FRAME_ENVELOPES || rest.len() > allowed {
            let bytes = bytes.len();
            return Err(FrameError::TooLarge { count, bytes });
        }
        let mut envelopes = Vec::new();
        for index in 0..usize::from(count) {
            let (envelope, taken) =
                codec::decode(rest).map_err(|source| FrameError::Envelope { index, source })?;
            envelopes.push(envelope);
            rest = rest.get(taken..).unwrap_or_default();
        }
        if !rest.is_empty() {
            return Err(FrameError::Rest(rest.len()));
        }
        Ok(Self {
            link,
            acked,
            envelopes,
        })
    }
}

/// The fixed fields of a header, one after the other; those that are missing are 0.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((field, rest)) = self.0.split_first_chunk::<N>() else {
            return [0; N];
        };
        self.0 = rest;
        *field
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }
}

/// An envelope that no frame carries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// It has more bytes than [`ENVELOPE_BYTES`].
    #[error("an envelope of {0} bytes is too large")]
    Bytes(usize),
    /// It has no encoding, which is a bug.
    #[error("an envelope cannot be encoded: {0}")]
    Codec(#[from] CodecError),
}

/// A frame that is being filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Room for the header, then the envelopes.
    bytes: Vec<u8>,
    count: u16,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            bytes: vec![0; HEADER_BYTES],
            count: 0,
        }
    }
}

impl Batch {
    /// Bytes of the frame as it is.
    #[allow(
        clippy::len_without_is_empty,
        reason = "a frame is never without bytes"
    )]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// How many envelopes are in it.
    pub fn count(&self) -> u16 {
        self.count
    }

    /// Adds an envelope unless that would make more than `room` bytes of it, or there is no place for another one.
    ///
    /// Answers its bytes; `None`: it was not added, and starts the next frame if it has room at all.
    ///
    /// # Errors
    /// No frame carries it.
    pub fn push(&mut self, envelope: &Envelope, room: usize) -> Result<Option<usize>, TooLarge> {
        let before = self.bytes.len();
        if usize::from(self.count) >= LINK_FRAME_ENVELOPES {
            return Ok(None);
        }
        let encoded = codec::encode(envelope, &mut self.bytes);
        let added = self.bytes.len() - before;
        let carried = match encoded {
            Err(error) => Err(error.into()),
            Ok(()) if added > ENVELOPE_BYTES => Err(TooLarge::Bytes(added)),
            Ok(()) => {
                let whole = self.bytes.len() - HEADER_BYTES;
                let fits = self.count == 0 || whole <= LINK_FRAME_BYTES;
                Ok((fits && added <= room).then_some(added))
            }
        };
        match carried {
            Ok(Some(_)) => self.count += 1,
            Ok(None) | Err(_) => self.bytes.truncate(before),
        }
        carried
    }

    /// Whether nothing more should be added: it goes alone, or is large enough.
    pub fn is_full(&self) -> bool {
        usize::from(self.count) >= LINK_FRAME_ENVELOPES || self.bytes.len() >= LINK_FRAME_BYTES
    }

    /// The frame.
    pub fn seal(mut self, link: u64, acked: u64) -> Vec<u8> {
        let header = SCHEMA
            .to_le_bytes()
            .into_iter()
            .chain(link.to_le_bytes())
            .chain(acked.to_le_bytes())
            .chain(self.count.to_le_bytes());
        for (place, byte) in self.bytes.iter_mut().zip(header) {
            *place = byte;
        }
        self.bytes
    }
}
