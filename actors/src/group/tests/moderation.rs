//! Bans: who may, what they do, and what is left of them in the store.

use rookery_protocol::command::group::{AddBot, Authorize, Ban, EndPurge, RemoveMember, Unban};
use rookery_protocol::document::{AuditAction, AuditLog, Bans, Purges, Table, TableId, decode};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::{Audience, EventName};
use rookery_protocol::ids::UserId;
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;
use rookery_protocol::snowflake;
use rookery_protocol::time::Millis;

use super::*;
use crate::testkit::code;

fn ban(by: UserId, user: UserId) -> Ban {
    Ban {
        by,
        user: profile(user),
        reason: Some("spam".to_owned()),
        delete_seconds: 0,
    }
}

fn unban(by: UserId, user: UserId) -> Unban {
    Unban {
        by,
        user: profile(user),
        reason: None,
    }
}

fn rows<T: Table>(rig: &Rig<Group>) -> Vec<T::Row> {
    let rows = rig.rows(T::ID).into_values();
    rows.map(|row| decode::<T>(&row).unwrap()).collect()
}

#[test]
fn a_ban_takes_the_permission_and_a_higher_role() {
    let mut rig = community();
    let ten = UserId(10);
    rig.run(accept(ten, "open")).unwrap();
    rig.give(ADA, 71, 5, Permissions::BAN_MEMBERS);
    rig.give(ten, 72, 5, Permissions::NONE);
    rig.take_events();
    for (by, user) in [
        (BEN, OUTSIDER),
        (BEN, ADA),
        (ADA, ADA),
        (ADA, OWNER),
        (ADA, ten),
        (OWNER, OWNER),
    ] {
        let refused = rig.run(ban(by, user));
        // Of roles at one height the older one is higher.
        if (by, user) == (ADA, ten) {
            refused.unwrap();
            rig.take_events();
            continue;
        }
        assert_eq!(code(refused), ErrorCode::MissingPermissions, "{by} {user}");
        assert!(rig.writes.is_empty() && rig.events.is_empty());
    }
    assert_eq!(code(rig.run(ban(OUTSIDER, ADA))), ErrorCode::MissingAccess);
    assert_eq!(
        code(rig.run(unban(BEN, ten))),
        ErrorCode::MissingPermissions
    );
}

#[test]
fn the_banned_leaves_and_cannot_come_back_until_the_ban_ends() {
    let mut rig = community();
    rig.run(ban(OWNER, BEN)).unwrap();
    let shown = [
        EventName::GuildDelete,
        EventName::GuildMemberRemove,
        EventName::GuildBanAdd,
        EventName::GuildAuditLogEntryCreate,
    ];
    let readers = Audience::Holders {
        permissions: Permissions::BAN_MEMBERS | Permissions::VIEW_AUDIT_LOG,
        channel: None,
    };
    assert_eq!(rig.events[2].audience, readers);
    assert_eq!(rig.take_names(), shown);
    let kept = rows::<Bans>(&rig);
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].user, kept[0].by), (BEN, OWNER));
    assert_eq!(kept[0].reason.as_deref(), Some("spam"));

    for crash in [false, true] {
        if crash {
            rig.crash();
        }
        let refused = rig.run(accept(BEN, "open"));
        assert_eq!(code(refused), ErrorCode::BannedFromGuild);
    }
    let other = Ban {
        reason: Some("another reason".to_owned()),
        ..ban(OWNER, BEN)
    };
    rig.run(other).unwrap();
    assert!(rig.writes.is_empty() && rig.events.is_empty(), "as it was");

    rig.run(unban(OWNER, BEN)).unwrap();
    let shown = [
        EventName::GuildBanRemove,
        EventName::GuildAuditLogEntryCreate,
    ];
    assert_eq!(rig.take_names(), shown);
    assert_eq!(code(rig.run(unban(OWNER, BEN))), ErrorCode::UnknownBan);
    assert!(rig.rows(TableId::Bans).is_empty());
    assert!(rig.run(accept(BEN, "open")).unwrap().new_member);
}

