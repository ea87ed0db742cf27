//! What a user has not read.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rookery_protocol::document::{
    DirectRow, Directs, MentionRow, Mentions, ReadStates, Relation, TableId, decode,
};
use rookery_protocol::event::EventName;
use rookery_protocol::ids::{ChannelId, MessageId};
use rookery_protocol::limits;
use rookery_protocol::time::Millis;
use serde_json::Value;

use super::*;
use crate::testkit::dispatch;

const BEN: UserId = UserId(3);

fn mention(channel: u64, message: u64, author: UserId) -> Notice {
    Notice::Mentioned(MentionRow {
        channel: ChannelId(channel),
        message: MessageId(message),
        group: Some(GroupId(7)),
        author,
    })
}

fn ack(channel: u64, message: u64) -> Acknowledge {
    let (channel, message) = (ChannelId(channel), MessageId(message));
    Acknowledge { channel, message }
}

fn mentions(rig: &mut Rig<User>) -> Vec<u64> {
    let rows = rig.run(ListMentions).unwrap();
    rows.iter().map(|row| row.message.0).collect()
}

/// That a core built from the rows knows what the living one knows.
fn assert_rebuilt(rig: &Rig<User>) {
    let loaded = rig.load().unwrap().live.unwrap();
    assert_eq!(loaded.unread, rig.live().unread);
}

#[test]
fn an_acknowledgement_forgets_mentions_and_is_shown_to_the_users_sessions() {
    let mut rig = ada();
    for (channel, message) in [(1, 10), (1, 20), (1, 30), (2, 15)] {
        rig.notice(GroupId(7), mention(channel, message, BEN));
    }
    assert!(rig.events.is_empty());
    assert_eq!(mentions(&mut rig), [10, 15, 20, 30]);
    rig.run(ack(1, 20)).unwrap();
    assert_eq!(mentions(&mut rig), [15, 30]);
    let events = rig.take_events();
    let shown = dispatch(&events[0]).unwrap();
    assert_eq!(shown.name, EventName::MessageAck);
    let body: Value = serde_json::from_slice(&shown.body).unwrap();
    let wanted = serde_json::json!({
        "channel_id": "1", "message_id": "20", "mention_count": 1, "version": 1, "manual": false,
    });
    assert_eq!(body, wanted);
    assert_rebuilt(&rig);
    // It goes forward only.
    for message in [20, 5] {
        rig.run(ack(1, message)).unwrap();
        assert!(rig.events.is_empty() && rig.writes.is_empty());
    }
    rig.crash();
    assert_eq!(mentions(&mut rig), [15, 30]);
    // What comes late was read already.
    rig.notice(GroupId(7), mention(1, 19, BEN));
    assert_eq!(mentions(&mut rig), [15, 30]);
}

#[test]
fn only_so_many_mentions_are_kept() {
    let mut rig = ada();
    let limit = limits::MENTIONS_PER_USER as u64;
    for n in 1..=limit + 5 {
        rig.notice(GroupId(7), mention(1, n, BEN));
    }
    assert_eq!(rig.rows(TableId::Mentions).len(), limits::MENTIONS_PER_USER);
    assert_eq!(mentions(&mut rig)[0], 6);
    // One that is older than all makes room at once.
    rig.notice(GroupId(7), mention(1, 2, BEN));
    assert_eq!(mentions(&mut rig)[0], 6);
    assert_rebuilt(&rig);
}

#[test]
fn only_so_many_channels_are_remembered() {
    let mut rig = ada();
    for n in 1..=limits::READ_STATES_PER_USER as u64 {
        rig.run(ack(n, 1_000_000 - n)).unwrap();
    }
    rig.run(ack(5, 2_000_000)).unwrap();
    let rows = rig.rows(TableId::ReadStates).len();
    assert_eq!(rows, limits::READ_STATES_PER_USER);
    rig.run(ack(99_999, 1)).unwrap();
    let rows = rig.rows(TableId::ReadStates);
    assert_eq!(rows.len(), limits::READ_STATES_PER_USER);
    let oldest = Key::new(ADA, limits::READ_STATES_PER_USER as u64);
    assert!(!rows.contains_key(&oldest));
    assert_rebuilt(&rig);
}

#[test]
fn who_is_blocked_mentions_nobody() {
    let mut rig = ada();
    let row = DirectRow {
        channel: ChannelId(9),
        recipients: vec![BEN],
        open: false,
        relation: Relation::Blocked,
        since: Millis(0),
        group: None,
    };
    rig.rewrite(vec![store::put::<Directs>(
        Key::new(ADA, ChannelId(9)),
        &row,
    )]);
    rig.notice(GroupId(7), mention(1, 10, BEN));
    rig.notice(GroupId(7), mention(1, 11, UserId(4)));
    assert_eq!(mentions(&mut rig), [11]);
}

proptest! {
    #[test]
    fn what_is_unread_is_what_was_not_acknowledged(
        steps in prop::collection::vec((any::<bool>(), 1..4u64, 1..60u64, prop::bool::weighted(0.1)), 0..80),
    ) {
        let mut rig = ada();
        let mut read = BTreeMap::new();
        let mut unread = BTreeMap::new();
        for (is_ack, channel, message, crash) in steps {
            // A message is of one channel.
            let message = message * 4 + channel;
            let before = read.get(&channel).copied().unwrap_or(0);
            if is_ack {
                rig.run(ack(channel, message)).unwrap();
                read.insert(channel, before.max(message));
                unread.retain(|&id, of| *of != channel || id > message);
            } else {
                rig.notice(GroupId(7), mention(channel, message, BEN));
                if message > before {
                    unread.insert(message, channel);
                }
            }
            if crash {
                rig.crash();
            }
            prop_assert_eq!(mentions(&mut rig), unread.keys().copied().collect::<Vec<_>>());
            assert_rebuilt(&rig);
        }
        let rows = rig.rows(TableId::ReadStates);
        let rows = rows.values().map(|bytes| decode::<ReadStates>(bytes).unwrap());
        let rows: BTreeMap<u64, u64> = rows.map(|row| (row.channel.0, row.last_read.0)).collect();
        prop_assert_eq!(rows, read);
        let rows = rig.rows(TableId::Mentions);
        let rows = rows.values().map(|bytes| decode::<Mentions>(bytes).unwrap());
        prop_assert!(rows.map(|row| row.message.0).eq(unread.into_keys()));
    }
}
