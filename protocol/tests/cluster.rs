//! Envelopes and frames between nodes: every envelope reads back, what it is in bytes does not change by accident, and bytes
//! that are none are an error. A changed golden here means that two versions of nodes do not understand each other: append
//! instead, or raise `cluster::SCHEMA`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic in a test is the report"
)]

mod samples;

use std::collections::BTreeSet;
use std::fmt::Write;

use proptest::prelude::*;
use rookery_protocol::cluster::{
    Batch, Envelope, FrameError, HEADER_BYTES, LinkFrame, SCHEMA, TooLarge,
};
use rookery_protocol::command::group::{GroupCommand, GroupReply, ListChannels};
use rookery_protocol::command::user::{GetAccount, Proof, Signal, UserCommand, UserReply};
use rookery_protocol::command::{Command, Reply, RequestId};
use rookery_protocol::document::IncarnationId;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::event::{Act, EventName, Frame, FrameSeq};
use rookery_protocol::ids::{ChannelId, GroupId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::limits::{ENVELOPE_BYTES, LINK_FRAME_BYTES, LINK_FRAME_ENVELOPES};
use rookery_protocol::session::{
    Checkpoint, Claim, Identity, Missed, Opened, Parcel, Place, Secret, SessionKey, Shard,
    Standing, Taken,
};
use samples::{any, commands, fixed};

const USER: EntityRef = EntityRef {
    kind: rookery_protocol::entity::EntityKind::User,
    id: 7,
};
const GROUP: EntityRef = EntityRef {
    kind: rookery_protocol::entity::EntityKind::Group,
    id: 20,
};
const ROOM: usize = usize::MAX;

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for line in bytes.chunks(32) {
        for byte in line {
            let _ = write!(text, "{byte:02x}");
        }
        text.push('\n');
    }
    text
}

fn request() -> RequestId {
    RequestId {
        caller: 1 << 40,
        number: 300,
    }
}

fn ask(to: EntityRef, command: Command) -> Envelope {
    Envelope::Ask {
        call: 251,
        request: request(),
        to,
        command,
        deadline_ms: 5_000,
        origin: Some(77),
    }
}

fn answer(answer: Result<Reply, ApiError>) -> Envelope {
    Envelope::Answer { call: 251, answer }
}

fn frame(envelopes: &[Envelope]) -> Vec<u8> {
    let mut batch = Batch::default();
    for envelope in envelopes {
        assert!(batch.push(envelope, ROOM).unwrap().is_some());
    }
    batch.seal(0x0102_0304_0506_0708, 9)
}

fn comes_back(envelope: &Envelope) {
    let bytes = frame(std::slice::from_ref(envelope));
    let read = LinkFrame::decode(&bytes).unwrap_or_else(|e| panic!("{}: {e}", envelope.name()));
    assert_eq!(&read.envelopes[..], std::slice::from_ref(envelope));
    assert_eq!((read.link, read.acked), (0x0102_0304_0506_0708, 9));
}

fn claim() -> Claim {
    Claim {
        key: SessionKey {
            run: IncarnationId {
                node: "a".into(),
                number: 3,
            },
            lane: 1,
            slot: 2,
            generation: 4,
        },
        user: UserId(7),
        secret: Secret([6; 16]),
        seq: 300,
    }
}

fn parcel() -> Parcel {
    Parcel {
        identity: Identity {
            user: UserId(7),
            proof: Proof::Bot(2),
            intents: Intents::GUILDS,
            shard: Some(Shard { index: 1, count: 3 }),
            secret: Secret([6; 16]),
        },
        seq: 301,
        missed: vec![Missed {
            name: EventName::MessageCreate,
            body: b"{}".as_slice().into(),
        }],
        topics: vec![(USER, 9), (GROUP, 400)],
        asked: vec![GroupId(21)],
        presence: b"{}".as_slice().into(),
    }
}

