//! Voice channels: who may be in one, who sees whom there, and what becomes of rooms.

use rookery_protocol::command::group::{
    BeatRoom, ChannelPatch, CreateChannel, DeleteChannel, DeleteGroup, JoinVoice, LeaveVoice,
    LoseRooms, MemberPatch, RemoveMember, Subscribe, UpdateMember,
};
use rookery_protocol::document::{
    IncarnationId, RoomRow, Rooms, Table, TableId, VoiceStates, decode,
};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::{Audience, EventName};
use rookery_protocol::limits;
use rookery_protocol::voice::{MediaNode, Present, RoomId, RoomMember, RoomOrders, Said};
use serde_json::Value;

use super::*;
use crate::testkit::{code, readable};

fn node(name: &str) -> MediaNode {
    MediaNode {
        node: IncarnationId {
            node: name.to_owned(),
            number: 1,
        },
        endpoint: format!("{name}.example"),
        url: Some(format!("wss://{name}.example/voice")),
    }
}

fn join(by: UserId, channel: ChannelId, session: &str) -> JoinVoice {
    JoinVoice {
        by: profile(by),
        session: session.to_owned(),
        channel,
        said: Said::default(),
        at: node("a"),
    }
}

fn leave(by: UserId, session: &str) -> LeaveVoice {
    LeaveVoice {
        by,
        session: session.to_owned(),
    }
}

fn who(user: UserId, session: &str) -> Present {
    Present {
        user,
        session: session.to_owned(),
    }
}

fn change(by: UserId, user: UserId, patch: MemberPatch) -> UpdateMember {
    UpdateMember {
        by,
        user: profile(user),
        patch,
        reason: None,
    }
}

/// The events since the last time: names with their bodies, and for whom.
fn told(rig: &mut Rig<Group>) -> Vec<(EventName, Value, Audience)> {
    let events = rig.take_events();
    let voice = |event: &rookery_protocol::event::Event| {
        let name = crate::testkit::dispatch(event)?.name;
        let is_voice = matches!(
            name,
            EventName::VoiceStateUpdate | EventName::VoiceServerUpdate
        );
        is_voice.then(|| (name, readable(event), event.audience.clone()))
    };
    events.iter().filter_map(voice).collect()
}

fn body(value: &Value) -> &Value {
    value.get("d").or(value.get("body")).unwrap_or(value)
}

/// Where the room of a channel is.
fn room(rig: &Rig<Group>, channel: ChannelId) -> Option<RoomRow> {
    let rows = rig.rows(Rooms::ID);
    let rows = rows.values().map(|row| decode::<Rooms>(row).unwrap());
    let mut rows = rows.filter(|row| row.channel == channel);
    rows.next()
}

fn beat(rig: &Rig<Group>, channel: ChannelId, present: &[Present], gone: &[Present]) -> BeatRoom {
    let room = room(rig, channel).expect("a room");
    BeatRoom {
        room: RoomId {
            group: GROUP,
            channel,
            life: room.life,
        },
        node: room.at.node,
        runs_ms: limits::VOICE_ABSENT_MS,
        present: present.to_vec(),
        gone: gone.to_vec(),
    }
}

fn members(orders: RoomOrders) -> Vec<RoomMember> {
    match orders {
        RoomOrders::Go(members) => members,
        RoomOrders::Close => panic!("the room is over"),
    }
}

fn another(rig: &mut Rig<Group>) -> ChannelId {
    let request = CreateChannel {
        by: OWNER,
        kind: ChannelKind::Voice,
        patch: ChannelPatch {
            name: Some("Nest".to_owned()),
            ..ChannelPatch::default()
        },
        reason: None,
    };
    rig.run(request).unwrap().channel.id
}

