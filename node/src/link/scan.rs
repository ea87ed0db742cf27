//! Looks at what a peer sends before ractor does: the name in ractor's handshake must be the certificate's, and nothing but
//! that handshake comes before it. Pure; it reads a stream in any pieces.
//!
//! ractor's stream is `length u64 (big-endian) | NetworkMessage`, a protobuf message of one field: 1 is its handshake, 2
//! what is for an actor, 3 its control messages. Sources: ractor_cluster 0.16.5, `net/session.rs` and `protocol/*.proto`.

use rookery_protocol::cluster::HEADER_BYTES;
use rookery_protocol::limits::{
    ENVELOPE_BYTES, LINK_AUTH_BYTES, LINK_AUTH_FRAMES, LINK_CONTROL_BYTES, LINK_CONTROL_FRAMES,
    LINK_CONTROL_MS,
};

/// Bytes that ractor puts around a frame of ours, at most.
const AROUND_BYTES: usize = 128;
/// Bytes of the longest message.
pub const MESSAGE_BYTES: usize = ENVELOPE_BYTES + HEADER_BYTES + AROUND_BYTES;

/// Tags of length-delimited protobuf fields.
const AUTH: u8 = 0x0a;
const NODE: u8 = 0x12;
const CONTROL: u8 = 0x1a;

/// Fields of ractor's `AuthenticationMessage`.
const NAME: u64 = 1;
const SERVER_STATUS: u64 = 2;
const SERVER_CHALLENGE: u64 = 4;

/// Which end of the connection the peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It dialled, and says its name first.
    Dialler,
    /// It was dialled, and says its name with its challenge.
    Listener,
}

/// What a peer did that none of ours does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The message is longer than its kind may be.
    #[error("a message is too long")]
    TooLong,
    /// The message is of no kind that there is, or cannot be read.
    #[error("a message cannot be read")]
    Unreadable,
    /// Something else came before the name.
    #[error("a message came before the name")]
    TooEarly,
    /// The name is not the one of the certificate.
    #[error("the name is not the certificate's")]
    Name,
    /// More control messages, or messages of the handshake, than there are reasons for.
    #[error("there are too many messages")]
    TooMany,
}

/// Reads the stream of one peer.
#[derive(Debug)]
pub struct Scanner {
    end: End,
    /// What ractor's handshake must say.
    name: String,
    is_named: bool,
    auths: u32,
    /// Control messages since the beginning of a window.
    controls: u32,
    window: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Within the length.
    Length { have: usize, bytes: [u8; 8] },
    /// Before the first byte of a message of so many.
    Kind(usize),
    /// Within a message of the handshake.
    Auth { message: Vec<u8>, length: usize },
    /// Within another message.
    Rest(usize),
}

const START: State = State::Length {
    have: 0,
    bytes: [0; 8],
};

impl Scanner {
    /// For a peer that must be called `name`.
    pub fn new(end: End, name: String) -> Self {
        Self {
            end,
            name,
            is_named: false,
            auths: 0,
            controls: 0,
            window: 0,
            state: START,
        }
    }

    /// Reads what came next, at a time in milliseconds that never goes back. `begun` is told the bytes of each message for an
    /// actor when it begins.
    ///
    /// # Errors
    /// The connection is to be closed, and nothing of these bytes to be passed on.
    pub fn feed(
        &mut self,
        now: u64,
        mut bytes: &[u8],
        begun: &mut impl FnMut(usize),
    ) -> Result<(), Violation> {
        while !bytes.is_empty() {
            bytes = self.step(now, bytes, begun)?;
        }
        Ok(())
    }

