//! What the two ends of a link say first: who they are, before anything else is read from them.
//!
//! `RKLN | version u8 | verdict u8 | link u64 | length u16 | name`, numbers big-endian. The dialler says it first; the answer
//! of the other end, whose verdict counts, is also the proof that the certificate was accepted: with TLS 1.3 the dialler's
//! handshake ends before that is decided.

use crate::document::IncarnationId;

/// What it begins with.
const MAGIC: [u8; 4] = *b"RKLN";
/// The version of what a link carries below the envelopes.
const VERSION: u8 = 1;
/// Bytes in front of the name.
pub const HELLO_HEADER_BYTES: usize = 16;
/// Bytes of the longest name: two names of nodes and a number.
const NAME_BYTES: usize = 63 + 1 + 20 + 1 + 63;
/// Bytes of the longest one.
pub const HELLO_BYTES: usize = HELLO_HEADER_BYTES + NAME_BYTES;

/// Whether a name may be a node's in a cluster: 1 to 63 lower-case letters, digits and `-` in between. It is part of a
/// certificate, where case and other characters do not count.
pub fn is_cluster_name(name: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = name.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(|&b| is_letter(b) || b == b'-')
        && bytes.first().is_some_and(|&b| is_letter(b))
        && bytes.last().is_some_and(|&b| is_letter(b))
}

/// The name of an incarnation on a link: `name.number@name`. The last part is what ractor takes for a host; two nodes with
/// the same one would be one to it.
pub fn full_name(who: &IncarnationId) -> String {
    format!("{}.{}@{}", who.node, who.number, who.node)
}

/// What the accepting end thinks of the dialling one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The link is made.
    Welcome,
    /// The name is not that of the certificate.
    Name,
    /// A newer incarnation of the node is known.
    Old,
    /// The other end dials: the one with the smaller name.
    Direction,
    /// There are as many links as there may be.
    Full,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Welcome,
        Self::Name,
        Self::Old,
        Self::Direction,
        Self::Full,
    ];

    fn wire(self) -> u8 {
        match self {
            Self::Welcome => 0,
            Self::Name => 1,
            Self::Old => 2,
            Self::Direction => 3,
            Self::Full => 4,
        }
    }
}

/// The first thing that one end says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// What the accepting end decided; the dialling one says [`Verdict::Welcome`].
    pub verdict: Verdict,
    /// What the other end is to put into its frames on this link; drawn at random.
    pub link: u64,
    /// Who this is.
    pub who: IncarnationId,
}

/// Why bytes are no [`Hello`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HelloError {
    /// Something else speaks.
    #[error("it is no link")]
    Magic,
    /// A version that is not known.
    #[error("the other end is of another version")]
    Version,
    /// A verdict that is not known.
    #[error("the verdict is not known")]
    Verdict,
    /// The name has no bytes, or too many.
    #[error("the name has a wrong length")]
    Length,
    /// The name is none.
    #[error("the name is no `name.incarnation@name`")]
    Name,
}

impl Hello {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let name = full_name(&self.who);
        let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
        let mut bytes = Vec::with_capacity(HELLO_HEADER_BYTES + name.len());
        bytes.extend(MAGIC);
        bytes.extend([VERSION, self.verdict.wire()]);
        bytes.extend(self.link.to_be_bytes());
        bytes.extend(length.to_be_bytes());
        bytes.extend(name.as_bytes());
        bytes
    }

    /// How many bytes of a name follow a header.
    ///
    /// # Errors
    /// It is none.
    pub fn name_bytes(header: &[u8; HELLO_HEADER_BYTES]) -> Result<usize, HelloError> {
        if header[..4] != MAGIC {
            return Err(HelloError::Magic);
        }
        if header[4] != VERSION {
            return Err(HelloError::Version);
        }
        let length = usize::from(u16::from_be_bytes([header[14], header[15]]));
        if (1..=NAME_BYTES).contains(&length) {
            Ok(length)
        } else {
            Err(HelloError::Length)
        }
    }

    /// Reads one, to the last byte.
    ///
    /// # Errors
    /// It is none.
    pub fn decode(bytes: &[u8]) -> Result<Self, HelloError> {
        let (header, name) = bytes
            .split_first_chunk::<HELLO_HEADER_BYTES>()
            .ok_or(HelloError::Length)?;
        if Self::name_bytes(header)? != name.len() {
            return Err(HelloError::Length);
        }
        let verdict = Verdict::ALL
            .into_iter()
            .find(|verdict| verdict.wire() == header[5])
            .ok_or(HelloError::Verdict)?;
        let mut link = [0; 8];
        link.copy_from_slice(&header[6..14]);
        Ok(Self {
            verdict,
            link: u64::from_be_bytes(link),
            who: incarnation(name).ok_or(HelloError::Name)?,
        })
    }
}

