//! Frames as bytes: Discord's envelope around a shared body, in an unmasked WebSocket frame (RFC 6455, section 5.2), or
//! compressed as part of a session's zlib stream.

use flate2::{Compress, Compression, FlushCompress, Status};
use rookery_actors::relay::{Control, Delivery};
use rookery_protocol::client::gateway::{CloseCode, op};
use rookery_protocol::limits;

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;

/// The largest head of a server's frame.
const HEAD_BYTES: usize = 10;

/// A session's compression: one stream over all its frames, each ended by a sync flush (`00 00 FF FF`).
///
/// Source: <https://discord.com/developers/docs/events/gateway#zlib-stream>
pub struct Deflate(Compress);

impl Deflate {
    /// A 4 KiB window at the fastest level: about 140 kB a session instead of 270 kB.
    const WINDOW_BITS: u8 = 12;

    /// A new stream.
    pub fn new() -> Self {
        Self(Compress::new_with_window_bits(
            Compression::fast(),
            true,
            Self::WINDOW_BITS,
        ))
    }

    /// Appends the compressed form of `input` to `out`.
    fn append(&mut self, mut input: &[u8], out: &mut Vec<u8>) {
        loop {
            out.reserve(input.len() / 2 + 64);
            let before = self.0.total_in();
            let status = self.0.compress_vec(input, out, FlushCompress::Sync);
            let eaten = usize::try_from(self.0.total_in() - before).unwrap_or(usize::MAX);
            input = input.get(eaten..).unwrap_or_default();
            // Room left in the output after all input is taken: the flush is complete.
            let is_flushed = input.is_empty() && out.len() < out.capacity();
            if is_flushed || !matches!(status, Ok(Status::Ok)) {
                return;
            }
        }
    }
}

impl Default for Deflate {
    fn default() -> Self {
        Self::new()
    }
}

/// Builds frames in a buffer that is used again and again.
#[derive(Default)]
pub struct Encoder {
    frames: Vec<u8>,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

impl Encoder {
    /// The frames built since the last [`Encoder::clear`].
    pub fn frames(&self) -> &[u8] {
        &self.frames
    }

    /// Forgets the frames; a buffer that one giant frame has blown up is given back.
    pub fn clear(&mut self) {
        const KEPT_BYTES: usize = 1_024 * 1_024;
        for buffer in [&mut self.frames, &mut self.plain, &mut self.packed] {
            buffer.clear();
            buffer.shrink_to(KEPT_BYTES);
        }
    }

    /// A dispatch.
    pub fn dispatch(&mut self, deflate: Option<&mut Deflate>, delivery: &Delivery<'_>) {
        let mut digits = [0; 20];
        let parts: [&[u8]; 6] = [
            br#"{"t":""#,
            delivery.name.wire().as_bytes(),
            br#"","s":"#,
            decimal(delivery.seq, &mut digits),
            br#","op":0,"d":"#,
            delivery.body,
        ];
        self.text(deflate, &parts);
    }

    /// A frame without a number.
    pub fn control(&mut self, deflate: Option<&mut Deflate>, control: &Control) {
        match control {
            Control::HeartbeatAck => self.bare(deflate, op::HEARTBEAT_ACK, b"null"),
            Control::Reconnect => self.bare(deflate, op::RECONNECT, b"null"),
            Control::InvalidSession { resumable: true } => {
                self.bare(deflate, op::INVALID_SESSION, b"true");
            }
            Control::InvalidSession { resumable: false } => {
                self.bare(deflate, op::INVALID_SESSION, b"false");
            }
            Control::Raw(bytes) => self.frames.extend_from_slice(bytes),
        }
    }

    /// Opcode 10.
    pub fn hello(&mut self, deflate: Option<&mut Deflate>) {
        let data = format!(
            r#"{{"heartbeat_interval":{},"_trace":[]}}"#,
            limits::HEARTBEAT_MS
        );
        self.bare(deflate, op::HELLO, data.as_bytes());
    }

    /// A close frame with Discord's code and reason.
    pub fn close(&mut self, code: CloseCode) {
        let reason = code.reason().as_bytes();
        head(&mut self.frames, CLOSE, reason.len() + 2);
        self.frames.extend_from_slice(&code.code().to_be_bytes());
        self.frames.extend_from_slice(reason);
    }

