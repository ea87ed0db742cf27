//! Invites.

use rookery_protocol::command::Notice;
use rookery_protocol::command::group::*;
use rookery_protocol::document::{ChannelKind, MessageKind, TableId};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::EventName;
use rookery_protocol::limits;

use super::*;
use crate::testkit::code;

fn limited(rig: &Rig<Group>, code: &str, max_age: u64, max_uses: u64) -> CreateInvite {
    CreateInvite {
        reason: None,
        max_age,
        max_uses,
        ..invite(OWNER, rig.text(), code)
    }
}

#[test]
fn who_takes_an_invite_becomes_a_member_and_is_announced() {
    let mut rig = community();
    let view = rig.run(accept(OUTSIDER, "open")).unwrap();
    assert!(view.new_member);
    assert_eq!((view.member_count, view.invite.uses), (4, 3));
    assert_eq!(
        rig.take_names(),
        [EventName::GuildMemberAdd, EventName::MessageCreate]
    );
    assert_eq!(rig.sent, [(OUTSIDER.into(), Notice::Joined(GROUP))]);
    let row = rig
        .live()
        .recent
        .iter()
        .filter_map(|(_, row)| row)
        .max_by_key(|row| row.id);
    assert_eq!(row.unwrap().kind, MessageKind::Join);
    assert!(
        rig.rows(TableId::Memberships)
            .contains_key(&Key::new(OUTSIDER, GROUP))
    );
}

#[test]
fn a_member_uses_nothing_up() {
    let mut rig = community();
    let view = rig.run(accept(ADA, "open")).unwrap();
    assert!(!view.new_member);
    assert_eq!((view.member_count, view.invite.uses), (3, 2));
    assert!(rig.writes.is_empty() && rig.events.is_empty() && rig.sent.is_empty());
}

#[test]
fn an_invite_is_used_up() {
    let mut rig = community();
    rig.run(limited(&rig, "two", 0, 2)).unwrap();
    rig.take_events();
    rig.run(accept(UserId(10), "two")).unwrap();
    rig.run(accept(UserId(10), "two")).unwrap();
    rig.take_events();
    assert_eq!(rig.run(accept(UserId(11), "two")).unwrap().invite.uses, 2);
    assert_eq!(
        rig.take_names(),
        [
            EventName::InviteDelete,
            EventName::GuildMemberAdd,
            EventName::MessageCreate
        ]
    );
    assert_eq!(
        code(rig.run(accept(UserId(12), "two"))),
        ErrorCode::UnknownInvite
    );
    assert!(
        !rig.rows(TableId::InviteCodes)
            .contains_key(&Key::single("two"))
    );
}

#[test]
fn an_expired_invite_is_gone_when_somebody_looks() {
    let mut rig = community();
    rig.run(limited(&rig, "hour", 3_600, 0)).unwrap();
    rig.run(limited(&rig, "also", 3_600, 0)).unwrap();
    rig.now = rig.now.plus(3_600_000 - 1);
    let get = || GetInvite {
        code: "hour".to_owned(),
    };
    assert_eq!(rig.run(get()).unwrap().member_count, 3);
    rig.now = rig.now.plus(1);
    assert_eq!(code(rig.run(get())), ErrorCode::UnknownInvite);
    assert!(
        !rig.rows(TableId::InviteCodes)
            .contains_key(&Key::single("hour"))
    );
    assert!(
        !rig.rows(TableId::Invites)
            .contains_key(&Key::new(GROUP, "hour"))
    );
    assert_eq!(
        code(rig.run(accept(OUTSIDER, "hour"))),
        ErrorCode::UnknownInvite
    );
    let by = OWNER;
    let channel = None;
    assert_eq!(rig.run(ListInvites { by, channel }).unwrap().len(), 1);
    assert_eq!(rig.rows(TableId::InviteCodes).len(), 1);
}

#[test]
fn an_invite_of_the_same_kind_is_used_again_when_asked() {
    let mut rig = community();
    let like = |code: &str| CreateInvite {
        reason: None,
        reuse: true,
        ..invite(OWNER, rig.text(), code)
    };
    let (first, second) = (like("a"), like("b"));
    assert_eq!(rig.run(first).unwrap().code, "open");
    let other = CreateInvite {
        reason: None,
        max_uses: 5,
        ..second
    };
    assert_eq!(rig.run(other).unwrap().code, "b");
    let anew = invite(OWNER, rig.text(), "c");
    assert_eq!(rig.run(anew).unwrap().code, "c");
    let same_code = invite(OWNER, rig.text(), "c");
    assert_eq!(code(rig.run(same_code)), ErrorCode::Busy);
    let nowhere = invite(OWNER, rig.channel(ChannelKind::Category), "d");
    assert_eq!(code(rig.run(nowhere)), ErrorCode::InvalidAction);
}

#[test]
fn invites_are_limited_and_expired_ones_make_room() {
    let mut rig = founded();
    for n in 1..limits::INVITES_PER_GROUP {
        rig.run(limited(&rig, &n.to_string(), 0, 0)).unwrap();
    }
    rig.run(limited(&rig, "short", 1, 0)).unwrap();
    assert_eq!(
        code(rig.run(limited(&rig, "more", 0, 0))),
        ErrorCode::MaximumInvites
    );
    rig.now = rig.now.plus(1_000);
    rig.run(limited(&rig, "more", 0, 0)).unwrap();
    assert_eq!(rig.rows(TableId::Invites).len(), limits::INVITES_PER_GROUP);
}

#[test]
fn an_invite_is_revoked_by_its_maker() {
    let mut rig = community();
    rig.run(invite(ADA, rig.text(), "mine")).unwrap();
    rig.take_events();
    let delete = |by| DeleteInvite {
        reason: None,
        by,
        code: "mine".to_owned(),
    };
    assert_eq!(code(rig.run(delete(BEN))), ErrorCode::MissingPermissions);
    assert_eq!(rig.run(delete(ADA)).unwrap().invite.inviter, ADA);
    let shown = [EventName::InviteDelete, EventName::GuildAuditLogEntryCreate];
    assert_eq!(rig.take_names(), shown);
    assert_eq!(code(rig.run(delete(ADA))), ErrorCode::UnknownInvite);
}
