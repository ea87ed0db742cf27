//! The one place that knows bincode.
//!
//! bincode 2.0.1 is frozen: it is not maintained any more, and 3.0.0 is a `compile_error`. That is why it is confined
//! here. Should it have to go, this file and [`super::SCHEMA`] change, and nothing else.

use bincode::config::{Configuration, Limit, LittleEndian, Varint, standard};

use super::envelope::Envelope;
use super::positional::Positional;
use crate::limits::ENVELOPE_BYTES;

/// Why bytes are no envelope, or an envelope cannot be encoded. Says where the encoding stopped, never what was in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CodecError(String);

/// Small numbers are short; a length above [`ENVELOPE_BYTES`] is an error before anything is allocated for it.
const CONFIG: Configuration<LittleEndian, Varint, Limit<ENVELOPE_BYTES>> =
    standard().with_limit::<ENVELOPE_BYTES>();

/// Appends an envelope to `out`. If it fails `out` may hold a part of it.
pub(super) fn encode(envelope: &Envelope, out: &mut Vec<u8>) -> Result<(), CodecError> {
    bincode::serde::encode_into_std_write(Positional(envelope), out, CONFIG)
        .map(drop)
        .map_err(|error| CodecError(error.to_string()))
}

/// The envelope at the beginning of some bytes, and how many of them it takes.
pub(super) fn decode(bytes: &[u8]) -> Result<(Envelope, usize), CodecError> {
    bincode::serde::decode_from_slice(bytes, CONFIG).map_err(|error| CodecError(error.to_string()))
}