#[test]
fn who_comes_is_seen_by_who_sees_the_channel_and_told_where_the_room_is() {
    let mut rig = community();
    let voice = rig.channel(ChannelKind::Voice);
    rig.take_events();
    rig.run(join(ADA, voice, "s1")).unwrap();
    let told = told(&mut rig);
    assert_eq!(told.len(), 2, "{told:?}");
    let (name, state, audience) = &told[0];
    assert_eq!(
        (name, audience),
        (&EventName::VoiceStateUpdate, &Audience::Channel(voice))
    );
    let state = body(state);
    assert_eq!(state["channel_id"], voice.to_string());
    assert_eq!(state["session_id"], "s1");
    assert_eq!(state["member"]["user"]["id"], ADA.to_string());
    let (name, server, audience) = &told[1];
    assert_eq!(
        (name, audience),
        (&EventName::VoiceServerUpdate, &Audience::User(ADA))
    );
    let server = body(server);
    assert_eq!(server["endpoint"], "a.example");
    assert_eq!(server["url"], "wss://a.example/voice");
    assert_eq!(server["session_id"], "s1");
    let room = room(&rig, voice).expect("a room");
    let token = server["token"].as_str().unwrap();
    let admitted = rig.kit.links.admits_to_room(ADA, "s1", token).unwrap();
    assert_eq!((admitted.channel, admitted.life), (voice, room.life));
    // Who comes later finds them in the group's picture.
    let picture = rig.run(Subscribe { by: BEN }).unwrap();
    assert_eq!(picture.voice.len(), 1);
}

#[test]
fn coming_needs_connect_and_a_place_and_a_voice_channel() {
    let mut rig = community();
    let (voice, text) = (rig.channel(ChannelKind::Voice), rig.text());
    assert_eq!(
        code(rig.run(join(ADA, text, "s"))),
        ErrorCode::InvalidAction
    );
    assert_eq!(
        code(rig.run(join(OUTSIDER, voice, "s"))),
        ErrorCode::MissingAccess
    );
    let unknown = ChannelId(7);
    assert_eq!(
        code(rig.run(join(ADA, unknown, "s"))),
        ErrorCode::UnknownChannel
    );
    rig.everyone(Permissions(
        Permissions::DEFAULT.0 & !Permissions::CONNECT.0,
    ));
    assert_eq!(
        code(rig.run(join(ADA, voice, "s"))),
        ErrorCode::MissingPermissions
    );
    rig.everyone(Permissions::DEFAULT);
    rig.edit(|document| {
        let mut channels = document.channels.iter_mut();
        let found = channels.find(|channel| channel.id == voice);
        found.unwrap().user_limit = 1;
    });
    rig.run(join(ADA, voice, "s")).unwrap();
    assert_eq!(code(rig.run(join(BEN, voice, "s"))), ErrorCode::VoiceFull);
    // The owner may move others, so he finds a place.
    rig.run(join(OWNER, voice, "s")).unwrap();
    // Who is in may change what he says, and come with another session.
    rig.run(join(ADA, voice, "other")).unwrap();
}

#[test]
fn the_last_who_goes_ends_the_room_and_an_old_session_ends_nothing() {
    let mut rig = community();
    let voice = rig.channel(ChannelKind::Voice);
    rig.run(join(ADA, voice, "s1")).unwrap();
    rig.run(join(ADA, voice, "s2")).unwrap();
    rig.run(leave(ADA, "s1")).unwrap();
    assert!(room(&rig, voice).is_some());
    told(&mut rig);
    rig.run(leave(ADA, "s2")).unwrap();
    let told = told(&mut rig);
    assert_eq!(body(&told[0].1)["channel_id"], Value::Null);
    for table in [TableId::VoiceStates, TableId::Rooms, TableId::RoomsAt] {
        assert!(rig.rows(table).is_empty(), "{table}");
    }
}

#[test]
fn who_moves_is_seen_to_go_only_by_who_does_not_see_where() {
    let mut rig = community();
    let voice = rig.channel(ChannelKind::Voice);
    let nest = another(&mut rig);
    rig.run(join(ADA, voice, "s")).unwrap();
    told(&mut rig);
    rig.run(join(ADA, nest, "s")).unwrap();
    let told = told(&mut rig);
    let only = Audience::ChannelOnly {
        sees: voice,
        not: nest,
    };
    let audiences: Vec<_> = told.iter().map(|(_, _, audience)| audience).collect();
    assert_eq!(
        audiences,
        [&only, &Audience::Channel(nest), &Audience::User(ADA)]
    );
    assert!(room(&rig, voice).is_none());
    assert!(room(&rig, nest).is_some());
}

