//! A client's frame as a command. Pure: fuzzed as it stands.

use rookery_actors::relay::Shard;
use rookery_protocol::client::gateway::{
    ClientFrame, CloseCode, Identify, LazyRequest, RequestMembers, Resume, VoiceForm, op,
};
use rookery_protocol::client::presence::PresenceForm;
use rookery_protocol::intents::Intents;
use rookery_protocol::limits;
use serde::de::DeserializeOwned;
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
    /// What only a session may say; else it is not even looked at.
    InSession(Result<SessionCommand, CloseCode>),
}

/// What a session asks of the gateway.
#[derive(Debug)]
pub enum SessionCommand {
    /// Opcode 3.
    Presence(PresenceForm),
    /// Opcode 4.
    Voice(VoiceForm),
    /// Opcode 8.
    Members(RequestMembers),
    /// Opcode 14.
    Ranges(LazyRequest),
}

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
        op::PRESENCE_UPDATE => Ok(in_session(frame.d, SessionCommand::Presence)),
        op::VOICE_STATE_UPDATE => Ok(in_session(frame.d, SessionCommand::Voice)),
        op::REQUEST_GUILD_MEMBERS => Ok(ClientCommand::InSession(
            object(frame.d).and_then(request_members),
        )),
        op::LAZY_REQUEST => Ok(ClientCommand::InSession(object(frame.d).and_then(ranges))),
        _ => Err(CloseCode::UnknownOpcode),
    }
}

fn in_session<T: DeserializeOwned>(
    d: Option<&RawValue>,
    command: impl FnOnce(T) -> SessionCommand,
) -> ClientCommand {
    ClientCommand::InSession(object(d).map(command))
}

/// One group, and either names or users.
fn request_members(mut request: RequestMembers) -> Result<SessionCommand, CloseCode> {
    let users = request.user_ids.as_ref().map_or(0, Vec::len);
    let is_one_wish = request.query.is_some() != request.user_ids.is_some();
    if request.guild_id.len() != 1 || !is_one_wish || users > limits::MEMBERS_REQUEST_USERS {
        return Err(CloseCode::DecodeError);
    }
    request
        .nonce
        .take_if(|nonce| nonce.len() > limits::MEMBERS_REQUEST_NONCE);
    Ok(SessionCommand::Members(request))
}

/// A few ranges of no more than so many rows.
fn ranges(request: LazyRequest) -> Result<SessionCommand, CloseCode> {
    let all = || request.channels.values().flatten();
    let fits =
        |[first, last]: &[u32; 2]| first <= last && (last - first) < limits::MEMBER_LIST_RANGE;
    if all().count() > limits::MEMBER_LIST_RANGES || !all().all(fits) {
        return Err(CloseCode::DecodeError);
    }
    Ok(SessionCommand::Ranges(request))
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

/// What an IDENTIFY asks for. A person's client that names no intents gets all; it always sees content. `bot`: the
/// privileged intents that a bot was granted.
///
/// # Errors
/// 4010 for a bad shard, 4013 for unknown intents, or none for a bot, 4014 for privileged ones that were not granted.
pub fn wishes(
    identify: &Identify,
    bot: Option<Intents>,
) -> Result<(Intents, Option<Shard>), CloseCode> {
    let is_bot = bot.is_some();
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
    let intents = match bot {
        Some(granted) if intents.asks_beyond(granted) => return Err(CloseCode::DisallowedIntents),
        Some(_) => intents,
        None => intents | Intents::MESSAGE_CONTENT,
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

    /// What a session is closed with for it.
    fn refused(text: &str) -> CloseCode {
        match decode(text.as_bytes()) {
            Ok(ClientCommand::InSession(Err(code))) | Err(code) => code,
            Ok(other) => panic!("{text} is {other:?}"),
        }
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
            r#"{"op":8,"d":{"guild_id":["1"],"user_ids":"2","presences":true,"nonce":"n"}}"#,
            r#"{"op":8,"d":{"guild_id":1,"user_ids":["2","3"],"query":null,"limit":null}}"#,
            r#"{"op":14,"d":{"guild_id":"1","typing":true,"channels":{"2":[[0,99],[100,199]]}}}"#,
            r#"{"op":14,"d":{"guild_id":"1"}}"#,
        ] {
            let decoded = decode(text.as_bytes());
            let is_refused = matches!(decoded, Err(_) | Ok(ClientCommand::InSession(Err(_))));
            assert!(!is_refused, "{text}");
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
            r#"{"op":3,"d":{}}"#,
            r#"{"op":3,"d":{"status":"away"}}"#,
            r#"{"op":8,"d":{}}"#,
            r#"{"op":8,"d":{"guild_id":"1"}}"#,
            r#"{"op":8,"d":{"guild_id":["1","2"],"query":""}}"#,
            r#"{"op":8,"d":{"guild_id":"1","query":"","user_ids":["2"]}}"#,
            r#"{"op":8,"d":{"guild_id":"x","query":""}}"#,
            r#"{"op":8,"d":{"guild_id":"1","query":"","limit":-1}}"#,
            r#"{"op":14,"d":{"guild_id":"1","channels":{"2":[[0,100]]}}}"#,
            r#"{"op":14,"d":{"guild_id":"1","channels":{"2":[[9,1]]}}}"#,
            r#"{"op":14,"d":{"guild_id":"1","channels":{"2":[[0,1],[0,1],[0,1]],"3":[[0,1],[0,1],[0,1]]}}}"#,
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
            presence: None,
            properties: None,
        };
        let code = |identify, bot| wishes(&identify, bot).unwrap_err();
        let bot = Some(Intents::NONE);
        assert_eq!(code(identify(None, None), bot), CloseCode::InvalidIntents);
        assert_eq!(
            code(identify(Some(1 << 31), None), bot),
            CloseCode::InvalidIntents
        );
        assert_eq!(
            code(identify(Some(1 << 40), None), bot),
            CloseCode::InvalidIntents
        );
        assert_eq!(
            code(identify(Some(1), Some([1, 1])), bot),
            CloseCode::InvalidShard
        );
        assert_eq!(
            code(identify(Some(1), Some([0, 0])), bot),
            CloseCode::InvalidShard
        );
        let (intents, shard) = wishes(&identify(Some(1), Some([1, 2])), bot).unwrap();
        assert_eq!(intents, Intents::GUILDS);
        assert_eq!(shard, Some(Shard { index: 1, count: 2 }));
        assert_eq!(wishes(&identify(None, None), None).unwrap().0, Intents::ALL);
        let members = identify(Some(u64::from(Intents::GUILD_MEMBERS.0)), None);
        assert_eq!(
            code(members, Some(Intents::GUILD_PRESENCES)),
            CloseCode::DisallowedIntents
        );
        let members = identify(Some(u64::from(Intents::GUILD_MEMBERS.0)), None);
        assert!(wishes(&members, Some(Intents::PRIVILEGED)).is_ok());
    }
}