    /// Takes some bytes, and answers the rest.
    fn step<'a>(
        &mut self,
        now: u64,
        bytes: &'a [u8],
        begun: &mut impl FnMut(usize),
    ) -> Result<&'a [u8], Violation> {
        match &mut self.state {
            State::Length {
                have,
                bytes: length,
            } => {
                let (some, rest) = bytes.split_at(bytes.len().min(8 - *have));
                length[*have..*have + some.len()].copy_from_slice(some);
                *have += some.len();
                if *have == 8 {
                    let length = u64::from_be_bytes(*length);
                    let length = usize::try_from(length).map_err(|_| Violation::TooLong)?;
                    if length > MESSAGE_BYTES {
                        return Err(Violation::TooLong);
                    }
                    if length == 0 {
                        return Err(Violation::Unreadable);
                    }
                    self.state = State::Kind(length);
                }
                Ok(rest)
            }
            State::Kind(length) => {
                let length = *length;
                self.state = self.begin(now, bytes[0], length, begun)?;
                Ok(bytes)
            }
            State::Auth { message, length } => {
                let (some, rest) = bytes.split_at(bytes.len().min(*length - message.len()));
                message.extend_from_slice(some);
                if message.len() == *length {
                    let message = std::mem::take(message);
                    self.authenticate(&message)?;
                    self.state = START;
                }
                Ok(rest)
            }
            State::Rest(left) => {
                let some = bytes.len().min(*left);
                *left -= some;
                if *left == 0 {
                    self.state = START;
                }
                Ok(&bytes[some..])
            }
        }
    }

    /// A message of some bytes begins, the first of which says what it is.
    fn begin(
        &mut self,
        now: u64,
        kind: u8,
        length: usize,
        begun: &mut impl FnMut(usize),
    ) -> Result<State, Violation> {
        let most = match kind {
            AUTH => LINK_AUTH_BYTES,
            CONTROL => LINK_CONTROL_BYTES,
            NODE => MESSAGE_BYTES,
            _ => return Err(Violation::Unreadable),
        };
        if !self.is_named && kind != AUTH {
            return Err(Violation::TooEarly);
        }
        if length > most {
            return Err(Violation::TooLong);
        }
        match kind {
            AUTH => {
                self.auths += 1;
                if self.auths > LINK_AUTH_FRAMES {
                    return Err(Violation::TooMany);
                }
                let message = Vec::with_capacity(length);
                return Ok(State::Auth { message, length });
            }
            CONTROL => {
                if now.saturating_sub(self.window) >= LINK_CONTROL_MS {
                    (self.window, self.controls) = (now, 0);
                }
                self.controls += 1;
                if self.controls > LINK_CONTROL_FRAMES {
                    return Err(Violation::TooMany);
                }
            }
            _ => begun(length),
        }
        Ok(State::Rest(length))
    }

    /// A message of the handshake is there. Once the name is known, ractor's own rules are enough.
    fn authenticate(&mut self, message: &[u8]) -> Result<(), Violation> {
        if self.is_named {
            return Ok(());
        }
        let (_, message) = only(message)?;
        let (field, content) = only(message)?;
        match (self.end, field) {
            (End::Dialler, NAME) | (End::Listener, SERVER_CHALLENGE) => {}
            (End::Listener, SERVER_STATUS) => return Ok(()),
            _ => return Err(Violation::TooEarly),
        }
        let mut names = 0;
        let mut rest = content;
        while !rest.is_empty() {
            let (field, after) = next(rest)?;
            rest = after;
            if field.number == 1 {
                // Of a field that occurs twice ractor takes the last, so each must be right.
                if field.content != Some(self.name.as_bytes()) {
                    return Err(Violation::Name);
                }
                names += 1;
            }
        }
        if names == 0 {
            return Err(Violation::Name);
        }
        self.is_named = true;
        Ok(())
    }
}

/// The one field that a message consists of.
fn only(message: &[u8]) -> Result<(u64, &[u8]), Violation> {
    let (field, rest) = next(message)?;
    match field.content {
        Some(content) if rest.is_empty() => Ok((field.number, content)),
        _ => Err(Violation::Unreadable),
    }
}

/// A protobuf field.
struct Field<'a> {
    number: u64,
    /// Of a field that has a length.
    content: Option<&'a [u8]>,
}

/// The next field, and what follows it.
fn next(message: &[u8]) -> Result<(Field<'_>, &[u8]), Violation> {
    let (tag, rest) = varint(message)?;
    let (content, rest) = match tag & 7 {
        0 => (None, varint(rest)?.1),
        1 => (None, skip(rest, 8)?),
        2 => {
            let (length, rest) = varint(rest)?;
            let length = usize::try_from(length).map_err(|_| Violation::Unreadable)?;
            let (content, rest) = rest.split_at_checked(length).ok_or(Violation::Unreadable)?;
            (Some(content), rest)
        }
        5 => (None, skip(rest, 4)?),
        _ => return Err(Violation::Unreadable),
    };
    let number = tag >> 3;
    Ok((Field { number, content }, rest))
}

fn skip(message: &[u8], bytes: usize) -> Result<&[u8], Violation> {
    message.get(bytes..).ok_or(Violation::Unreadable)
}