#[test]
fn a_room_is_told_who_may_be_in_it_and_what_he_may_do() {
    let mut rig = community();
    let voice = rig.channel(ChannelKind::Voice);
    rig.run(join(ADA, voice, "s")).unwrap();
    let orders = rig.run(beat(&rig, voice, &[who(ADA, "s")], &[])).unwrap();
    let [ada] = &members(orders)[..] else {
        panic!()
    };
    assert!(ada.rights.speak && ada.rights.stream && ada.rights.hear);
    rig.nudged.clear();
    let patch = MemberPatch {
        mute: Some(true),
        deaf: Some(true),
        ..MemberPatch::default()
    };
    rig.run(change(OWNER, ADA, patch)).unwrap();
    assert!(rig.nudged.contains(&voice));
    let told = told(&mut rig);
    let last = body(&told.last().unwrap().1);
    assert_eq!((&last["mute"], &last["deaf"]), (&true.into(), &true.into()));
    let orders = rig.run(beat(&rig, voice, &[who(ADA, "s")], &[])).unwrap();
    let [ada] = &members(orders)[..] else {
        panic!()
    };
    assert!(!ada.rights.speak && ada.rights.stream && !ada.rights.hear);
    // Another life of the room, or another node, is told to close.
    let mut other = beat(&rig, voice, &[], &[]);
    other.room.life += 1;
    assert_eq!(rig.run(other).unwrap(), RoomOrders::Close);
    let mut other = beat(&rig, voice, &[], &[]);
    other.node.number += 1;
    assert_eq!(rig.run(other).unwrap(), RoomOrders::Close);
}

#[test]
fn who_went_and_who_never_came_leave_the_channel() {
    let mut rig = community();
    let voice = rig.channel(ChannelKind::Voice);
    rig.run(join(ADA, voice, "s")).unwrap();
    rig.run(join(BEN, voice, "s")).unwrap();
    let orders = rig.run(beat(&rig, voice, &[who(BEN, "s")], &[who(ADA, "old")]));
    assert_eq!(members(orders.unwrap()).len(), 2);
    let orders = rig.run(beat(&rig, voice, &[], &[who(ADA, "s")]));
    assert_eq!(members(orders.unwrap()).len(), 1);
    rig.now = rig.now.plus(limits::VOICE_ABSENT_MS);
    let orders = rig.run(beat(&rig, voice, &[], &[]));
    assert_eq!(orders.unwrap(), RoomOrders::Close);
    assert!(rig.rows(VoiceStates::ID).is_empty());
}

/// A room's actor failed, or an operator had it start again: whoever comes back first throws out nobody.
#[test]
fn who_was_in_a_room_that_runs_again_has_time_to_come_back() {
    let mut rig = community();
    let voice = rig.channel(ChannelKind::Voice);
    rig.run(join(ADA, voice, "s")).unwrap();
    rig.run(join(BEN, voice, "s")).unwrap();
    rig.now = rig.now.plus(10 * limits::VOICE_ABSENT_MS);
    let again = |rig: &Rig<Group>, runs_ms: u64| BeatRoom {
        runs_ms,
        ..beat(rig, voice, &[who(ADA, "s")], &[])
    };
    let orders = rig.run(again(&rig, limits::VOICE_ABSENT_MS - 1)).unwrap();
    assert_eq!(members(orders).len(), 2);
    let orders = rig.run(again(&rig, limits::VOICE_ABSENT_MS)).unwrap();
    let [ada] = &members(orders)[..] else {
        panic!()
    };
    assert_eq!(ada.who, who(ADA, "s"));
}

#[test]
fn who_never_comes_has_his_own_time_and_it_begins_anew_when_the_room_moves() {
    let mut rig = community();
    let voice = rig.channel(ChannelKind::Voice);
    rig.run(join(ADA, voice, "s")).unwrap();
    rig.now = rig.now.plus(limits::VOICE_ABSENT_MS - 1);
    let lose = LoseRooms {
        node: node("a").node,
        at: node("b"),
        only: None,
    };
    rig.run(lose).unwrap();
    rig.now = rig.now.plus(1);
    rig.run(join(BEN, voice, "s")).unwrap();
    let orders = rig.run(beat(&rig, voice, &[], &[])).unwrap();
    assert_eq!(members(orders).len(), 2);
    told(&mut rig);
    rig.now = rig.now.plus(limits::VOICE_ABSENT_MS - 1);
    let orders = rig.run(beat(&rig, voice, &[], &[])).unwrap();
    let [ben] = &members(orders)[..] else {
        panic!()
    };
    assert_eq!(ben.who, who(BEN, "s"));
    let told = told(&mut rig);
    assert_eq!(body(&told[0].1)["channel_id"], Value::Null);
    assert_eq!(body(&told[0].1)["user_id"], ADA.to_string());
    rig.now = rig.now.plus(1);
    let orders = rig.run(beat(&rig, voice, &[], &[]));
    assert_eq!(orders.unwrap(), RoomOrders::Close);
}

