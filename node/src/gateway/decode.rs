//! A client's frame as a command. Pure: fuzzed as it stands.

use std::collections::BTreeMap;

use rookery_actors::relay::Shard;
use rookery_protocol::client::gateway::{ClientFrame, CloseCode, Identify, Resume, op};
use rookery_protocol::intents::Intents;
use rookery_protocol::limits;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

/// What a client asks of the gateway.
#[derive(Debug)]
pub enum ClientCommand {
    /// Opcode 1.
    Heartbeat,
    /// Opcode 2.
    Identify(Identify),
    /// Opcode 6.
    Resume(Resume),
    /// Opcodes 3, 4 and 8: well-formed; nothing follows from them yet.
    Accepted,
}

/// An object whose fields do not matter.
type Object = BTreeMap<String, IgnoredAny>;

/// Reads a frame of a client.
///
/// # Errors
/// What the socket is closed with: 4001 for an unknown opcode, 4002 for everything that is not a frame.
pub fn decode(text: &[u8]) -> Result<ClientCommand, CloseCode> {
    if text.len() > limits::GATEWAY_FRAME_BYTES {
        return Err(CloseCode::DecodeError);
    }
    // Serde would also read a struct from a list of its fields.
    if !text.trim_ascii_start().starts_with(b"{") {
        return Err(CloseCode::DecodeError);
    }
    let frame: ClientFrame<'_> =
        serde_json::from_slice(text).map_err(|_| CloseCode::DecodeError)?;
    let opcode = u8::try_from(frame.op).map_err(|_| CloseCode::UnknownOpcode)?;
    match opcode {
        op::HEARTBEAT => {
            if let Some(d) = frame.d {
                data::<Option<i64>>(Some(d))?;
            }
            Ok(ClientCommand::Heartbeat)
        }
        op::IDENTIFY => object(frame.d).map(ClientCommand::Identify),
        op::RESUME => object(frame.d).map(ClientCommand::Resume),
        op::PRESENCE_UPDATE | op::VOICE_STATE_UPDATE | op::REQUEST_GUILD_MEMBERS => {
            object::<Object>(frame.d).map(|_| ClientCommand::Accepted)
        }
        _ => Err(CloseCode::UnknownOpcode),
    }
}

fn object<T: DeserializeOwned>(d: Option<&RawValue>) -> Result<T, CloseCode> {
    let is_object = d.is_some_and(|d| d.get().starts_with('{'));
    if is_object {
        data(d)
    } else {
        Err(CloseCode::DecodeError)
    }
}

fn data<T: DeserializeOwned>(d: Option<&RawValue>) -> Result<T, CloseCode> {
    let d = d.ok_or(CloseCode::DecodeError)?;
    serde_json::from_str(d.get()).map_err(|_| CloseCode::DecodeError)
}

