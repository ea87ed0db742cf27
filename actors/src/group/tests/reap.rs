//! Reaping: whatever a group held, nothing of it is left in the end, and nothing of anybody else is touched.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rookery_protocol::command::group::{DeleteChannel, DeleteGroup, DeleteInvite, Reap, ReapPiece};
use rookery_protocol::document::{
    AttachmentOwner, Attachments, AuditAction, AuditLog, AuditRow, BanRow, Bans, DirectRow,
    Directs, EndedGroups, InviteCodes, InviteOwner, InviteRow, Invites, Membership, Memberships,
    Messages, PinRow, Pins, ReactionRow, Reactions, Relation, TableId, decode,
};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::{AttachmentId, AuditId, MessageId};
use rookery_protocol::limits;
use rookery_protocol::snowflake;
use rookery_protocol::time::Millis;

use super::*;
use crate::store::Write;
use crate::testkit::code;

/// Another group, whose rows must stay.
const OTHER: GroupId = GroupId(2_000);
const OTHER_CHANNEL: ChannelId = ChannelId(2_001);

/// Rows of every kind around a channel of a group and one of its messages.
fn rows_around(group: GroupId, channel: ChannelId, message: MessageId) -> Vec<Write> {
    let user = UserId(message.0 % 5 + 100);
    let code = format!("c{message}");
    let emoji = ReactionRow {
        emoji: "x".to_owned(),
        user,
    };
    let invite = InviteRow {
        code: code.clone(),
        channel,
        inviter: user,
        max_age: 0,
        max_uses: 0,
        uses: 0,
        created_at: START,
    };
    let ban = BanRow {
        user,
        reason: None,
        by: OWNER,
        at: START,
    };
    let direct = DirectRow {
        channel,
        recipients: Vec::new(),
        open: true,
        relation: Relation::None,
        since: START,
        group: None,
    };
    let member = super::super::members::row(&profile(user), Vec::new(), START);
    let file = AttachmentId(message.0);
    vec![
        store::put::<Pins>(Key::new(channel, message), &PinRow { message, at: START }),
        store::put::<Reactions>(Key::new(message, emoji.place().as_str()), &emoji),
        store::put::<Attachments>(Key::new(channel, file), &AttachmentOwner { message }),
        store::put::<Members>(Key::new(group, user), &member),
        store::put::<Memberships>(Key::new(user, group), &Membership { group }),
        store::put::<Directs>(Key::new(user, group), &direct),
        store::put::<Invites>(Key::new(group, code.as_str()), &invite),
        store::put::<InviteCodes>(Key::single(code.as_str()), &InviteOwner { group }),
        store::put::<Bans>(Key::new(group, user), &ban),
        store::put::<AuditLog>(Key::new(group, message.0), &entry(message.0)),
    ]
}

fn entry(id: u64) -> AuditRow {
    AuditRow {
        id: AuditId(id),
        by: OWNER,
        action: AuditAction::MessagePin,
        target: None,
        reason: None,
        changes: Vec::new(),
        options: None,
    }
}

/// Everything but events, outbox and marks, which belong to the entity as such.
fn everything(rig: &Rig<Group>) -> BTreeMap<(TableId, Key), Vec<u8>> {
    let tables = TableId::ALL.into_iter();
    let tables =
        tables.filter(|table| !matches!(table, TableId::Events | TableId::Outbox | TableId::Marks));
    tables
        .flat_map(|table| {
            let rows = rig.rows(table).into_iter();
            rows.map(move |(key, row)| ((table, key), row))
        })
        .collect()
}