/// Reads `name.number@name`; only the one form that is written.
fn incarnation(name: &[u8]) -> Option<IncarnationId> {
    let text = std::str::from_utf8(name).ok()?;
    let (node, rest) = text.split_once('.')?;
    let (number, _) = rest.split_once('@')?;
    let who = IncarnationId {
        node: node.to_owned(),
        number: number.parse().ok()?,
    };
    let is_one = is_cluster_name(node) && i64::try_from(who.number).is_ok();
    (is_one && full_name(&who) == text).then_some(who)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hello() -> Hello {
        Hello {
            verdict: Verdict::Old,
            link: 0x0102_0304_0506_0708,
            who: IncarnationId {
                node: "b-1".into(),
                number: 7,
            },
        }
    }

    #[test]
    fn a_hello_has_these_bytes() {
        let bytes = hello().encode();
        assert_eq!(
            bytes,
            b"RKLN\x01\x02\x01\x02\x03\x04\x05\x06\x07\x08\x00\x09b-1.7@b-1"
        );
        assert_eq!(Hello::decode(&bytes), Ok(hello()));
    }

    #[test]
    fn what_is_no_hello_is_refused() {
        let good = hello().encode();
        let with = |place: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[place] = byte;
            Hello::decode(&bytes)
        };
        assert_eq!(with(0, b'X'), Err(HelloError::Magic));
        assert_eq!(with(4, 9), Err(HelloError::Version));
        assert_eq!(with(5, 9), Err(HelloError::Verdict));
        assert_eq!(with(15, 8), Err(HelloError::Length));
        assert_eq!(with(14, 9), Err(HelloError::Length));
        assert_eq!(with(24, b'2'), Err(HelloError::Name));
        assert_eq!(with(16, b'B'), Err(HelloError::Name));
        assert_eq!(Hello::decode(b""), Err(HelloError::Length));
        for number in ["07", "+7", "", "18446744073709551615"] {
            assert_eq!(incarnation(format!("b.{number}@b").as_bytes()), None);
        }
    }

    #[test]
    fn names_are_those_that_a_certificate_can_carry() {
        for name in ["a", "rookery", "node-1", "1", &"a".repeat(63)] {
            assert!(is_cluster_name(name), "{name}");
        }
        for name in ["", "A", "a_b", "-a", "a-", "a.b", "\u{e9}", &"a".repeat(64)] {
            assert!(!is_cluster_name(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_hello_reads_back(
            verdict in proptest::sample::select(&Verdict::ALL[..]), link: u64,
            node in "[a-z0-9]{1,30}(-[a-z0-9]{1,30})?", number in 0..=i64::MAX as u64,
        ) {
            let hello = Hello { verdict, link, who: IncarnationId { node, number } };
            let bytes = hello.encode();
            prop_assert!(bytes.len() <= HELLO_BYTES);
            prop_assert_eq!(Hello::decode(&bytes), Ok(hello));
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(hello) = Hello::decode(&bytes) {
                prop_assert_eq!(hello.encode(), bytes);
            }
        }
    }
}
