//! The URLs of files: signed, so that nobody guesses one, and expiring, so that a copied one does not last. And the tokens
//! that admit sessions to rooms, signed with the same key.
//!
//! A signature covers channel, id and expiry with HMAC-SHA256. The expiry is rounded up to a full hour, so that the URLs of
//! one hour are the same and clients may cache by them.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use rookery_protocol::document::Attachment;
use rookery_protocol::ids::{AttachmentId, ChannelId, UserId};
use rookery_protocol::limits;
use rookery_protocol::time::Millis;
use rookery_protocol::voice::RoomId;
use sha2::Sha256;

/// Seconds that an expiry is rounded to.
const ROUND_SECONDS: u64 = 3_600;

/// Signs and checks the URLs of files; cheap to clone.
#[derive(Clone)]
pub struct Links {
    /// What every URL begins with, without a slash at the end.
    base: Arc<str>,
    key: Arc<[u8; 32]>,
}

impl fmt::Debug for Links {
    /// Leaves the key out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

/// What a URL says besides its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// When it expires, in seconds since the Unix epoch.
    pub expires: u64,
    /// HMAC-SHA256 as lower-case hex.
    pub mac: String,
}

impl Links {
    /// Links below `base` (an origin such as `https://chat.example`).
    pub fn new(base: &str, key: [u8; 32]) -> Self {
        Self {
            base: Arc::from(base.trim_end_matches('/')),
            key: Arc::new(key),
        }
    }

    /// The URL of a file as of `now`.
    pub fn attachment(&self, channel: ChannelId, file: &Attachment, now: Millis) -> String {
        let soonest = now.0 / 1_000 + limits::FILE_URL_SECONDS;
        let expires = soonest.next_multiple_of(ROUND_SECONDS);
        let mac = hex(&self.mac(channel, file.id, expires).finalize().into_bytes());
        let (base, id, name) = (&self.base, file.id, &file.filename);
        let name = percent(name);
        format!("{base}/attachments/{channel}/{id}/{name}?ex={expires:x}&hm={mac}")
    }

    /// Whether a URL's signature is ours and has not expired.
    pub fn admits(
        &self,
        channel: ChannelId,
        file: AttachmentId,
        signature: &Signature,
        now: Millis,
    ) -> bool {
        let Some(mac) = unhex(&signature.mac) else {
            return false;
        };
        let whole = self.mac(channel, file, signature.expires);
        whole.verify_slice(&mac).is_ok() && now.0 / 1_000 < signature.expires
    }

    /// What admits a session to a room as long as the room lives: the token of VOICE_SERVER_UPDATE. Whether the session is
    /// still to be there is the group's to say.
    pub fn admission(&self, room: RoomId, user: UserId, session: &str) -> String {
        let mac = hex(&self.admitting(room, user, session).finalize().into_bytes());
        format!("{}.{}.{}.{mac}", room.group, room.channel, room.life)
    }

    /// The room that a token of [`Links::admission`] admits a session to.
    pub fn admits_to_room(&self, user: UserId, session: &str, token: &str) -> Option<RoomId> {
        let mut parts = token.split('.');
        let room = RoomId {
            group: parts.next()?.parse().ok()?,
            channel: parts.next()?.parse().ok()?,
            life: parts.next()?.parse().ok()?,
        };
        let mac = unhex(parts.next()?)?;
        let whole = self.admitting(room, user, session);
        (parts.next().is_none() && whole.verify_slice(&mac).is_ok()).then_some(room)
    }

    fn admitting(&self, room: RoomId, user: UserId, session: &str) -> Hmac<Sha256> {
        let mut mac = self.keyed();
        mac.update(b"rookery-room-1");
        for part in [room.group.0, room.channel.0, room.life, user.0] {
            mac.update(&part.to_be_bytes());
        }
        mac.update(session.as_bytes());
        mac
    }

