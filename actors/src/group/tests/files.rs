//! Files of messages: who may attach, which row says whose a file is, and when a file is nobody's any more.

use rookery_protocol::command::group::{DeleteMessage, EditMessage, Surroundings};
use rookery_protocol::document::{Attachment, Attachments, TableId, decode};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::{AttachmentId, MessageId};

use super::*;
use crate::testkit::code;

fn file(id: u64) -> Attachment {
    Attachment {
        id: AttachmentId(id),
        filename: format!("{id}.png"),
        description: None,
        size: 9,
        content_type: "image/png".to_owned(),
        width: Some(1),
        height: Some(1),
    }
}

fn with_files(rig: &Rig<Group>, files: &[u64]) -> PostMessage {
    PostMessage {
        attachments: files.iter().copied().map(file).collect(),
        ..message(ADA, rig.text(), "")
    }
}

fn edit(row: &MessageRow, keep: Option<&[u64]>, added: &[u64]) -> EditMessage {
    EditMessage {
        by: profile(ADA),
        channel: row.channel,
        message: row.id,
        content: None,
        mentions: Mentioned::default(),
        around: Surroundings::default(),
        flags: None,
        embeds: None,
        keep: keep.map(|ids| ids.iter().copied().map(AttachmentId).collect()),
        attachments: added.iter().copied().map(file).collect(),
    }
}

/// Whose each file is.
fn owners(rig: &Rig<Group>) -> Vec<(Key, MessageId)> {
    let rows = rig.rows(TableId::Attachments).into_iter();
    rows.map(|(key, row)| (key, decode::<Attachments>(&row).unwrap().message))
        .collect()
}

#[test]
fn a_message_claims_its_files_and_lets_go_of_them_when_it_is_deleted() {
    let mut rig = community();
    let row = rig.run(with_files(&rig, &[7, 8])).unwrap().message;
    let text = rig.text();
    let owned = |id| (Key::new(text, AttachmentId(id)), row.id);
    assert_eq!(owners(&rig), [owned(7), owned(8)]);
    let changed = rig.run(edit(&row, Some(&[8]), &[9])).unwrap();
    let ids: Vec<u64> = changed.attachments.iter().map(|file| file.id.0).collect();
    assert_eq!(ids, [8, 9]);
    assert_eq!(owners(&rig), [owned(8), owned(9)]);
    let request = DeleteMessage {
        by: ADA,
        channel: text,
        message: row.id,
        reason: None,
    };
    let garbage = rig.run(request).unwrap();
    assert_eq!(garbage, [AttachmentId(8), AttachmentId(9)]);
    assert!(owners(&rig).is_empty());
}

#[test]
fn files_need_leave_and_room_and_a_message_does_not_become_empty() {
    let mut rig = community();
    let row = rig.run(with_files(&rig, &[7])).unwrap().message;
    let many: Vec<u64> = (10..20).collect();
    for (request, refusal) in [
        (edit(&row, None, &many), ErrorCode::MaximumAttachments),
        (edit(&row, Some(&[]), &[]), ErrorCode::EmptyMessage),
        (edit(&row, Some(&[3]), &[]), ErrorCode::InvalidFormBody),
    ] {
        assert_eq!(code(rig.run(request)), refusal);
    }
    assert!(rig.run(edit(&row, Some(&[]), &many)).is_ok());
    rig.everyone(Permissions(
        Permissions::DEFAULT.0 & !Permissions::ATTACH_FILES.0,
    ));
    let before = owners(&rig);
    let missing = ErrorCode::MissingPermissions;
    assert_eq!(code(rig.run(with_files(&rig, &[30]))), missing);
    assert_eq!(code(rig.run(edit(&row, Some(&[]), &[30]))), missing);
    assert!(rig.run(edit(&row, Some(&[10]), &[])).is_ok());
    assert_eq!(owners(&rig).len(), 1);
    assert!(before.iter().any(|owned| *owned == owners(&rig)[0]));
}
