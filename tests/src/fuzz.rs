//! What the fuzz targets do with their bytes; CI replays their corpus through the same functions. Each reads what
//! strangers send: nothing may panic, and what is accepted must hold what it promises.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use rookery_actors::sfu::{Codec, starts_keyframe, vp8_height};
use rookery_node::auth::access::{self, AccessKey};
use rookery_node::auth::bot::{self, BotKey};
use rookery_node::auth::refresh::RefreshToken;
use rookery_node::gateway::decode::{ClientCommand, decode, wishes};
use rookery_node::http::{body, form};
use rookery_node::link::scan::{End, MESSAGE_BYTES, Scanner};
use rookery_node::relay::SessionId;
use rookery_node::voice::decode::{VoiceCommand, decode as decode_voice};
use rookery_node::voice::media::{Datagram, Media, MediaSettings, PeerId};
use rookery_node::voice::media::{classify, local_ufrag, outline};
use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::client::voice::{MediaRights, VoiceClose};
use rookery_protocol::cluster::{Batch, Hello, LinkFrame};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::{ChannelId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::limits;
use serde_json::Value;
use tokio::runtime::Runtime;

/// The name of a target, and what it does with its bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All targets with their names, which are also those of the folders in `tests/fuzz/corpus`.
pub const TARGETS: [Target; 12] = [
    ("gateway_frame", gateway_frame),
    ("token", token),
    ("session_id", session_id),
    ("form", form),
    ("link_frame", link_frame),
    ("link_hello", link_hello),
    ("link_stream", link_stream),
    ("media_datagram", media_datagram),
    ("media_offer", media_offer),
    ("media_payload", media_payload),
    ("media_session", media_session),
    ("voice_frame", voice_frame),
];

/// A frame from a gateway client.
pub fn gateway_frame(bytes: &[u8]) {
    match decode(bytes) {
        Ok(ClientCommand::Identify(identify)) => {
            for bot in [None, Some(Intents::NONE), Some(Intents::PRIVILEGED)] {
                match wishes(&identify, bot) {
                    Ok((intents, _)) => assert!(intents.is_valid()),
                    Err(code) => assert!(matches!(
                        code,
                        CloseCode::InvalidIntents
                            | CloseCode::InvalidShard
                            | CloseCode::DisallowedIntents
                    )),
                }
            }
        }
        Ok(_) => {}
        Err(code) => assert!(matches!(
            code,
            CloseCode::UnknownOpcode | CloseCode::DecodeError
        )),
    }
}

/// An access, refresh or bot token. No input is signed with these keys.
pub fn token(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let _ = (access::kid(text), bot::has_form(text));
    let access = AccessKey::new("1", &[7; 32]).expect("a secret");
    assert!(access.verify(text, 0).is_none(), "a forged access token");
    let bot = BotKey::new(&[7; 32]).expect("a key of any length");
    assert!(bot.verify(text).is_none(), "a forged bot token");
    if let Ok(refresh) = text.parse::<RefreshToken>() {
        assert!(refresh.to_string().parse() == Ok(refresh), "{text}");
    }
}

/// A session id of RESUME.
pub fn session_id(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Some(id) = SessionId::parse(text) {
        assert_eq!(id.to_string(), text, "two texts for one session");
    }
}

/// A JSON body, read as a form with fields of every kind.
pub fn form(bytes: &[u8]) {
    let value = match body::parse(bytes) {
        Ok(value) => value,
        Err(code) => return assert_eq!(code, ErrorCode::InvalidJson),
    };
    let names = [
        "content", "username", "name", "nonce", "max_age", "type", "",
    ];
    let read = form::read(&value, |form| {
        for name in names {
            let _ = form.text(name).optional();
            let _ = form.text(name).name(2..=32).patch();
            let _ = form.text(name).bytes(8..=128).change();
            let _ = form.integer(name, 0..=604_800).optional();
            let _ = form.flag(name).or(false);
            let _ = form.id::<ChannelId>(name).optional();
            let _ = form
                .choice(name, "0, 2", |n| (n == 0).then_some(n))
                .optional();
            let _ = form.texts(name, 10).optional();
        }
        let inner = form.object("message_reference").optional();
        inner.map_or(Some(()), |inner| {
            inner.id::<ChannelId>("message_id").required().map(|_| ())
        })
    });
    if let Err(refusal) = read {
        let body = refusal.body();
        assert_eq!(body["code"], 50035, "{body}");
        assert!(
            !body["errors"]
                .as_object()
                .is_none_or(|errors| errors.is_empty()),
            "{body}"
        );
        let text = body.to_string();
        assert!(serde_json::from_str::<Value>(&text).is_ok_and(|again| again == body));
    }
}

/// A frame of another node. What is read is written again, and means the same.
pub fn link_frame(bytes: &[u8]) {
    let Ok(frame) = LinkFrame::decode(bytes) else {
        return;
    };
    assert_eq!(LinkFrame::link_of(bytes), Some(frame.link));
    let mut batch = Batch::default();
    for envelope in &frame.envelopes {
        // What was not written in the shortest form fits all the better.
        let pushed = batch.push(envelope, usize::MAX);
        assert!(pushed.is_ok_and(|added| added.is_some()), "{envelope:?}");
    }
    let again = LinkFrame::decode(&batch.seal(frame.link, frame.acked));
    assert_eq!(again, Ok(frame));
}

/// The greeting of another node.
pub fn link_hello(bytes: &[u8]) {
    if let Ok(hello) = Hello::decode(bytes) {
        assert_eq!(hello.encode(), bytes, "two greetings that mean the same");
    }
}

/// What another node's ractor says, in pieces of one byte and as a whole; its first byte chooses the end.
pub fn link_stream(bytes: &[u8]) {
    let Some((end, stream)) = bytes.split_first() else {
        return;
    };
    let end = if end & 1 == 0 {
        End::Dialler
    } else {
        End::Listener
    };
    let read = |pieces: Vec<&[u8]>| {
        let mut scanner = Scanner::new(end, "b.2@b".to_owned());
        let mut begun = Vec::new();
        let mut all = |bytes| begun.push(bytes);
        let mut pieces = pieces.into_iter();
        let result = pieces.try_for_each(|some| scanner.feed(0, some, &mut all));
        (result, begun)
    };
    let whole = read(vec![stream]);
    assert_eq!(read(stream.chunks(1).collect()), whole);
    assert!(whole.1.iter().all(|&bytes| bytes <= MESSAGE_BYTES));
}

/// A datagram to a media worker, before it is known whose it is.
pub fn media_datagram(bytes: &[u8]) {
    match classify(bytes) {
        Datagram::Rtp(ssrc) => assert_eq!(bytes[8..12], ssrc.to_be_bytes()),
        Datagram::StunRequest => {
            if let Some(name) = local_ufrag(bytes) {
                assert!(!name.contains(':'));
                let found = bytes.windows(name.len() + 1);
                let said = format!("{name}:");
                assert!(found.clone().any(|part| part == said.as_bytes()));
            }
        }
        Datagram::Stun | Datagram::Dtls | Datagram::Rtcp | Datagram::Other => {}
    }
}

/// An SDP offer, before str0m reads it.
pub fn media_offer(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(outline) = outline(text) else {
        return;
    };
    assert!((1..=limits::OFFER_SECTIONS).contains(&outline.sections.len()));
    for (index, section) in outline.sections.iter().enumerate() {
        assert!((1..=limits::SECTION_NAME_BYTES).contains(&section.mid.len()));
        assert!(section.rids.len() <= limits::SIMULCAST_LAYERS);
        let before = &outline.sections[..index];
        assert!(before.iter().all(|other| other.mid != section.mid));
    }
    let slots = |audio| {
        let alive = outline.sections.iter().filter(|section| section.alive);
        alive.filter(|s| s.receives && s.audio == audio).count()
    };
    assert!(slots(true) <= limits::AUDIO_SLOTS && slots(false) <= limits::VIDEO_SLOTS);
}

/// The payload of a peer's RTP packet.
pub fn media_payload(bytes: &[u8]) {
    for codec in Codec::ALL {
        let starts = starts_keyframe(codec, bytes);
        assert!(!starts || codec == Codec::Opus || !bytes.is_empty());
    }
    if let Some(height) = vp8_height(bytes) {
        assert!(height < 1 << 14 && starts_keyframe(Codec::Vp8, bytes));
    }
}

/// A frame from a client on the voice socket.
pub fn voice_frame(bytes: &[u8]) {
    match decode_voice(bytes) {
        Ok(VoiceCommand::Wants(wants)) => {
            assert!(wants.len() <= limits::VOICE_WANTS);
            assert!(wants.iter().all(|want| want.stream.is_video()));
        }
        Ok(VoiceCommand::Heartbeat(beat)) => assert!(beat.to_string().len() <= bytes.len()),
        Ok(_) => {}
        Err(code) => assert!(matches!(
            code,
            VoiceClose::DecodeError
                | VoiceClose::UnknownOpcode
                | VoiceClose::UnknownProtocol
                | VoiceClose::BadRequest
        )),
    }
}

const RIGHTS: MediaRights = MediaRights {
    speak: true,
    stream: true,
    hear: true,
};

/// Media workers, as long as the process lasts.
static MEDIA: LazyLock<(Runtime, Media)> = LazyLock::new(|| {
    let settings = MediaSettings {
        listen: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
        ..MediaSettings::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let media = Media::start(&settings).expect("media workers");
    (runtime.expect("a runtime"), media)
});

/// A peer's offers, one after the other with a NUL between: str0m answers them, and the worker has the session, which a
/// further offer changes.
pub fn media_session(bytes: &[u8]) {
    let (runtime, media) = &*MEDIA;
    let before = media.load();
    let room = media.open(1, |_| {});
    let peer = PeerId(1);
    for offer in bytes.split(|&byte| byte == 0).take(4) {
        let Ok(offer) = std::str::from_utf8(offer) else {
            continue;
        };
        let answer = room.answer(peer, UserId(1), RIGHTS, offer);
        if let Ok(answer) = runtime.block_on(answer) {
            assert!(answer.starts_with("v=0\r\n"), "{answer}");
        }
    }
    room.leave(peer);
    assert_eq!(media.load().failed, before.failed, "a session panicked");
}