    fn keyed(&self) -> Hmac<Sha256> {
        #[allow(
            clippy::expect_used,
            reason = "invariant: HMAC takes a key of any length"
        )]
        Hmac::<Sha256>::new_from_slice(self.key.as_slice()).expect("a key")
    }

    fn mac(&self, channel: ChannelId, file: AttachmentId, expires: u64) -> Hmac<Sha256> {
        let mut mac = self.keyed();
        mac.update(b"rookery-file-1");
        for part in [channel.0, file.0, expires] {
            mac.update(&part.to_be_bytes());
        }
        mac
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let is_mac = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    is_mac
        .then(|| (0..64).step_by(2).map(byte).collect())
        .flatten()
}

/// A file name as a segment of a path: everything but unreserved characters (RFC 3986) is percent-encoded.
fn percent(name: &str) -> String {
    use fmt::Write as _;
    name.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use rookery_protocol::ids::GroupId;

    use super::*;

    #[test]
    fn a_token_admits_one_session_to_one_room() {
        let links = Links::new("https://a.example", [1; 32]);
        let room = RoomId {
            group: GroupId(1),
            channel: ChannelId(2),
            life: 3,
        };
        let token = links.admission(room, UserId(4), "session");
        assert_eq!(
            links.admits_to_room(UserId(4), "session", &token),
            Some(room)
        );
        assert_eq!(links.admits_to_room(UserId(5), "session", &token), None);
        assert_eq!(links.admits_to_room(UserId(4), "other", &token), None);
        for forged in [
            token.replacen("1.2.3", "1.2.4", 1),
            format!("{token}.x"),
            token[..token.len() - 2].to_owned(),
            String::new(),
        ] {
            assert_eq!(links.admits_to_room(UserId(4), "session", &forged), None);
        }
        let others = Links::new("https://a.example", [2; 32]);
        assert_eq!(others.admits_to_room(UserId(4), "session", &token), None);
    }

    const NOW: Millis = Millis(1_795_412_460_000);

    fn file() -> Attachment {
        Attachment {
            id: AttachmentId(7),
            filename: "a b/\u{e9}.png".to_owned(),
            description: None,
            size: 1,
            content_type: "image/png".to_owned(),
            width: None,
            height: None,
        }
    }

    fn signature(url: &str) -> Signature {
        let (expires, mac) = url
            .split_once("?ex=")
            .unwrap()
            .1
            .split_once("&hm=")
            .unwrap();
        Signature {
            expires: u64::from_str_radix(expires, 16).unwrap(),
            mac: mac.to_owned(),
        }
    }

    #[test]
    fn a_url_admits_its_file_until_it_expires_and_no_other() {
        let links = Links::new("https://chat.example/", [1; 32]);
        let url = links.attachment(ChannelId(5), &file(), NOW);
        assert!(url.starts_with("https://chat.example/attachments/5/7/a%20b%2F%C3%A9.png?ex="));
        let signature = signature(&url);
        let admits = |channel, file, at| {
            links.admits(ChannelId(channel), AttachmentId(file), &signature, at)
        };
        let day = limits::FILE_URL_SECONDS * 1_000;
        assert!(admits(5, 7, NOW));
        assert!(admits(5, 7, NOW.plus(day - 1)));
        assert!(!admits(5, 7, NOW.plus(day + ROUND_SECONDS * 1_000)));
        assert!(!admits(5, 8, NOW));
        assert!(!admits(6, 7, NOW));
        let later = Signature {
            expires: signature.expires + 1,
            ..signature.clone()
        };
        assert!(!links.admits(ChannelId(5), AttachmentId(7), &later, NOW));
        let other = Links::new("https://chat.example", [2; 32]);
        assert!(!other.admits(ChannelId(5), AttachmentId(7), &signature, NOW));
        for mac in ["", "0", &"g".repeat(64), &"\u{e9}".repeat(32)] {
            let bad = Signature {
                mac: mac.to_owned(),
                ..signature.clone()
            };
            assert!(!links.admits(ChannelId(5), AttachmentId(7), &bad, NOW));
        }
    }
}