/// A number of 1 to 10 bytes: seven bits each, the lowest first. Random connection ids have ten.
fn varint(message: &[u8]) -> Result<(u64, &[u8]), Violation> {
    let mut number = 0;
    let mut rest = message;
    for shift in (0..70).step_by(7) {
        let (&byte, after) = rest.split_first().ok_or(Violation::Unreadable)?;
        rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok((number, rest));
        }
    }
    Err(Violation::Unreadable)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A message of ractor's stream.
    fn message(kind: u8, content: &[u8]) -> Vec<u8> {
        let payload = [field(kind, content)].concat();
        let mut bytes = (payload.len() as u64).to_be_bytes().to_vec();
        bytes.extend(payload);
        bytes
    }

    fn field(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        assert!(length < 128, "a length of one byte");
        [&[tag, length], content].concat()
    }

    /// `NameMessage { name, connection_id }` with an id of ten bytes.
    fn name(name: &str) -> Vec<u8> {
        let mut content = field(0x0a, name.as_bytes());
        content.push(0x20);
        content.extend([0xff; 9]);
        content.push(1);
        message(AUTH, &field(0x0a, &content))
    }

    fn challenge(name: &str) -> Vec<u8> {
        message(AUTH, &field(0x22, &field(0x0a, name.as_bytes())))
    }

    fn scan(end: End, stream: &[u8]) -> (Result<(), Violation>, Vec<usize>) {
        let mut begun = Vec::new();
        let mut scanner = Scanner::new(end, "b.2@b".to_owned());
        let result = scanner.feed(0, stream, &mut |bytes| begun.push(bytes));
        (result, begun)
    }

    #[test]
    fn a_name_opens_the_way_for_the_rest() {
        let node = message(NODE, b"hello");
        let control = message(CONTROL, b"ping");
        let stream = [name("b.2@b"), node.clone(), control].concat();
        assert_eq!(scan(End::Dialler, &stream), (Ok(()), vec![7]));
        let status = message(AUTH, &field(0x12, b""));
        let stream = [status, challenge("b.2@b"), node].concat();
        assert_eq!(scan(End::Listener, &stream), (Ok(()), vec![7]));
    }

    #[test]
    fn what_comes_too_early_or_under_another_name_is_refused() {
        let table = [
            (End::Dialler, name("b.1@b"), Violation::Name),
            (End::Dialler, challenge("b.2@b"), Violation::TooEarly),
            (End::Dialler, message(NODE, b""), Violation::TooEarly),
            (End::Dialler, message(CONTROL, b""), Violation::TooEarly),
            (End::Listener, name("b.2@b"), Violation::TooEarly),
            (End::Listener, challenge("c.2@c"), Violation::Name),
            (
                End::Listener,
                message(AUTH, &field(0x22, b"")),
                Violation::Name,
            ),
            (End::Dialler, message(0x22, b""), Violation::Unreadable),
            (End::Dialler, vec![0; 8], Violation::Unreadable),
            (End::Dialler, vec![0xff; 8], Violation::TooLong),
        ];
        for (end, stream, violation) in table {
            assert_eq!(scan(end, &stream).0, Err(violation), "{stream:?}");
        }
        // Twice a name, of which ractor would take the last.
        let both = [field(0x0a, b"b.2@b"), field(0x0a, b"c.2@c")].concat();
        let stream = message(AUTH, &field(0x0a, &both));
        assert_eq!(scan(End::Dialler, &stream).0, Err(Violation::Name));
        // A second message behind the first one, which would take its place.
        let both = [field(AUTH, &field(0x12, b"")), field(AUTH, b"")].concat();
        let mut stream = (both.len() as u64).to_be_bytes().to_vec();
        stream.extend(both);
        assert_eq!(scan(End::Listener, &stream).0, Err(Violation::Unreadable));
    }

    #[test]
    fn lengths_and_numbers_of_messages_are_bounded() {
        let mut long = (MESSAGE_BYTES as u64 + 1).to_be_bytes().to_vec();
        long.push(NODE);
        assert_eq!(scan(End::Dialler, &long).0, Err(Violation::TooLong));
        let mut long = (LINK_AUTH_BYTES as u64 + 1).to_be_bytes().to_vec();
        long.push(AUTH);
        assert_eq!(scan(End::Dialler, &long).0, Err(Violation::TooLong));
        let auths = (0..LINK_AUTH_FRAMES).flat_map(|_| message(AUTH, b""));
        let stream: Vec<u8> = name("b.2@b").into_iter().chain(auths).collect();
        assert_eq!(scan(End::Dialler, &stream).0, Err(Violation::TooMany));
        let mut scanner = Scanner::new(End::Dialler, "b.2@b".to_owned());
        let mut feed = |now, bytes: &[u8]| scanner.feed(now, bytes, &mut |_| ());
        feed(0, &name("b.2@b")).unwrap();
        for _ in 0..LINK_CONTROL_FRAMES {
            feed(1, &message(CONTROL, b"ping")).unwrap();
        }
        feed(LINK_CONTROL_MS, &message(CONTROL, b"ping")).unwrap();
        for _ in 1..LINK_CONTROL_FRAMES {
            feed(LINK_CONTROL_MS, &message(CONTROL, b"ping")).unwrap();
        }
        let more = feed(LINK_CONTROL_MS, &message(CONTROL, b"ping"));
        assert_eq!(more, Err(Violation::TooMany));
    }

    fn piece() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            Just(name("b.2@b")),
            Just(challenge("b.2@b")),
            Just(message(NODE, b"hello")),
            Just(message(CONTROL, b"ping")),
            proptest::collection::vec(any::<u8>(), 0..40),
        ]
    }

    proptest! {
        #[test]
        fn a_stream_means_the_same_in_any_pieces(
            pieces in proptest::collection::vec(piece(), 0..6), step in 1..30_usize, is_dialler: bool,
        ) {
            let end = if is_dialler { End::Dialler } else { End::Listener };
            let stream = pieces.concat();
            let whole = scan(end, &stream);
            let mut begun = Vec::new();
            let mut scanner = Scanner::new(end, "b.2@b".to_owned());
            let result = stream.chunks(step)
                .try_for_each(|some| scanner.feed(0, some, &mut |bytes| begun.push(bytes)));
            prop_assert_eq!((result, begun), whole);
        }
    }
}