fn checkpoint() -> Checkpoint {
    let at = |slot| Place {
        slot,
        generation: 1,
    };
    Checkpoint {
        tick: 9,
        ended: vec![at(1)],
        opened: vec![Opened {
            at: at(2),
            key: Some(claim().key),
            identity: parcel().identity,
            presence: b"{}".as_slice().into(),
        }],
        standings: vec![(
            at(2),
            vec![
                (USER, Standing::On),
                (GROUP, Standing::From(5)),
                (GROUP, Standing::Asked),
            ],
        )],
        numbers: vec![(at(2), 300)],
        topics: vec![(USER, 9)],
    }
}

/// One of each, small.
fn goldens() -> Vec<Envelope> {
    let event = fixed::event();
    let list = ListChannels { by: UserId(7) };
    let peer = IncarnationId {
        node: "b".into(),
        number: 2,
    };
    vec![
        ask(GROUP, Command::Group(GroupCommand::ListChannels(list))),
        ask(USER, Command::User(UserCommand::GetAccount(GetAccount))),
        answer(Ok(Reply::User(UserReply::Detach(())))),
        answer(Err(ApiError::field("name", "CODE", "no"))),
        Envelope::NotOwner {
            call: 1,
            shard: 4_095,
            row: Some(fixed::shard()[0].clone()),
        },
        Envelope::Notice {
            call: 2,
            to: USER,
            from: GROUP,
            seq: 3,
            notice: fixed::outbox()[0].notice.clone(),
        },
        Envelope::Noticed { call: 2 },
        Envelope::Interest {
            topics: vec![(USER, true), (GROUP, false)],
        },
        Envelope::InterestAll {
            topics: vec![GROUP],
        },
        Envelope::Event(Frame {
            topic: GROUP,
            seq: FrameSeq::Logged(5),
            event: event[0].event.clone(),
        }),
        Envelope::Behind {
            topic: GROUP,
            gseq: 5,
        },
        Envelope::Hint,
        Envelope::Refused {
            by: "a".into(),
            peer,
        },
        Envelope::Flush { call: 6 },
        Envelope::TakeSession {
            call: 7,
            claim: claim(),
            copy: true,
        },
        Envelope::Session {
            call: 7,
            answer: Taken::Handed(Box::new(parcel())),
        },
        Envelope::Session {
            call: 7,
            answer: Taken::InvalidSeq,
        },
        Envelope::Checkpoint {
            lane: 1,
            checkpoint: checkpoint(),
        },
        Envelope::Nudge {
            channel: ChannelId(30),
        },
        Envelope::Voice {
            node: fixed::media_node(),
            load: 300,
        },
        Envelope::Continued { key: claim().key },
        Envelope::Inspect {
            call: 251,
            question: r#"{"question":"node"}"#.to_owned(),
        },
        Envelope::Inspected {
            call: 251,
            said: r#"{"said":"elsewhere"}"#.to_owned(),
        },
        Envelope::Moved {
            shards: vec![(4_095, fixed::shard()[0].clone())],
        },
    ]
}

#[test]
fn envelopes_have_these_bytes() {
    let mut names = BTreeSet::new();
    for (n, envelope) in goldens().iter().enumerate() {
        names.insert(envelope.name());
        let bytes = frame(std::slice::from_ref(envelope));
        let name = format!("envelope-{n:02}-{}", envelope.name());
        insta::assert_snapshot!(name, hex(&bytes[HEADER_BYTES..]));
        comes_back(envelope);
    }
    // A variant that is new is added here: this match fails to compile without it.
    let last = |envelope: &Envelope| match envelope {
        Envelope::Ask { .. }
        | Envelope::Answer { .. }
        | Envelope::NotOwner { .. }
        | Envelope::Notice { .. }
        | Envelope::Noticed { .. }
        | Envelope::Interest { .. }
        | Envelope::InterestAll { .. }
        | Envelope::Event(_)
        | Envelope::Behind { .. }
        | Envelope::Hint
        | Envelope::Refused { .. }
        | Envelope::Flush { .. }
        | Envelope::TakeSession { .. }
        | Envelope::Session { .. }
        | Envelope::Checkpoint { .. }
        | Envelope::Nudge { .. }
        | Envelope::Voice { .. }
        | Envelope::Continued { .. }
        | Envelope::Inspect { .. }
        | Envelope::Inspected { .. }
        | Envelope::Moved { .. } => 21,
    };
    assert_eq!(names.len(), last(&Envelope::Hint));
}