    fn bare(&mut self, deflate: Option<&mut Deflate>, opcode: u8, data: &[u8]) {
        let mut digits = [0; 20];
        let parts: [&[u8]; 4] = [
            br#"{"t":null,"s":null,"op":"#,
            decimal(u64::from(opcode), &mut digits),
            br#","d":"#,
            data,
        ];
        self.text(deflate, &parts);
    }

    /// A text of some parts and the closing brace.
    fn text(&mut self, deflate: Option<&mut Deflate>, parts: &[&[u8]]) {
        let Some(deflate) = deflate else {
            let length = parts.iter().map(|part| part.len()).sum::<usize>() + 1;
            self.frames.reserve(length + HEAD_BYTES);
            head(&mut self.frames, TEXT, length);
            for part in parts {
                self.frames.extend_from_slice(part);
            }
            self.frames.push(b'}');
            return;
        };
        self.plain.clear();
        for part in parts {
            self.plain.extend_from_slice(part);
        }
        self.plain.push(b'}');
        self.packed.clear();
        deflate.append(&self.plain, &mut self.packed);
        head(&mut self.frames, BINARY, self.packed.len());
        self.frames.extend_from_slice(&self.packed);
    }
}

/// The head of a whole, unmasked frame.
fn head(out: &mut Vec<u8>, kind: u8, length: usize) {
    out.push(kind);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ ..126), _) => out.push(length),
        (_, Ok(length)) => {
            out.push(126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

/// A number in decimal digits.
fn decimal(mut number: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        if number == 0 {
            return &digits[at..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use flate2::{Decompress, FlushDecompress};
    use rookery_protocol::event::EventName;

    fn payload(frame: &[u8]) -> (u8, &[u8]) {
        let (start, length) = match frame[1] {
            126 => (4, u64::from(u16::from_be_bytes([frame[2], frame[3]]))),
            127 => (10, u64::from_be_bytes(frame[2..10].try_into().unwrap())),
            short => (2, u64::from(short)),
        };
        assert_eq!(frame.len() as u64, start as u64 + length);
        (frame[0], &frame[start..])
    }

    #[test]
    fn a_dispatch_is_the_envelope_around_the_shared_body_at_every_length() {
        for size in [0usize, 60, 70, 200, 65_400, 65_500, 70_000] {
            let text = "x".repeat(size);
            let body = Bytes::from(format!("\"{text}\""));
            let mut encoder = Encoder::default();
            let delivery = Delivery {
                seq: 1_234_567_890,
                name: EventName::MessageCreate,
                body: &body,
            };
            encoder.dispatch(None, &delivery);
            let (kind, payload) = payload(encoder.frames());
            assert_eq!(kind, TEXT);
            let value: serde_json::Value = serde_json::from_slice(payload).unwrap();
            assert_eq!(
                value,
                serde_json::json!({"t": "MESSAGE_CREATE", "s": 1_234_567_890u64, "op": 0, "d": text})
            );
        }
    }

    #[test]
    fn a_zlib_stream_reads_back_frame_by_frame() {
        let mut deflate = Deflate::new();
        let mut inflate = Decompress::new(true);
        for n in 0..200u64 {
            // Some that hardly compress, some larger than the window.
            let noise: String = (0..n * 97)
                .map(|i| char::from(b'!' + ((i * i * 7 + n) % 90) as u8))
                .filter(|c| !matches!(c, '"' | '\\'))
                .collect();
            let body = Bytes::from(format!("\"{noise}\""));
            let mut encoder = Encoder::default();
            let delivery = Delivery {
                seq: n,
                name: EventName::MessageCreate,
                body: &body,
            };
            encoder.dispatch(Some(&mut deflate), &delivery);
            let (kind, packed) = payload(encoder.frames());
            assert_eq!(kind, BINARY);
            assert!(packed.ends_with(&[0, 0, 0xff, 0xff]));
            let mut plain = Vec::with_capacity(64 * 1_024);
            inflate
                .decompress_vec(packed, &mut plain, FlushDecompress::Sync)
                .unwrap();
            let value: serde_json::Value = serde_json::from_slice(&plain).unwrap();
            assert_eq!(value["s"], n);
            assert_eq!(value["d"], noise);
        }
    }
}
