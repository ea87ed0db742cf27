//! Members.

use rookery_protocol::command::Notice;
use rookery_protocol::command::group::*;
use rookery_protocol::document::TableId;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::{Act, Audience, EventName};
use rookery_protocol::limits;
use rookery_protocol::time::Millis;

use super::*;
use crate::testkit::code;

fn remove(rig: &mut Rig<Group>, by: UserId, user: UserId) -> Answer<()> {
    let user = profile(user);
    rig.run(RemoveMember {
        reason: None,
        by,
        user,
    })
}

fn add_bot(rig: &mut Rig<Group>, by: UserId, permissions: Permissions) -> Answer<()> {
    let bot = profile(BOT);
    rig.run(AddBot {
        by,
        bot,
        permissions,
    })
}

#[test]
fn who_leaves_hears_so_and_nothing_more() {
    let mut rig = community();
    remove(&mut rig, ADA, ADA).unwrap();
    let events = rig.take_events();
    assert_eq!(events[0].audience, Audience::User(ADA));
    assert!(matches!(&events[0].act, Act::Farewell(last) if last.name == EventName::GuildDelete));
    assert_eq!(events[1].audience, Audience::Everyone);
    assert!(matches!(&events[1].act, Act::Dispatch(d) if d.name == EventName::GuildMemberRemove));
    assert_eq!(rig.rows(TableId::Members).len(), 2);
    assert!(
        !rig.rows(TableId::Memberships)
            .contains_key(&Key::new(ADA, GROUP))
    );
    assert_eq!(code(remove(&mut rig, ADA, ADA)), ErrorCode::UnknownGuild);
    assert_eq!(
        code(rig.run(GetGroup { by: ADA })),
        ErrorCode::MissingAccess
    );
}

#[test]
fn the_owner_stays() {
    let mut rig = community();
    rig.give(BEN, 77, 5, Permissions::ADMINISTRATOR);
    assert_eq!(
        code(remove(&mut rig, OWNER, OWNER)),
        ErrorCode::CannotRemoveOwner
    );
    assert_eq!(
        code(remove(&mut rig, BEN, OWNER)),
        ErrorCode::CannotRemoveOwner
    );
    assert_eq!(
        code(remove(&mut rig, ADA, OWNER)),
        ErrorCode::MissingPermissions
    );
}

#[test]
fn kicking_takes_a_higher_role() {
    let mut rig = community();
    rig.run(accept(UserId(10), "open")).unwrap();
    rig.give(ADA, 71, 5, Permissions::KICK_MEMBERS);
    rig.give(BEN, 72, 5, Permissions::KICK_MEMBERS);
    rig.give(UserId(10), 73, 4, Permissions::ADMINISTRATOR);
    assert_eq!(
        code(remove(&mut rig, BEN, ADA)),
        ErrorCode::MissingPermissions,
        "the older role is higher"
    );
    assert_eq!(
        code(remove(&mut rig, UserId(10), BEN)),
        ErrorCode::MissingPermissions
    );
    assert_eq!(
        code(remove(&mut rig, ADA, OUTSIDER)),
        ErrorCode::UnknownMember
    );
    remove(&mut rig, ADA, BEN).unwrap();
    remove(&mut rig, ADA, UserId(10)).unwrap();
    remove(&mut rig, OWNER, ADA).unwrap();
}

#[test]
fn a_bot_gets_a_role_that_goes_with_it() {
    let mut rig = community();
    rig.give(BEN, 77, 5, Permissions::MANAGE_GUILD);
    rig.take_events();
    let wanted = Permissions::BAN_MEMBERS | Permissions::SEND_MESSAGES;
    add_bot(&mut rig, BEN, wanted).unwrap();
    assert_eq!(
        rig.take_names(),
        [
            EventName::GuildRoleCreate,
            EventName::GuildMemberAdd,
            EventName::MessageCreate,
            EventName::GuildAuditLogEntryCreate
        ]
    );
    assert_eq!(rig.sent, [(BOT.into(), Notice::Joined(GROUP))]);
    let member = rig.run(GetMember { by: BEN, user: BOT }).unwrap();
    let role = rig.live().document.roles.last().unwrap().clone();
    assert_eq!(member.roles, [role.id]);
    assert_eq!(
        (role.bot, role.permissions),
        (Some(BOT), Permissions::SEND_MESSAGES)
    );

    add_bot(&mut rig, OWNER, Permissions::ALL).unwrap();
    assert!(rig.writes.is_empty(), "it is there already");

    remove(&mut rig, OWNER, BOT).unwrap();
    assert_eq!(
        rig.take_names(),
        [
            EventName::GuildDelete,
            EventName::GuildMemberRemove,
            EventName::GuildRoleDelete,
            EventName::GuildAuditLogEntryCreate
        ]
    );
    assert!(
        rig.live()
            .document
            .roles
            .iter()
            .all(|role| role.bot.is_none())
    );

    add_bot(&mut rig, OWNER, Permissions::NONE).unwrap();
    assert_eq!(
        rig.take_names(),
        [
            EventName::GuildMemberAdd,
            EventName::MessageCreate,
            EventName::GuildAuditLogEntryCreate
        ]
    );
}