#[test]
fn a_frame_has_these_bytes() {
    insta::assert_snapshot!(hex(&frame(&[
        Envelope::Hint,
        Envelope::Noticed { call: 2 }
    ])));
    insta::assert_snapshot!("an_empty_frame", hex(&frame(&[])));
}

#[test]
fn every_command_and_reply_comes_back() {
    let mut names = BTreeSet::new();
    for command in commands::user_commands() {
        names.insert(command.name());
        comes_back(&ask(USER, Command::User(command)));
    }
    assert_eq!(names.len(), UserCommand::NAMES.len(), "{names:?}");
    names.clear();
    for reply in commands::user_replies() {
        names.insert(reply.name());
        comes_back(&answer(Ok(Reply::User(reply))));
    }
    assert_eq!(names.len(), UserCommand::NAMES.len(), "{names:?}");
    names.clear();
    for command in commands::group_commands() {
        names.insert(command.name());
        comes_back(&ask(GROUP, Command::Group(command)));
    }
    assert_eq!(names.len(), GroupCommand::NAMES.len(), "{names:?}");
    names.clear();
    for reply in commands::group_replies() {
        names.insert(reply.name());
        comes_back(&answer(Ok(Reply::Group(reply))));
    }
    assert_eq!(names.len(), GroupCommand::NAMES.len(), "{names:?}");
}

#[test]
fn every_refusal_notice_and_event_comes_back() {
    for &code in ErrorCode::ALL {
        comes_back(&answer(Err(code.into())));
    }
    comes_back(&answer(Err(ApiError::slow_mode(1_500))));
    comes_back(&answer(Err(ApiError::incident("2Xy"))));
    for row in fixed::outbox() {
        comes_back(&Envelope::Notice {
            call: 1,
            to: row.to,
            from: GROUP,
            seq: u64::MAX,
            notice: row.notice,
        });
    }
    for row in fixed::event() {
        comes_back(&Envelope::Event(Frame {
            topic: GROUP,
            seq: FrameSeq::Value(3),
            event: row.event,
        }));
    }
}

#[test]
fn a_frame_of_another_schema_or_with_a_rest_is_refused() {
    let good = frame(&[Envelope::Hint]);
    let mut other = good.clone();
    other[0] ^= 2;
    assert_eq!(
        LinkFrame::decode(&other),
        Err(FrameError::Schema(SCHEMA ^ 2))
    );
    let mut long = good.clone();
    long.push(0);
    assert_eq!(LinkFrame::decode(&long), Err(FrameError::Rest(1)));
    for length in 0..good.len() {
        assert!(LinkFrame::decode(&good[..length]).is_err(), "{length}");
    }
    let mut many = good.clone();
    many[18..20].copy_from_slice(&257_u16.to_le_bytes());
    many.resize(HEADER_BYTES + 257, 10);
    assert!(matches!(
        LinkFrame::decode(&many),
        Err(FrameError::TooLarge { count: 257, .. })
    ));
    let mut huge = frame(&[Envelope::Hint, Envelope::Hint]);
    huge.resize(HEADER_BYTES + LINK_FRAME_BYTES + 1, 0);
    assert!(matches!(
        LinkFrame::decode(&huge),
        Err(FrameError::TooLarge { count: 2, .. })
    ));
}

fn sized(bytes: usize) -> Envelope {
    let mut dispatch = match fixed::event()[0].event.act.clone() {
        Act::Dispatch(dispatch) => dispatch,
        act => panic!("{act:?}"),
    };
    dispatch.body = vec![b' '; bytes].into();
    let command = UserCommand::Signal(Signal { dispatch });
    ask(USER, Command::User(command))
}

