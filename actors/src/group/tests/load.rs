//! Loading: what a new life must find, and what it refuses.

use std::collections::BTreeMap;

use rookery_protocol::document::{
    Invites, Messages, Nonce, Part, ReactionRow, Reactions, TableId, decode,
};
use rookery_protocol::ids::MessageId;
use rookery_protocol::limits;

use super::*;
use crate::entity::LoadError;
use crate::store::StoreError;

/// That a core built from the rows equals the living one, and that indexes and caches agree with the rows.
pub(super) fn assert_rebuilt(rig: &Rig<Group>) {
    let loaded = rig.load().expect("the rows can be read");
    assert_eq!(rig.core.ended, loaded.ended);
    let (Some(live), Some(loaded)) = (&rig.core.live, &loaded.live) else {
        assert_eq!(rig.core.live.is_some(), loaded.live.is_some());
        return;
    };
    assert_eq!(live.document, loaded.document);
    assert_eq!(live.members, loaded.members);
    assert_eq!(live.invites, loaded.invites);

    let rows: BTreeMap<(ChannelId, MessageId), MessageRow> = rig
        .rows(TableId::Messages)
        .values()
        .map(|bytes| decode::<Messages>(bytes).unwrap())
        .map(|row| ((row.channel, row.id), row))
        .collect();
    for channel in &live.document.channels {
        let (was, is) = (
            live.last_messages.get(&channel.id),
            loaded.last_messages.get(&channel.id),
        );
        let newest = rows
            .keys()
            .filter(|(at, _)| *at == channel.id)
            .map(|(_, id)| id)
            .max();
        assert_eq!(is, newest);
        // The last message may have been deleted; its id stays the last one as long as the group lives.
        assert!(is <= was);
    }
    for (place, row) in live.recent.iter() {
        // Messages of deleted channels stay, and nothing leads to them.
        if live.document.channel(place.0).is_some() {
            assert_eq!(row, rows.get(place), "what is cached is what is stored");
        }
    }
    assert_counted(rig, live, &rows);
    assert_eq!(live.pins, loaded.pins);
    let there = |id: &MessageId| {
        rows.keys()
            .any(|(channel, at)| at == id && live.document.channel(*channel).is_some())
    };
    let was: Vec<MessageId> = live.nonces.fresh(rig.now).filter(there).collect();
    let is: Vec<MessageId> = loaded.nonces.fresh(rig.now).collect();
    assert!(was.iter().all(|id| is.contains(id)), "{was:?} in {is:?}");
    assert!(is.iter().all(there));

    let group = rig.entity.id;
    let members = live.members.keys().map(|&user| Key::new(user, group));
    assert!(rig.rows(TableId::Memberships).into_keys().eq(members));
    let codes = live.invites.keys().map(|code| Key::single(code.as_str()));
    assert!(rig.rows(TableId::InviteCodes).into_keys().eq(codes));
    assert_eq!(rig.rows(TableId::Members).len(), live.members.len());
    assert_eq!(rig.rows(TableId::Invites).len(), live.invites.len());
}

/// That rows of reactions and pins are those that messages tell of, and nothing else.
fn assert_counted(
    rig: &Rig<Group>,
    live: &Live,
    rows: &BTreeMap<(ChannelId, MessageId), MessageRow>,
) {
    let reactions: Vec<(MessageId, ReactionRow)> = rig
        .rows(TableId::Reactions)
        .into_iter()
        .map(|(key, bytes)| {
            let Part::Num(message) = key.partition else {
                panic!("a message");
            };
            let row = decode::<Reactions>(&bytes).unwrap();
            assert_eq!(key.sort, Part::Text(row.place()));
            (MessageId(message), row)
        })
        .collect();
    let mut counted: BTreeMap<(MessageId, &str), u64> = BTreeMap::new();
    for (message, row) in &reactions {
        *counted.entry((*message, &row.emoji)).or_default() += 1;
    }
    let told = rows.values().flat_map(|row| {
        let counts = row.reactions.iter();
        counts.map(|count| ((row.id, count.emoji.as_str()), count.count))
    });
    assert_eq!(counted, told.collect());
    for ((message, place), known) in live.reacted.iter() {
        let is_there = reactions
            .iter()
            .any(|(id, row)| id == message && row.place() == *place);
        assert_eq!(known.is_some(), is_there);
    }
    let pinned = rows.values().filter(|row| row.pinned);
    let pinned = pinned.map(|row| Key::new(row.channel, row.id));
    assert!(rig.rows(TableId::Pins).into_keys().eq(pinned));
    for channel in &live.document.channels {
        let pins = rows
            .values()
            .filter(|row| row.pinned && row.channel == channel.id);
        let count = live.pins.get(&channel.id).copied().unwrap_or(0);
        assert_eq!(count, pins.count());
    }
}

