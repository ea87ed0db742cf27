//! Pins, and deleting several messages at once.

use std::collections::BTreeSet;

use rookery_protocol::command::group::*;
use rookery_protocol::document::{
    AuditAction, AuditLog, ChannelKind, MessageKind, Pins, TableId, decode,
};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::EventName;
use rookery_protocol::ids::MessageId;
use rookery_protocol::limits;

use super::load::assert_rebuilt;
use super::messages::{delete, edit, stored};
use super::reactions::add;
use super::*;
use crate::testkit::{code, readable};

pub(super) fn pin(by: UserId, row: &MessageRow, pinned: bool) -> SetPinned {
    SetPinned {
        by: profile(by),
        channel: row.channel,
        message: row.id,
        pinned,
        around: Surroundings {
            people: vec![profile(row.author)],
            answered: None,
        },
        reason: Some("because".to_owned()),
    }
}

pub(super) fn bulk(by: UserId, channel: ChannelId, messages: Vec<MessageId>) -> BulkDelete {
    BulkDelete {
        by,
        channel,
        messages,
        reason: None,
        purge: false,
    }
}

fn audited(rig: &Rig<Group>) -> Vec<AuditAction> {
    let rows = rig.rows(TableId::AuditLog);
    let rows = rows
        .values()
        .map(|bytes| decode::<AuditLog>(bytes).unwrap());
    // The community began with an invite.
    let actions = rows.map(|row| row.action);
    actions
        .filter(|&action| action != AuditAction::InviteCreate)
        .collect()
}

#[test]
fn a_pin_is_a_row_a_mark_a_message_and_its_events() {
    let mut rig = community();
    let row = rig.post(ADA, "a");
    rig.take_events();
    rig.run(pin(OWNER, &row, true)).unwrap();
    let events: Vec<_> = rig.take_events().iter().map(readable).collect();
    insta::assert_json_snapshot!("pin", events);
    assert!(stored(&rig, &row).unwrap().pinned);
    let newest = rig.live().last_messages[&row.channel];
    let told = rig.live().message(row.channel, newest).unwrap().clone();
    assert_eq!(
        (told.kind, told.author, told.reply_to),
        (MessageKind::PinAdd, OWNER, Some(row.id))
    );
    assert_rebuilt(&rig);
    rig.run(pin(OWNER, &row, true)).unwrap();
    assert!(rig.take_events().is_empty() && rig.writes.is_empty());
    let refused = rig.run(pin(OWNER, &told, true));
    assert_eq!(code(refused), ErrorCode::SystemMessage);
    rig.crash();
    rig.run(pin(OWNER, &row, false)).unwrap();
    assert_eq!(
        rig.take_names(),
        [
            EventName::ChannelPinsUpdate,
            EventName::MessageUpdate,
            EventName::GuildAuditLogEntryCreate
        ]
    );
    assert!(!stored(&rig, &row).unwrap().pinned);
    assert_eq!(
        audited(&rig),
        [AuditAction::MessagePin, AuditAction::MessageUnpin]
    );
    assert_rebuilt(&rig);
}

#[test]
fn a_channel_has_so_many_pins_and_a_deleted_message_frees_one() {
    let mut rig = community();
    let rows: Vec<_> = (0..=limits::PINS_PER_CHANNEL)
        .map(|n| rig.post(ADA, &n.to_string()))
        .collect();
    for row in &rows[1..] {
        rig.run(pin(OWNER, row, true)).unwrap();
    }
    // All in one millisecond, and each at a time of its own: pages of pins end at times.
    let pins = rig.rows(TableId::Pins);
    let times: BTreeSet<_> = pins
        .values()
        .map(|bytes| decode::<Pins>(bytes).unwrap().at)
        .collect();
    assert_eq!(times.len(), limits::PINS_PER_CHANNEL);
    for crash in [false, true] {
        if crash {
            rig.crash();
        }
        let refused = rig.run(pin(OWNER, &rows[0], true));
        assert_eq!(code(refused), ErrorCode::MaximumPins);
    }
    rig.run(edit(ADA, &rows[7], "still pinned")).unwrap();
    rig.run(delete(ADA, &rows[7])).unwrap();
    assert_rebuilt(&rig);
    rig.run(pin(OWNER, &rows[0], true)).unwrap();
    assert_eq!(rig.rows(TableId::Pins).len(), limits::PINS_PER_CHANNEL);
}

#[test]
fn either_permission_pins() {
    let mut rig = community();
    let row = rig.post(ADA, "a");
    assert_eq!(
        code(rig.run(pin(ADA, &row, true))),
        ErrorCode::MissingPermissions
    );
    for held in [Permissions::PIN_MESSAGES, Permissions::MANAGE_MESSAGES] {
        rig.everyone(Permissions::DEFAULT | held);
        rig.run(pin(ADA, &row, true)).unwrap();
        rig.run(pin(ADA, &row, false)).unwrap();
    }
    let gone = MessageRow {
        id: MessageId(1),
        ..row
    };
    assert_eq!(
        code(rig.run(pin(ADA, &gone, true))),
        ErrorCode::UnknownMessage
    );
}