#[test]
fn a_large_envelope_goes_alone_and_one_that_is_too_large_not_at_all() {
    let mut batch = Batch::default();
    assert!(batch.push(&Envelope::Hint, ROOM).unwrap().is_some());
    assert_eq!(batch.push(&sized(LINK_FRAME_BYTES), ROOM), Ok(None));
    assert_eq!((batch.count(), batch.len()), (1, HEADER_BYTES + 1));
    assert!(!batch.is_full());
    let mut batch = Batch::default();
    assert!(
        batch
            .push(&sized(LINK_FRAME_BYTES), 1_000)
            .unwrap()
            .is_none()
    );
    assert!(
        batch
            .push(&sized(LINK_FRAME_BYTES), ROOM)
            .unwrap()
            .is_some()
    );
    assert!(batch.is_full());
    assert_eq!(batch.push(&Envelope::Hint, ROOM), Ok(None));
    comes_back(&sized(LINK_FRAME_BYTES));
    comes_back(&sized(ENVELOPE_BYTES - 100));
    let error = Batch::default().push(&sized(ENVELOPE_BYTES), ROOM);
    assert!(matches!(error, Err(TooLarge::Bytes(_))), "{error:?}");
    let mut batch = Batch::default();
    for _ in 0..LINK_FRAME_ENVELOPES {
        assert!(batch.push(&Envelope::Hint, ROOM).unwrap().is_some());
    }
    assert!(batch.is_full());
    assert_eq!(batch.push(&Envelope::Hint, ROOM), Ok(None));
}

#[test]
fn a_length_that_is_a_lie_is_refused_before_it_is_allocated() {
    // An `InterestAll` that says it has 2^60 topics.
    let mut bytes = frame(&[Envelope::Hint]);
    bytes.truncate(HEADER_BYTES);
    bytes.extend([6, 253]);
    bytes.extend((1_u64 << 60).to_le_bytes());
    assert!(matches!(
        LinkFrame::decode(&bytes),
        Err(FrameError::Envelope { index: 0, .. })
    ));
}

fn any_envelope() -> impl Strategy<Value = Envelope> {
    prop_oneof![
        (any::<u64>(), any::outbox(), any::entity(), any::<u64>()).prop_map(
            |(call, row, from, seq)| Envelope::Notice {
                call,
                to: row.to,
                from,
                seq,
                notice: row.notice
            }
        ),
        (any::entity(), any::event(), any::<u64>()).prop_map(|(topic, row, seq)| {
            Envelope::Event(Frame {
                topic,
                seq: FrameSeq::Logged(seq),
                event: row.event,
            })
        }),
        (any::<u64>(), any::message())
            .prop_map(|(_, row)| answer(Ok(Reply::Group(GroupReply::EditMessage(row))))),
        (any::group(), any::member()).prop_map(|(group, me)| {
            let mut replies = commands::group_replies();
            let mut reply = replies.swap_remove(4);
            if let GroupReply::Subscribe(subscribed) = &mut reply {
                subscribed.view.group = group;
                subscribed.me = me;
            }
            answer(Ok(Reply::Group(reply)))
        }),
        (
            any::<u64>(),
            any::<u16>(),
            proptest::option::of(any::shard())
        )
            .prop_map(|(call, shard, row)| Envelope::NotOwner { call, shard, row }),
        proptest::collection::vec((any::entity(), any::<bool>()), 0..4)
            .prop_map(|topics| Envelope::Interest { topics }),
    ]
}

proptest! {
    #[test]
    fn any_envelopes_come_back(envelopes in proptest::collection::vec(any_envelope(), 0..4)) {
        let read = LinkFrame::decode(&frame(&envelopes)).unwrap();
        prop_assert_eq!(read.envelopes, envelopes);
    }

    #[test]
    fn any_bytes_are_survived(count in 0..300_u16, bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = LinkFrame::decode(&bytes);
        let mut whole = Batch::default().seal(1, 2);
        whole[18..20].copy_from_slice(&count.to_le_bytes());
        whole.extend(bytes);
        let _ = LinkFrame::decode(&whole);
    }

    #[test]
    fn a_changed_byte_is_survived(envelope in any_envelope(), at: proptest::sample::Index, bit in 0..8_u32) {
        let mut bytes = frame(&[envelope]);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let _ = LinkFrame::decode(&bytes);
    }
}

#[test]
fn ids_of_groups_are_their_addresses() {
    assert_eq!(EntityRef::from(GroupId(20)), GROUP);
}