#[test]
fn who_may_not_be_there_any_more_leaves() {
    type Step = fn(&mut Rig<Group>, ChannelId);
    let table: [(&str, Step); 4] = [
        ("kicked", |rig, _| {
            let kick = RemoveMember {
                by: OWNER,
                user: profile(ADA),
                reason: None,
            };
            rig.run(kick).unwrap();
        }),
        ("timed out", |rig, _| {
            let patch = MemberPatch {
                timeout_until: Some(Some(rig.now.plus(60_000))),
                ..MemberPatch::default()
            };
            rig.run(change(OWNER, ADA, patch)).unwrap();
        }),
        ("channel removed", |rig, voice| {
            let delete = DeleteChannel {
                by: OWNER,
                channel: voice,
                reason: None,
            };
            rig.run(delete).unwrap();
        }),
        ("group ended", |rig, _| {
            rig.run(DeleteGroup { by: OWNER }).unwrap();
        }),
    ];
    for (name, step) in table {
        let mut rig = community();
        let voice = rig.channel(ChannelKind::Voice);
        rig.run(join(ADA, voice, "s")).unwrap();
        rig.nudged.clear();
        step(&mut rig, voice);
        assert_eq!(rig.nudged.first(), Some(&voice), "{name}");
        for table in [TableId::VoiceStates, TableId::Rooms, TableId::RoomsAt] {
            assert!(rig.rows(table).is_empty(), "{name}: {table}");
        }
    }
}

#[test]
fn moderators_move_and_disconnect_and_only_who_is_in_a_channel() {
    let mut rig = community();
    let voice = rig.channel(ChannelKind::Voice);
    let nest = another(&mut rig);
    let moved = |to| MemberPatch {
        voice: Some(to),
        ..MemberPatch::default()
    };
    let there = Some((nest, node("b")));
    let refused = rig.run(change(OWNER, ADA, moved(there.clone())));
    assert_eq!(code(refused), ErrorCode::NotInVoice);
    rig.run(join(ADA, voice, "s")).unwrap();
    let refused = rig.run(change(BEN, ADA, moved(there.clone())));
    assert_eq!(code(refused), ErrorCode::MissingPermissions);
    rig.run(change(OWNER, ADA, moved(there))).unwrap();
    assert_eq!(room(&rig, nest).unwrap().at, node("b"));
    rig.run(change(OWNER, ADA, moved(None))).unwrap();
    assert!(rig.rows(VoiceStates::ID).is_empty());
    let mute = MemberPatch {
        mute: Some(true),
        ..MemberPatch::default()
    };
    assert_eq!(
        code(rig.run(change(OWNER, ADA, mute))),
        ErrorCode::NotInVoice
    );
}

#[test]
fn rooms_of_a_node_that_is_gone_move_and_their_people_are_told() {
    let mut rig = community();
    let voice = rig.channel(ChannelKind::Voice);
    rig.run(join(ADA, voice, "s")).unwrap();
    let old = room(&rig, voice).unwrap();
    told(&mut rig);
    // The group's next owner knows of them, too.
    rig.crash();
    let lose = |name: &str, number| LoseRooms {
        node: IncarnationId {
            node: name.to_owned(),
            number,
        },
        at: node("b"),
        only: None,
    };
    rig.run(lose("a", 0)).unwrap();
    rig.run(lose("c", 9)).unwrap();
    assert_eq!(room(&rig, voice), Some(old.clone()));
    rig.run(lose("a", 1)).unwrap();
    let new = room(&rig, voice).unwrap();
    assert_eq!(new.at, node("b"));
    assert_ne!(new.life, old.life);
    assert_eq!(rig.rows(TableId::RoomsAt).len(), 1);
    let told = told(&mut rig);
    let [(EventName::VoiceServerUpdate, server, Audience::User(ADA))] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(body(server)["endpoint"], "b.example");
    // Once: what is asked again finds nothing left there.
    rig.run(lose("a", 1)).unwrap();
    assert_eq!(room(&rig, voice), Some(new));
}