#[test]
fn strangers_and_bots_can_be_banned_too() {
    let mut rig = community();
    for user in [OUTSIDER, BOT] {
        rig.run(ban(OWNER, user)).unwrap();
        let shown = [EventName::GuildBanAdd, EventName::GuildAuditLogEntryCreate];
        assert_eq!(rig.take_names(), shown);
    }
    let refused = rig.run(AddBot {
        by: OWNER,
        bot: profile(BOT),
        permissions: Permissions::NONE,
    });
    assert_eq!(code(refused), ErrorCode::BannedFromGuild);
}

#[test]
fn bans_are_limited() {
    let mut rig = community();
    let live = rig.core.live.as_mut().unwrap();
    let many = limits::BANS_PER_GROUP as u64;
    live.banned = (1_000_000..1_000_000 + many).map(UserId).collect();
    let refused = rig.run(ban(OWNER, OUTSIDER));
    assert_eq!(code(refused), ErrorCode::MaximumBans);
    rig.run(ban(OWNER, UserId(1_000_000))).unwrap();
}

#[test]
fn what_is_to_be_purged_is_written_with_the_ban() {
    let mut rig = community();
    let before = rig.post(BEN, "buy");
    let request = Ban {
        delete_seconds: 60,
        ..ban(OWNER, BEN)
    };
    rig.run(request.clone()).unwrap();
    let after = rig.post(ADA, "phew");
    let purges = rows::<Purges>(&rig);
    assert_eq!(purges.len(), 1);
    let since = Millis(rig.now.0 - 60_000);
    assert_eq!(purges[0].above.0, snowflake::floor(since));
    assert!(before.id < purges[0].below && purges[0].below < after.id);
    assert_eq!((purges[0].user, purges[0].by), (BEN, OWNER));

    rig.now = rig.now.plus(1);
    rig.run(request).unwrap();
    assert_eq!(rows::<Purges>(&rig).len(), 2, "another purge");
    for purge in purges {
        let purge = purge.below;
        rig.run(EndPurge { purge }).unwrap();
    }
    assert_eq!(rows::<Purges>(&rig).len(), 1);
}

#[test]
fn the_audit_log_tells_who_did_what_to_whom_and_why() {
    let mut rig = community();
    let (user, reason) = (profile(ADA), Some("noise".to_owned()));
    rig.run(RemoveMember {
        by: OWNER,
        user,
        reason,
    })
    .unwrap();
    rig.run(ban(OWNER, BEN)).unwrap();
    rig.run(unban(OWNER, BEN)).unwrap();
    rig.run(RemoveMember {
        by: OWNER,
        user: profile(OUTSIDER),
        reason: None,
    })
    .unwrap_err();
    let told: Vec<_> = rows::<AuditLog>(&rig)
        .into_iter()
        .filter(|row| row.action != AuditAction::InviteCreate)
        .map(|row| (row.action, row.by, row.target, row.reason))
        .collect();
    let spam = |text: &str| Some(text.to_owned());
    assert_eq!(
        told,
        [
            (AuditAction::MemberKick, OWNER, Some(ADA.0), spam("noise")),
            (AuditAction::MemberBanAdd, OWNER, Some(BEN.0), spam("spam")),
            (AuditAction::MemberBanRemove, OWNER, Some(BEN.0), None),
        ]
    );
}

#[test]
fn leave_is_of_the_group_or_of_a_channel() {
    let mut rig = community();
    let text = rig.text();
    let ask = |by, permissions, channel| Authorize {
        by,
        permissions,
        channel,
    };
    rig.run(ask(OWNER, Permissions::VIEW_AUDIT_LOG, None))
        .unwrap();
    rig.run(ask(BEN, Permissions::SEND_MESSAGES, Some(text)))
        .unwrap();
    let missing = ErrorCode::MissingPermissions;
    for channel in [None, Some(text)] {
        let refused = rig.run(ask(BEN, Permissions::MANAGE_MESSAGES, channel));
        assert_eq!(code(refused), missing);
    }
    let nowhere = rig.run(ask(BEN, Permissions::NONE, Some(ChannelId(5))));
    assert_eq!(code(nowhere), ErrorCode::UnknownChannel);
    let stranger = rig.run(ask(OUTSIDER, Permissions::NONE, None));
    assert_eq!(code(stranger), ErrorCode::MissingAccess);
}
