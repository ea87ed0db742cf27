//! What a client says on the voice socket, read and checked.

use rookery_protocol::client::gateway::ClientFrame;
use rookery_protocol::client::voice::{
    Identify, SelectProtocol, Streams, VoiceClose, Want, Wants, op,
};
use rookery_protocol::limits;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Pixels that nothing is higher than.
const MAX_HEIGHT: u32 = 8_192;

/// A frame from a client.
#[derive(Debug)]
pub enum VoiceCommand {
    /// It says who it is.
    Identify(Identify),
    /// It takes its place up again.
    Resume(Identify),
    /// It lives. What it carries is given back.
    Heartbeat(serde_json::Value),
    /// It offers media.
    Offer(String),
    /// It says what it sends.
    Streams(Streams),
    /// It says what it wants to see.
    Wants(Vec<Want>),
    /// Nothing that matters here.
    Nothing,
}

/// Reads a frame.
///
/// # Errors
/// What the socket is closed with.
pub fn decode(text: &[u8]) -> Result<VoiceCommand, VoiceClose> {
    // Serde would also read a struct from a list of its fields.
    let is_object = text.trim_ascii_start().starts_with(b"{");
    if text.len() > limits::VOICE_FRAME_BYTES || !is_object {
        return Err(VoiceClose::DecodeError);
    }
    let frame: ClientFrame<'_> =
        serde_json::from_slice(text).map_err(|_| VoiceClose::DecodeError)?;
    let opcode = u8::try_from(frame.op).map_err(|_| VoiceClose::UnknownOpcode)?;
    match opcode {
        op::IDENTIFY => Ok(VoiceCommand::Identify(data(frame.d)?)),
        op::RESUME => Ok(VoiceCommand::Resume(data(frame.d)?)),
        op::HEARTBEAT => Ok(VoiceCommand::Heartbeat(heartbeat(frame.d)?)),
        op::SELECT_PROTOCOL => {
            let select: SelectProtocol = data(frame.d)?;
            if select.protocol != "webrtc" {
                return Err(VoiceClose::UnknownProtocol);
            }
            Ok(VoiceCommand::Offer(select.sdp))
        }
        // Who speaks is heard.
        op::SPEAKING => Ok(VoiceCommand::Nothing),
        op::STREAMS => Ok(VoiceCommand::Streams(data(frame.d)?)),
        op::WANTS => {
            let Wants { wants } = data(frame.d)?;
            let is_good = |want: &Want| want.stream.is_video() && want.height <= MAX_HEIGHT;
            if wants.len() > limits::VOICE_WANTS || !wants.iter().all(is_good) {
                return Err(VoiceClose::BadRequest);
            }
            Ok(VoiceCommand::Wants(wants))
        }
        _ => Err(VoiceClose::UnknownOpcode),
    }
}

/// Bytes of what a heartbeat may carry.
const BEAT_BYTES: usize = 64;

/// `{"t": ..}` as of version 8, or the bare number of older ones.
fn heartbeat(d: Option<&RawValue>) -> Result<serde_json::Value, VoiceClose> {
    let text = d.map_or("null", RawValue::get);
    if text.len() > BEAT_BYTES {
        return Err(VoiceClose::DecodeError);
    }
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|_| VoiceClose::DecodeError)?;
    Ok(match value {
        serde_json::Value::Object(mut beat) => beat.remove("t").unwrap_or(serde_json::Value::Null),
        other => other,
    })
}

fn data<T: DeserializeOwned>(d: Option<&RawValue>) -> Result<T, VoiceClose> {
    let text = d.ok_or(VoiceClose::DecodeError)?.get();
    if !text.starts_with('{') {
        return Err(VoiceClose::DecodeError);
    }
    serde_json::from_str(text).map_err(|_| VoiceClose::DecodeError)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> VoiceClose {
        decode(text.as_bytes()).expect_err("a fault")
    }

    #[test]
    fn frames_that_are_none_close_the_socket_with_what_is_wrong() {
        let table = [
            ("", VoiceClose::DecodeError),
            ("[]", VoiceClose::DecodeError),
            ("[0, {}]", VoiceClose::DecodeError),
            ("{\"op\":-1}", VoiceClose::DecodeError),
            ("{\"op\":999}", VoiceClose::UnknownOpcode),
            ("{\"op\":14,\"d\":{}}", VoiceClose::UnknownOpcode),
            ("{\"op\":0}", VoiceClose::DecodeError),
            ("{\"op\":0,\"d\":[1,2,\"\",\"\"]}", VoiceClose::DecodeError),
            (
                "{\"op\":1,\"d\":{\"protocol\":\"udp\",\"sdp\":\"\"}}",
                VoiceClose::UnknownProtocol,
            ),
            (
                "{\"op\":15,\"d\":{\"wants\":[{\"user_id\":\"1\",\"stream\":\"audio\",\"height\":1}]}}",
                VoiceClose::BadRequest,
            ),
            (
                "{\"op\":15,\"d\":{\"wants\":[{\"user_id\":\"1\",\"stream\":\"camera\",\"height\":9999999}]}}",
                VoiceClose::BadRequest,
            ),
        ];
        for (text, code) in table {
            assert_eq!(refused(text), code, "{text}");
        }
        let many = "{\"user_id\":\"1\",\"stream\":\"camera\",\"height\":1},".repeat(65);
        let many = format!(
            "{{\"op\":15,\"d\":{{\"wants\":[{}]}}}}",
            many.trim_end_matches(',')
        );
        assert_eq!(refused(&many), VoiceClose::BadRequest);
        let long = format!("{{\"op\":3,\"d\":\"{}\"}}", "x".repeat(BEAT_BYTES));
        assert_eq!(refused(&long), VoiceClose::DecodeError);
    }

    #[test]
    fn a_heartbeat_gives_back_what_it_carried() {
        for text in [
            "{\"op\":3,\"d\":7}",
            "{\"op\":3,\"d\":{\"t\":7,\"seq_ack\":1}}",
        ] {
            let Ok(VoiceCommand::Heartbeat(t)) = decode(text.as_bytes()) else {
                panic!("{text}");
            };
            assert_eq!(t, 7);
        }
    }
}