/// What an IDENTIFY asks for. A person's client that names no intents gets all; it always sees content.
///
/// # Errors
/// 4010 for a bad shard, 4013 for unknown intents, or none for a bot.
pub fn wishes(identify: &Identify, is_bot: bool) -> Result<(Intents, Option<Shard>), CloseCode> {
    let intents = match identify.intents {
        None if is_bot => return Err(CloseCode::InvalidIntents),
        None => Intents::ALL,
        Some(bits) => {
            let bits = u32::try_from(bits).map_err(|_| CloseCode::InvalidIntents)?;
            Intents(bits)
        }
    };
    if !intents.is_valid() {
        return Err(CloseCode::InvalidIntents);
    }
    let intents = if is_bot {
        intents
    } else {
        intents | Intents::MESSAGE_CONTENT
    };
    let shard = match identify.shard {
        None => None,
        Some([index, count]) if index < count => {
            let number = |n| u32::try_from(n).map_err(|_| CloseCode::InvalidShard);
            Some(Shard {
                index: number(index)?,
                count: number(count)?,
            })
        }
        Some(_) => return Err(CloseCode::InvalidShard),
    };
    Ok((intents, shard))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> CloseCode {
        decode(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn frames_of_the_libraries_are_read() {
        for text in [
            r#"{"op":1,"d":null}"#,
            r#"{"op":1,"d":251}"#,
            r#"{"op":1}"#,
            r#"{"d":{"token":"t","intents":513,"properties":{"os":"linux"},"compress":false,"large_threshold":250,"shard":[0,1],"presence":{"status":"online","since":0,"activities":[],"afk":false}},"op":2}"#,
            r#"{"op":2,"d":{"token":"t","properties":{},"capabilities":16381}}"#,
            r#"{"op":6,"d":{"token":"t","session_id":"s","seq":3}}"#,
            r#"{"op":3,"d":{"since":null,"activities":[],"status":"idle","afk":false}}"#,
            r#"{"op":4,"d":{"guild_id":"1","channel_id":null,"self_mute":false,"self_deaf":false}}"#,
            r#"{"op":8,"d":{"guild_id":"1","query":"","limit":0},"s":null,"t":null}"#,
        ] {
            assert!(decode(text.as_bytes()).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_frame_is_refused_with_its_code() {
        for text in [
            "",
            "{",
            "[]",
            "null",
            "1",
            "{}",
            r#"{"op":"1"}"#,
            r#"{"op":-1}"#,
            r#"{"op":1.5}"#,
            r#"{"op":2}"#,
            r#"{"op":2,"d":null}"#,
            r#"{"op":2,"d":[]}"#,
            r#"{"op":2,"d":{"token":1}}"#,
            r#"{"op":2,"d":{"token":"t","intents":-1}}"#,
            r#"{"op":2,"d":{"token":"t","shard":[1]}}"#,
            r#"{"op":6,"d":{"token":"t","session_id":"s","seq":null}}"#,
            r#"{"op":3,"d":7}"#,
            r#"{"op":1,"d":"x"}"#,
            r#"{"op":1,"op":1}"#,
            "[1,null]",
            r#"{"op":2,"d":["t"]}"#,
            r#"{"op":6,"d":["t","s",1]}"#,
            "{\"op\":1}\u{0}",
        ] {
            assert_eq!(refused(text), CloseCode::DecodeError, "{text}");
        }
        for text in [
            r#"{"op":0}"#,
            r#"{"op":5,"d":{}}"#,
            r#"{"op":7}"#,
            r#"{"op":10}"#,
            r#"{"op":256}"#,
        ] {
            assert_eq!(refused(text), CloseCode::UnknownOpcode, "{text}");
        }
        assert_eq!(decode(&[0xff, 0xfe]).unwrap_err(), CloseCode::DecodeError);
        assert_eq!(refused(&" ".repeat(5_000)), CloseCode::DecodeError);
    }

    #[test]
    fn deep_nesting_is_refused_or_ignored_without_recursion() {
        let deep = "[".repeat(2_000) + &"]".repeat(2_000);
        let text = format!(r#"{{"op":3,"d":{{"activities":{deep}}}}}"#);
        // Whatever the answer is: the stack survives it.
        let _ = decode(text.as_bytes());
        assert_eq!(refused(&"[".repeat(4_096)), CloseCode::DecodeError);
    }

    #[test]
    fn intents_and_shards_are_checked() {
        let identify = |intents, shard| Identify {
            token: String::new(),
            intents,
            compress: None,
            shard,
        };
        let code = |identify, is_bot| wishes(&identify, is_bot).unwrap_err();
        assert_eq!(code(identify(None, None), true), CloseCode::InvalidIntents);
        assert_eq!(
            code(identify(Some(1 << 31), None), true),
            CloseCode::InvalidIntents
        );
        assert_eq!(
            code(identify(Some(1 << 40), None), true),
            CloseCode::InvalidIntents
        );
        assert_eq!(
            code(identify(Some(1), Some([1, 1])), true),
            CloseCode::InvalidShard
        );
        assert_eq!(
            code(identify(Some(1), Some([0, 0])), true),
            CloseCode::InvalidShard
        );
        let (intents, shard) = wishes(&identify(Some(1), Some([1, 2])), true).unwrap();
        assert_eq!(intents, Intents::GUILDS);
        assert_eq!(shard, Some(Shard { index: 1, count: 2 }));
        assert_eq!(
            wishes(&identify(None, None), false).unwrap().0,
            Intents::ALL
        );
    }
}