/// What the janitor does, in pieces of `size`; `interrupt` is asked before each piece.
fn reap_all(rig: &mut Rig<Group>, size: usize, mut interrupt: impl FnMut(&mut Rig<Group>)) {
    while let Some((key, row)) = rig.rows(TableId::EndedGroups).into_iter().next() {
        let ended = decode::<EndedGroups>(&row).unwrap();
        let Part::Num(place) = key.sort else {
            panic!("a number")
        };
        let channel = (place != 0).then_some(ChannelId(place));
        let mut partitions = Vec::new();
        for &channel in &ended.channels {
            for (_, row) in rig.rows(TableId::Messages) {
                let row = decode::<Messages>(&row).unwrap();
                if row.channel == channel {
                    partitions.push((TableId::Reactions, Part::from(row.id)));
                }
            }
            let tables = [TableId::Pins, TableId::Attachments, TableId::Messages];
            partitions.extend(tables.map(|table| (table, channel.into())));
        }
        let of_group = [
            TableId::Members,
            TableId::Invites,
            TableId::Bans,
            TableId::AuditLog,
        ];
        if channel.is_none() {
            partitions.extend(of_group.map(|table| (table, GROUP.into())));
        }
        let mut pieces = Vec::new();
        for (table, partition) in partitions {
            let keys = rig.rows(table).into_keys();
            let keys: Vec<Key> = keys.filter(|key| key.partition == partition).collect();
            let keys = keys.chunks(size).map(<[Key]>::to_vec);
            pieces.extend(keys.map(|keys| ReapPiece::Rows { table, keys }));
        }
        pieces.push(ReapPiece::Rest);
        for piece in pieces {
            interrupt(rig);
            // What was done and not answered before a crash is asked for again.
            for n in 0..2 {
                let piece = piece.clone();
                let is_again = n == 1 && piece == ReapPiece::Rest;
                let answer = rig.run(Reap { channel, piece });
                assert_eq!(answer.is_err(), is_again, "{answer:?}");
                assert!(rig.writes.len() <= size.max(ended.channels.len() + 1) * 3);
            }
        }
    }
}

use rookery_protocol::document::Part;

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_left_of_what_ended_and_all_of_the_rest(
        messages in proptest::collection::vec(0..3usize, 0..12),
        dropped in any::<bool>(),
        ends in any::<bool>(),
        size in 1..5usize,
        crashes in proptest::collection::vec(any::<bool>(), 64),
    ) {
        let mut rig = community();
        let others = rows_around(OTHER, OTHER_CHANNEL, MessageId(1));
        rig.rewrite(others);
        let foreign = MessageRow { channel: OTHER_CHANNEL, id: MessageId(1), ..rig.post(ADA, "x") };
        rig.rewrite(vec![store::put::<Messages>(Key::new(OTHER_CHANNEL, foreign.id), &foreign)]);
        let mut stays: BTreeMap<_, _> = everything(&rig)
            .into_iter()
            .filter(|((_, key), _)| [key.partition.clone(), key.sort.clone()].iter().any(|part| {
                [Part::from(OTHER), Part::from(OTHER_CHANNEL), Part::from("c1"), Part::from(1)].contains(part)
            }) && key.partition != Part::from(GROUP) && key.sort != Part::from(GROUP))
            .collect();
        let channels: Vec<ChannelId> = rig.live().document.channels.iter().map(|c| c.id).collect();
        for n in messages {
            // A message in a channel that holds some, with everything that can be around it.
            let channel = [rig.text(), rig.text(), rig.channel(ChannelKind::Voice)][n];
            let row = rig.run(message(ADA, channel, "hello")).unwrap().message;
            rig.rewrite(rows_around(GROUP, channel, row.id));
        }
        let text = rig.text();
        if dropped {
            rig.run(DeleteChannel { by: OWNER, channel: text, reason: None }).unwrap();
        }
        if ends {
            rig.run(DeleteGroup { by: OWNER }).unwrap();
        } else {
            let of_text = |key: &Key| key.partition == Part::from(text) || key.sort == Part::from(text);
            let mut all = everything(&rig);
            let messages: Vec<Part> = all
                .keys()
                .filter(|(table, key)| *table == TableId::Messages && of_text(key))
                .map(|(_, key)| key.sort.clone())
                .collect();
            all.retain(|(table, key), _| {
                !(dropped && (of_text(key) || (*table == TableId::Reactions && messages.contains(&key.partition))))
            });
            stays.append(&mut all);
        }
        let mut crashes = crashes.into_iter().cycle();
        reap_all(&mut rig, size, |rig| {
            if crashes.next().unwrap() {
                rig.crash();
            }
        });
        prop_assert_eq!(everything(&rig), stays);
        prop_assert!(rig.core.ended.is_empty());
        rig.crash();
        prop_assert_eq!(rig.core.live.is_some(), !ends);
        prop_assert!(!ends || channels.iter().all(|&c| !rig.rows(TableId::Channels).contains_key(&Key::single(c))));
    }
}