#[test]
fn a_group_is_what_it_was() {
    let mut rig = community();
    for n in 0..5 {
        rig.post(ADA, &n.to_string());
    }
    rig.give(BEN, 77, 5, Permissions::KICK_MEMBERS);
    assert_rebuilt(&rig);
    rig.crash();
    assert_rebuilt(&rig);
}

#[test]
fn nothing_is_found_where_nothing_is() {
    let rig = Rig::<Group>::new(GROUP);
    assert!(rig.core.live.is_none());
}

#[test]
fn a_snapshot_of_a_newer_schema_is_refused() {
    let mut rig = founded();
    let mut document = rig.live().document.clone();
    document.schema += 1;
    let write = store::put::<Groups>(Key::single(GROUP), &document);
    let rig = {
        rig.edit(|_| {});
        let other = Rig::<Group>::on(GroupId(7), rig.store);
        commit_past(other, write)
    };
    let refused = crate::testkit::ready(<Group as crate::entity::Core>::load(
        GROUP.0,
        &crate::testkit::kit(1),
        &rig.store,
    ));
    let (found, known) = (2, 1);
    assert!(
        matches!(refused, Err(LoadError::NewerSchema { found: f, known: k }) if (f, k) == (found, known))
    );
}

/// Writes a row with another entity's lane.
fn commit_past(mut rig: Rig<Group>, write: store::Write) -> Rig<Group> {
    rig.rewrite(vec![write]);
    rig
}

#[test]
fn a_row_that_cannot_be_read_is_said_so() {
    let rig = founded();
    let write = store::Write::Put {
        table: TableId::Invites,
        key: Key::new(GROUP, "x"),
        row: vec![1, 2, 3],
    };
    let rig = commit_past(Rig::<Group>::on(GroupId(7), rig.store), write);
    let refused = crate::testkit::ready(<Group as crate::entity::Core>::load(
        GROUP.0,
        &crate::testkit::kit(1),
        &rig.store,
    ));
    let corrupt = LoadError::Store(StoreError::Corrupt(
        decode::<Invites>(&[1, 2, 3]).unwrap_err(),
    ));
    assert_eq!(refused.unwrap_err().to_string(), corrupt.to_string());
}

#[test]
fn nonces_come_back_from_pages_of_rows_but_not_old_ones() {
    let mut rig = community();
    let text = rig.text();
    let nonce = |n: i64| PostMessage {
        embeds: Vec::new(),
        attachments: Vec::new(),
        nonce: Some(Nonce::Number(n)),
        enforce_nonce: true,
        ..message(ADA, text, "x")
    };
    let old = rig.run(nonce(-1)).unwrap().message.id;
    rig.now = rig.now.plus(limits::NONCE_MS);
    for n in 0..2_500 {
        rig.run(nonce(n)).unwrap();
        rig.now = rig.now.plus(1);
    }
    assert_rebuilt(&rig);
    rig.crash();
    assert_eq!(rig.live().nonces.fresh(rig.now).count(), 2_500);
    assert!(rig.live().nonces.fresh(START).all(|id| id != old));
    for n in [0, 999, 1_000, 2_499] {
        assert!(rig.run(nonce(n)).unwrap().repeated, "{n}");
    }
    assert!(!rig.run(nonce(-1)).unwrap().repeated);
}
