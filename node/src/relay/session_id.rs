//! Session ids: they say where a session is and prove that whoever resumes got READY.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rookery_actors::relay::{Secret, SessionRef};
use rookery_protocol::document::IncarnationId;
use rookery_protocol::ids::UserId;
use rookery_protocol::session::SessionKey;

/// The longest text looked at.
const TEXT_BYTES: usize = 256;
/// Bytes before the node's name.
const FIXED: usize = 1 + 8 + 8 + 2 + 4 + 4 + 16;
/// The form of the bytes.
const VERSION: u8 = 1;

/// A session id, taken apart. As text: base64url of version, user, incarnation, lane, slot, generation, secret and the
/// node's name, numbers big-endian.
#[derive(Debug, Clone)]
pub struct SessionId {
    /// Whose session.
    pub user: UserId,
    /// The node that has it.
    pub node: String,
    /// Which run of the node.
    pub incarnation: u64,
    /// The lane that has it.
    pub lane: u16,
    /// Its place there.
    pub session: SessionRef,
    /// The proof.
    pub secret: Secret,
}

impl std::fmt::Display for SessionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = Vec::with_capacity(FIXED + self.node.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.user.0.to_be_bytes());
        bytes.extend_from_slice(&self.incarnation.to_be_bytes());
        bytes.extend_from_slice(&self.lane.to_be_bytes());
        bytes.extend_from_slice(&self.session.slot.to_be_bytes());
        bytes.extend_from_slice(&self.session.generation.to_be_bytes());
        bytes.extend_from_slice(&self.secret.0);
        bytes.extend_from_slice(self.node.as_bytes());
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl SessionId {
    /// What the session is called.
    pub fn key(&self) -> SessionKey {
        SessionKey {
            run: IncarnationId {
                node: self.node.clone(),
                number: self.incarnation,
            },
            lane: self.lane,
            slot: self.session.slot,
            generation: self.session.generation,
        }
    }

    /// Reads a session id; `None` for any text that is none.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > TEXT_BYTES {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let rest = bytes.strip_prefix(&[VERSION])?;
        let (user, rest) = rest.split_first_chunk()?;
        let (incarnation, rest) = rest.split_first_chunk()?;
        let (lane, rest) = rest.split_first_chunk()?;
        let (slot, rest) = rest.split_first_chunk()?;
        let (generation, rest) = rest.split_first_chunk()?;
        let (secret, node) = rest.split_first_chunk()?;
        Some(Self {
            user: UserId(u64::from_be_bytes(*user)),
            node: std::str::from_utf8(node).ok()?.to_owned(),
            incarnation: u64::from_be_bytes(*incarnation),
            lane: u16::from_be_bytes(*lane),
            session: SessionRef {
                slot: u32::from_be_bytes(*slot),
                generation: u32::from_be_bytes(*generation),
            },
            secret: Secret(*secret),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_id_reads_back_and_nothing_else_reads() {
        let id = SessionId {
            user: UserId(7),
            node: "rook-1".to_owned(),
            incarnation: 3,
            lane: 1,
            session: SessionRef {
                slot: 9,
                generation: 2,
            },
            secret: Secret([5; 16]),
        };
        let text = id.to_string();
        assert!(
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        );
        let back = SessionId::parse(&text).unwrap();
        assert_eq!(back.to_string(), text);
        assert!(back.secret.matches(&id.secret));
        for length in 0..FIXED * 4 / 3 {
            assert!(SessionId::parse(&text[..length]).is_none(), "{length}");
        }
        for wrong in ["", "\u{fffd}", "====", &"A".repeat(300), &"_".repeat(80)] {
            assert!(SessionId::parse(wrong).is_none());
        }
    }
}