#[test]
fn what_did_not_end_is_not_touched() {
    let mut rig = community();
    let text = rig.text();
    let row = rig.post(ADA, "hello");
    let piece = |table, key| ReapPiece::Rows {
        table,
        keys: vec![key],
    };
    let message = piece(TableId::Messages, Key::new(text, row.id));
    let unknown = ErrorCode::UnknownGuild;
    for channel in [Some(text), Some(ChannelId(9))] {
        for piece in [message.clone(), ReapPiece::Rest] {
            assert_eq!(code(rig.run(Reap { channel, piece })), unknown);
        }
    }
    for piece in [message.clone(), ReapPiece::Rest] {
        let channel = None;
        assert_eq!(code(rig.run(Reap { channel, piece })), ErrorCode::Internal);
    }
    // A voice channel ended, its neighbours did not.
    let voice = rig.channel(ChannelKind::Voice);
    rig.run(DeleteChannel {
        by: OWNER,
        channel: voice,
        reason: None,
    })
    .unwrap();
    let before = everything(&rig);
    for piece in [
        message,
        piece(TableId::Members, Key::new(GROUP, BEN)),
        piece(TableId::Invites, Key::new(GROUP, "open")),
        piece(TableId::Users, Key::single(BEN)),
        piece(TableId::Groups, Key::single(GROUP)),
        piece(TableId::Messages, Key::new(OTHER_CHANNEL, MessageId(1))),
    ] {
        let channel = Some(voice);
        rig.run(Reap { channel, piece }).unwrap();
        assert!(rig.writes.is_empty());
    }
    assert_eq!(everything(&rig), before);
}

#[test]
fn old_entries_and_dead_invites_go_from_a_living_group() {
    let mut rig = community();
    let text = rig.text();
    let at = |ms: u64| snowflake::floor(Millis(ms));
    rig.now = START.plus(limits::AUDIT_MS);
    let (old, young) = (at(START.0 - 1), at(START.0 + 60_001));
    let put = |id| store::put::<AuditLog>(Key::new(GROUP, id), &entry(id));
    let other = store::put::<AuditLog>(Key::new(OTHER, old), &entry(old));
    rig.rewrite(vec![put(old), put(young), other]);
    let brief = CreateInvite {
        max_age: 60,
        ..invite(ADA, text, "brief")
    };
    rig.run(brief).unwrap();
    rig.now = rig.now.plus(60_000);
    rig.take_events();
    let expired = Reap {
        channel: None,
        piece: ReapPiece::Expired,
    };
    rig.run(expired.clone()).unwrap();
    let left: Vec<Key> = rig.rows(TableId::AuditLog).into_keys().collect();
    // Those of the invites stay as well.
    assert!(left.contains(&Key::new(GROUP, young)));
    assert!(left.contains(&Key::new(OTHER, old)));
    assert!(!left.contains(&Key::new(GROUP, old)));
    let codes: Vec<Key> = rig.rows(TableId::InviteCodes).into_keys().collect();
    assert_eq!(codes, [Key::single("open")]);
    assert_eq!(
        rig.take_names(),
        [rookery_protocol::event::EventName::InviteDelete]
    );
    let gone = DeleteInvite {
        by: OWNER,
        code: "brief".to_owned(),
        reason: None,
    };
    assert_eq!(code(rig.run(gone)), ErrorCode::UnknownInvite);
    rig.run(DeleteGroup { by: OWNER }).unwrap();
    assert_eq!(code(rig.run(expired)), ErrorCode::UnknownGuild);
}
