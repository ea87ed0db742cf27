//! The group as a whole.

use rookery_protocol::command::Notice;
use rookery_protocol::command::group::*;
use rookery_protocol::document::{ChannelKind, TableId};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::{Act, Audience, EventName};
use rookery_protocol::limits;

use super::*;
use crate::testkit::code;

fn update(rig: &mut Rig<Group>, by: UserId, patch: GroupPatch) -> Answer<GroupView> {
    rig.run(UpdateGroup {
        reason: None,
        by,
        patch,
    })
}

#[test]
fn a_new_group_has_channels_a_role_and_its_owner() {
    let mut rig = founded();
    let view = rig.run(GetGroup { by: OWNER }).unwrap();
    assert_eq!((view.member_count, view.permissions), (1, Permissions::ALL));
    let kinds: Vec<_> = view
        .group
        .channels
        .iter()
        .map(|c| (c.kind, c.name.as_str()))
        .collect();
    assert_eq!(
        kinds,
        [
            (ChannelKind::Category, "Text Channels"),
            (ChannelKind::Category, "Voice Channels"),
            (ChannelKind::Text, "general"),
            (ChannelKind::Voice, "General"),
        ]
    );
    assert_eq!(
        view.group.channels[2].parent,
        Some(view.group.channels[0].id)
    );
    assert_eq!(view.group.system_channel, Some(rig.text()));
    assert_eq!(view.group.roles[0].id, GROUP.everyone());
    assert_eq!(rig.sent, [(OWNER.into(), Notice::Joined(GROUP))]);
    assert_eq!(rig.rows(TableId::Channels).len(), 4);
    assert!(rig.events.is_empty());
}

#[test]
fn a_group_is_made_once() {
    let mut rig = founded();
    let by = profile(ADA);
    let name = "Other".to_owned();
    let again = rig.run(CreateGroup {
        by,
        name,
        icon: None,
    });
    assert_eq!(code(again), ErrorCode::Internal);
    assert_eq!(rig.live().document.name, "Rooks");
}

#[test]
fn a_channel_id_that_another_group_took_makes_the_step_not_happen() {
    let mut first = founded();
    first.rewrite(vec![store::delete::<Groups>(Key::single(GROUP))]);
    // The same worker and time: the same ids.
    let mut rig = Rig::<Group>::on(GROUP, first.store);
    let create = CreateGroup {
        by: profile(ADA),
        name: "Twin".to_owned(),
        icon: None,
    };
    assert_eq!(code(rig.run(create.clone())), ErrorCode::Busy);
    assert!(rig.core.live.is_none());
    rig.now = rig.now.plus(1);
    rig.run(create).unwrap();
}

#[test]
fn settings_change_and_show() {
    let mut rig = community();
    let voice = rig.channel(ChannelKind::Voice);
    let patch = GroupPatch {
        icon: None,
        name: Some("Crows".to_owned()),
        description: Some(Some("caw".to_owned())),
        system_channel: Some(None),
        owner: Some(ADA),
    };
    let view = update(&mut rig, OWNER, patch.clone()).unwrap();
    assert_eq!(view.group.name, "Crows");
    assert_eq!(view.group.description.as_deref(), Some("caw"));
    assert_eq!((view.group.system_channel, view.group.owner), (None, ADA));
    assert_eq!(
        view.permissions,
        Permissions::DEFAULT,
        "he is no owner any more"
    );
    assert_eq!(
        rig.take_names(),
        [EventName::GuildUpdate, EventName::GuildAuditLogEntryCreate]
    );

    // The same again changes nothing, so nothing is written.
    update(&mut rig, ADA, patch).unwrap();
    assert!(rig.writes.is_empty() && rig.events.is_empty());

    let patch = GroupPatch {
        icon: None,
        system_channel: Some(Some(voice)),
        ..GroupPatch::default()
    };
    assert_eq!(
        code(update(&mut rig, ADA, patch)),
        ErrorCode::InvalidFormBody
    );
}

#[test]
fn only_the_owner_gives_the_group_away_and_only_to_a_member() {
    let mut rig = community();
    rig.give(BEN, 77, 5, Permissions::ADMINISTRATOR);
    let patch = |owner| GroupPatch {
        owner: Some(owner),
        ..GroupPatch::default()
    };
    assert_eq!(
        code(update(&mut rig, BEN, patch(BEN))),
        ErrorCode::MissingPermissions
    );
    assert_eq!(
        code(update(&mut rig, OWNER, patch(OUTSIDER))),
        ErrorCode::UnknownMember
    );
    update(&mut rig, OWNER, patch(BEN)).unwrap();
}

#[test]
fn a_deleted_group_is_unknown_for_ever_and_ends_in_a_small_commit() {
    let mut rig = community();
    rig.post(ADA, "hello");
    rig.give(BEN, 77, 5, Permissions::ADMINISTRATOR);
    assert_eq!(
        code(rig.run(DeleteGroup { by: BEN })),
        ErrorCode::MissingPermissions
    );
    assert_eq!(
        code(rig.run(DeleteGroup { by: OUTSIDER })),
        ErrorCode::MissingAccess
    );
    rig.take_events();
    rig.run(DeleteGroup { by: OWNER }).unwrap();
    // The snapshot, purges that were still to be done, and a row that says so.
    assert_eq!(rig.writes.len(), 3);
    let [event] = rig.events.as_slice() else {
        panic!("one event");
    };
    assert_eq!(event.audience, Audience::Everyone);
    assert!(matches!(&event.act, Act::Farewell(last) if last.name == EventName::GuildDelete));
    assert!(rig.rows(TableId::Groups).is_empty());
    for _ in 0..2 {
        assert_eq!(
            code(rig.run(GetGroup { by: OWNER })),
            ErrorCode::UnknownGuild
        );
        assert_eq!(
            code(rig.run(accept(OUTSIDER, "open"))),
            ErrorCode::UnknownInvite
        );
        rig.crash();
    }
}

#[test]
fn a_subscriber_gets_the_group_as_of_a_number() {
    let mut rig = community();
    let last = rig.post(ADA, "hello").id;
    let picture = rig.run(Subscribe { by: BEN }).unwrap();
    assert_eq!(picture.gseq, rig.gseq);
    assert_eq!(picture.me.user, BEN);
    let users: Vec<_> = picture.members.iter().map(|row| row.user).collect();
    assert_eq!(users, [OWNER, ADA, BEN]);
    assert_eq!(picture.last_messages, [(rig.text(), last)]);
    assert_eq!(picture.view.member_count, 3);
}

#[test]
fn of_a_large_group_a_subscriber_gets_himself() {
    let mut rig = community();
    for user in 3..limits::LARGE_GROUP_MEMBERS as u64 {
        rig.run(accept(UserId(100 + user), "open")).unwrap();
    }
    let members = |rig: &mut Rig<Group>| rig.run(Subscribe { by: BEN }).unwrap().members.len();
    assert_eq!(members(&mut rig), limits::LARGE_GROUP_MEMBERS);
    rig.run(accept(OUTSIDER, "open")).unwrap();
    assert_eq!(members(&mut rig), 1);
}