#[test]
fn people_are_not_added_as_bots_and_roles_are_limited() {
    let mut rig = community();
    let (by, bot, permissions) = (OWNER, profile(OUTSIDER), Permissions::NONE);
    let person = rig.run(AddBot {
        by,
        bot,
        permissions,
    });
    assert_eq!(code(person), ErrorCode::UnknownApplication);
    rig.edit(|document| {
        let role = document.roles[0].clone();
        document.roles.resize(limits::ROLES_PER_GROUP, role);
    });
    let full = add_bot(&mut rig, OWNER, Permissions::SEND_MESSAGES);
    assert_eq!(code(full), ErrorCode::MaximumRoles);
    assert!(rig.writes.is_empty() && rig.events.is_empty());
    add_bot(&mut rig, OWNER, Permissions::NONE).unwrap();
}

#[test]
fn everyone_among_the_roles_of_a_member_is_passed_over() {
    let mut rig = community();
    rig.give(BEN, 70, 1, Permissions::NONE);
    rig.give(BEN, 71, 2, Permissions::NONE);
    let (everyone, low, high) = (GROUP.everyone(), RoleId(70), RoleId(71));
    for (wanted, kept) in [
        (vec![everyone, high, low], vec![low, high]),
        (vec![low, everyone], vec![low]),
        (vec![everyone], vec![]),
    ] {
        let patch = MemberPatch {
            roles: Some(wanted),
            ..MemberPatch::default()
        };
        let update = UpdateMember {
            by: OWNER,
            user: profile(ADA),
            patch,
            reason: None,
        };
        assert_eq!(rig.run(update).unwrap().roles, kept);
    }
    for held in [true, false] {
        let alone = SetMemberRole {
            by: OWNER,
            user: profile(ADA),
            role: everyone,
            held,
            reason: None,
        };
        assert_eq!(code(rig.run(alone)), ErrorCode::InvalidRole);
    }
}

#[test]
fn members_are_listed_by_id_in_pages() {
    let mut rig = community();
    let mut page = |after, limit| {
        let rows = rig
            .run(ListMembers {
                by: ADA,
                after,
                limit,
            })
            .unwrap();
        rows.into_iter().map(|row| row.user).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 2), [OWNER, ADA]);
    assert_eq!(page(Some(ADA), 2), [BEN]);
    assert_eq!(page(Some(BEN), 2), []);
    assert_eq!(page(None, usize::MAX).len(), 3);
    let nobody = rig.run(GetMember {
        by: ADA,
        user: OUTSIDER,
    });
    assert_eq!(code(nobody), ErrorCode::UnknownMember);
}

#[test]
fn a_members_new_profile_is_shown_and_a_strangers_is_not() {
    let mut rig = community();
    let renamed = Profile {
        username: "countess".to_owned(),
        ..profile(ADA)
    };
    rig.notice(ADA, Notice::ProfileChanged(renamed));
    assert_eq!(rig.take_names(), [EventName::GuildMemberUpdate]);
    assert_eq!(rig.live().members[&ADA].username, "countess");
    rig.notice(OUTSIDER, Notice::ProfileChanged(profile(OUTSIDER)));
    assert!(rig.events.is_empty());
}

fn time_out(rig: &mut Rig<Group>, ms: u64) {
    let until = rig.now.plus(ms);
    rig.run(UpdateMember {
        by: OWNER,
        user: profile(ADA),
        patch: MemberPatch {
            timeout_until: Some(Some(until)),
            ..MemberPatch::default()
        },
        reason: None,
    })
    .unwrap();
}

fn timeout(rig: &mut Rig<Group>) -> Option<Millis> {
    let (by, user) = (OWNER, ADA);
    rig.run(GetMember { by, user }).unwrap().timeout_until
}

#[test]
fn a_time_out_holds_for_who_leaves_and_comes_back() {
    let mut rig = community();
    time_out(&mut rig, 60_000);
    let until = timeout(&mut rig);
    for _ in 0..2 {
        remove(&mut rig, ADA, ADA).unwrap();
        rig.run(accept(ADA, "open")).unwrap();
        assert_eq!(timeout(&mut rig), until);
    }
    remove(&mut rig, ADA, ADA).unwrap();
    rig.now = rig.now.plus(60_000);
    rig.run(accept(ADA, "open")).unwrap();
    assert_eq!(timeout(&mut rig), None, "it is over");
}