#[test]
fn several_messages_go_in_one_event_with_all_that_hangs_on_them() {
    for crash in [false, true] {
        let mut rig = community();
        let text = rig.text();
        let rows: Vec<_> = (0..100).map(|n| rig.post(ADA, &n.to_string())).collect();
        rig.run(add(BEN, &rows[3], "\u{1f44d}")).unwrap();
        rig.run(pin(OWNER, &rows[4], true)).unwrap();
        rig.run(delete(ADA, &rows[5])).unwrap();
        if crash {
            rig.crash();
        }
        rig.take_events();
        // Named twice it is still one.
        let mut ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        ids.push(rows[9].id);
        rig.run(bulk(OWNER, text, ids)).unwrap();
        let events = rig.take_events();
        let body = &readable(&events[0])["d"];
        assert_eq!(body["ids"].as_array().unwrap().len(), 99);
        assert_eq!(body["channel_id"], text.to_string());
        assert_eq!(events.len(), 2, "and the audit log's");
        assert_eq!(audited(&rig).last(), Some(&AuditAction::MessageBulkDelete));
        assert!(rig.rows(TableId::Reactions).is_empty() && rig.rows(TableId::Pins).is_empty());
        assert_eq!(stored(&rig, &rows[99]), None);
        assert_rebuilt(&rig);
        assert!(!crate::entity::Core::is_in_use(&rig.core));
    }
}

#[test]
fn what_cannot_be_deleted_at_once_is_refused_and_reads_nothing() {
    let mut rig = community();
    let text = rig.text();
    let a = rig.post(ADA, "a").id;
    let b = rig.post(ADA, "b").id;
    rig.crash();
    let many = (0..101).map(|n| MessageId(b.0 + n)).collect();
    let category = rig.channel(ChannelKind::Category);
    let table = [
        (bulk(ADA, text, vec![a, b]), ErrorCode::MissingPermissions),
        (bulk(OWNER, text, vec![]), ErrorCode::BulkDeleteCount),
        (bulk(OWNER, text, vec![a, a]), ErrorCode::BulkDeleteCount),
        (bulk(OWNER, text, many), ErrorCode::BulkDeleteCount),
        (
            bulk(OWNER, text, vec![a, MessageId(5)]),
            ErrorCode::TooOldToBulkDelete,
        ),
        (bulk(OWNER, category, vec![a, b]), ErrorCode::NonTextChannel),
        (
            bulk(OWNER, ChannelId(5), vec![a, b]),
            ErrorCode::UnknownChannel,
        ),
        (bulk(OUTSIDER, text, vec![a, b]), ErrorCode::MissingAccess),
    ];
    for (request, refusal) in table {
        rig.ask(GroupCommand::BulkDelete(request));
        assert!(rig.fetches.is_empty());
        let (_, answer) = rig.answers.pop_back().unwrap();
        assert_eq!(code(answer), refusal);
    }
    rig.now = rig.now.plus(limits::BULK_DELETE_MS + 1_000);
    let refused = rig.run(bulk(OWNER, text, vec![a, b]));
    assert_eq!(code(refused), ErrorCode::TooOldToBulkDelete);
}

#[test]
fn a_ban_deletes_whatever_its_age_and_without_an_entry_of_its_own() {
    let mut rig = community();
    let text = rig.text();
    let a = rig.post(ADA, "a");
    rig.now = rig.now.plus(limits::BULK_DELETE_MS * 2);
    rig.take_events();
    let purge = |by| BulkDelete {
        purge: true,
        ..bulk(by, text, vec![a.id])
    };
    rig.run(purge(BEN)).unwrap();
    assert_eq!(rig.take_names(), [EventName::MessageDeleteBulk]);
    assert_eq!(stored(&rig, &a), None);
    assert!(audited(&rig).is_empty());
    let (text, messages) = (ChannelId(5), vec![a.id]);
    let elsewhere = BulkDelete {
        purge: true,
        ..bulk(BEN, text, messages)
    };
    assert_eq!(code(rig.run(elsewhere)), ErrorCode::UnknownChannel);
}

#[test]
fn more_bulk_deletions_than_rows_are_kept_all_come_to_an_end() {
    let mut rig = community();
    let text = rig.text();
    let rows: Vec<_> = (0..200).map(|n| rig.post(ADA, &n.to_string()).id).collect();
    rig.crash();
    rig.answers.clear();
    for ids in rows.chunks(100) {
        rig.ask(GroupCommand::BulkDelete(bulk(OWNER, text, ids.to_vec())));
    }
    assert_eq!(rig.fetches.len(), 200);
    // There is no room for a third one.
    rig.ask(GroupCommand::BulkDelete(bulk(
        OWNER,
        text,
        rows[50..150].to_vec(),
    )));
    assert_eq!(code(rig.answers.pop_front().unwrap().1), ErrorCode::Busy);
    // One fails; nothing of it stays behind.
    rig.fail_fetch();
    assert_eq!(
        code(rig.answers.pop_front().unwrap().1),
        ErrorCode::Unavailable
    );
    while rig.deliver() {}
    assert_eq!(rig.answers.len(), 1);
    assert!(!crate::entity::Core::is_in_use(&rig.core));
    rig.run(bulk(OWNER, text, rows[..100].to_vec())).unwrap();
    assert_eq!(rig.rows(TableId::Messages).len(), 2, "those of who joined");
    assert_rebuilt(&rig);
}

#[test]
fn a_moderators_deletion_is_in_the_audit_log() {
    let mut rig = community();
    let (own, other) = (rig.post(OWNER, "a"), rig.post(ADA, "b"));
    rig.run(delete(OWNER, &own)).unwrap();
    assert!(audited(&rig).is_empty());
    rig.take_events();
    rig.run(delete(OWNER, &other)).unwrap();
    let events: Vec<_> = rig.take_events().iter().map(readable).collect();
    assert_eq!(events[1]["d"]["action_type"], 72);
    assert_eq!(events[1]["d"]["target_id"], ADA.to_string());
    assert_eq!(events[1]["d"]["options"]["count"], "1");
}
