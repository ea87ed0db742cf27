//! Who may do what: every command against an outsider, a member without the permission, and one with it.

use rookery_protocol::command::group::*;
use rookery_protocol::command::{Answer, Command};
use rookery_protocol::document::ChannelKind;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::{ChannelId, MessageId, UserId};
use rookery_protocol::permissions::Permissions;

use super::*;

/// A command by `by` that succeeds if he may do it. `message` is Ada's.
type Make = fn(by: UserId, rig: &Rig<Group>, message: MessageId) -> Command;

/// Every command that is for members, with what it takes; `None`: being one. DeleteGroup and the owner's rights are
/// tested apart.
const FOR_MEMBERS: &[(Option<Permissions>, Make)] = &[
    (None, |by, _, _| GetGroup { by }.into()),
    (None, |by, _, _| Subscribe { by }.into()),
    (None, |by, _, _| ListChannels { by }.into()),
    (None, |by, _, _| {
        let user = OWNER;
        GetMember { by, user }.into()
    }),
    (None, |by, _, _| {
        let (after, limit) = (None, 10);
        ListMembers { by, after, limit }.into()
    }),
    (Some(Permissions::MANAGE_GUILD), |by, _, _| {
        let patch = GroupPatch {
            name: Some("New".to_owned()),
            ..GroupPatch::default()
        };
        UpdateGroup {
            reason: None,
            by,
            patch,
        }
        .into()
    }),
    (Some(Permissions::MANAGE_CHANNELS), |by, _, _| {
        create_channel(by, ChannelKind::Text).into()
    }),
    (Some(Permissions::VIEW_CHANNEL), |by, rig, _| {
        let channel = rig.text();
        GetChannel { by, channel }.into()
    }),
    (Some(Permissions::MANAGE_CHANNELS), |by, rig, _| {
        let channel = rig.text();
        let patch = ChannelPatch {
            name: Some("new".to_owned()),
            ..ChannelPatch::default()
        };
        UpdateChannel {
            reason: None,
            by,
            channel,
            patch,
        }
        .into()
    }),
    (Some(Permissions::MANAGE_CHANNELS), |by, rig, _| {
        let channel = rig.channel(ChannelKind::Voice);
        DeleteChannel {
            reason: None,
            by,
            channel,
        }
        .into()
    }),
    (Some(Permissions::CREATE_INSTANT_INVITE), |by, rig, _| {
        invite(by, rig.text(), "new").into()
    }),
    (Some(Permissions::MANAGE_GUILD), |by, _, _| {
        let channel = None;
        ListInvites { by, channel }.into()
    }),
    (Some(Permissions::MANAGE_CHANNELS), |by, rig, _| {
        let channel = Some(rig.text());
        ListInvites { by, channel }.into()
    }),
    (Some(Permissions::MANAGE_GUILD), |by, _, _| {
        let code = "open".to_owned();
        DeleteInvite {
            reason: None,
            by,
            code,
        }
        .into()
    }),
    (Some(Permissions::MANAGE_CHANNELS), |by, _, _| {
        let code = "open".to_owned();
        DeleteInvite {
            reason: None,
            by,
            code,
        }
        .into()
    }),
    (Some(Permissions::MANAGE_GUILD), |by, _, _| {
        let bot = profile(BOT);
        let permissions = Permissions::NONE;
        AddBot {
            by,
            bot,
            permissions,
        }
        .into()
    }),
    (Some(Permissions::KICK_MEMBERS), |by, _, _| {
        let user = profile(ADA);
        RemoveMember {
            reason: None,
            by,
            user,
        }
        .into()
    }),
    (Some(Permissions::SEND_MESSAGES), |by, rig, _| {
        message(by, rig.text(), "hi").into()
    }),
    (Some(Permissions::MANAGE_MESSAGES), |by, rig, message| {
        let channel = rig.text();
        DeleteMessage {
            reason: None,
            by,
            channel,
            message,
        }
        .into()
    }),
    (Some(Permissions::READ_MESSAGE_HISTORY), |by, rig, _| {
        let channel = rig.text();
        ReadHistory { by, channel }.into()
    }),
    (Some(Permissions::SEND_MESSAGES), |by, rig, _| {
        let channel = rig.text();
        let by = profile(by);
        StartTyping { by, channel }.into()
    }),
];

fn create_channel(by: UserId, kind: ChannelKind) -> CreateChannel {
    let patch = ChannelPatch {
        name: Some("new".to_owned()),
        ..ChannelPatch::default()
    };
    CreateChannel {
        reason: None,
        by,
        kind,
        patch,
    }
}

/// Runs a command on a copy of the community in which Ben holds `held` in a role above Ada's.
fn attempt(by: UserId, everyone: Permissions, held: Permissions, make: Make) -> Answer<()> {
    let mut rig = community();
    let message = rig.post(ADA, "hello");
    rig.everyone(everyone);
    rig.give(BEN, 77, 5, held);
    let Command::Group(command) = make(by, &rig, message.id) else {
        panic!("a group's command");
    };
    rig.take_events();
    let answer = rig.call(command).map(|_| ());
    if answer.is_err() {
        assert!(rig.writes.is_empty(), "a refusal writes nothing");
        assert!(
            rig.events.is_empty() && rig.signals.is_empty(),
            "a refusal shows nothing"
        );
    }
    answer
}

#[test]
fn outsiders_are_refused_everything() {
    for (n, (_, make)) in FOR_MEMBERS.iter().enumerate() {
        let answer = attempt(OUTSIDER, Permissions::ALL, Permissions::ALL, *make);
        assert_eq!(answer, Err(ErrorCode::MissingAccess.into()), "row {n}");
    }
}

#[test]
fn a_command_takes_its_permission_and_no_other() {
    let view = Permissions::VIEW_CHANNEL;
    for (n, (needed, make)) in FOR_MEMBERS.iter().enumerate() {
        let needed = needed.unwrap_or(Permissions::NONE);
        assert_eq!(attempt(BEN, view, needed, *make), Ok(()), "row {n} with it");
        let admin = Permissions::ADMINISTRATOR;
        assert_eq!(
            attempt(BEN, Permissions::NONE, admin, *make),
            Ok(()),
            "row {n} as administrator"
        );
        if needed == Permissions::NONE || needed == view {
            continue;
        }
        let others = Permissions(Permissions::ALL.0 & !needed.0 & !Permissions::ADMINISTRATOR.0);
        // Two permissions lead to revoking an invite.
        let others = match make(BEN, &founded(), MessageId(1)) {
            Command::Group(GroupCommand::DeleteInvite(_)) => view,
            _ => others,
        };
        let refused = Err(ErrorCode::MissingPermissions.into());
        assert_eq!(
            attempt(BEN, view, others, *make),
            refused,
            "row {n} without it"
        );
    }
}

#[test]
fn who_does_not_see_a_channel_finds_nothing_there() {
    let mut rig = community();
    let text = rig.text();
    let mine = rig.post(ADA, "hello").id;
    rig.everyone(Permissions(
        Permissions::ALL.0 & !Permissions::VIEW_CHANNEL.0 & !Permissions::ADMINISTRATOR.0,
    ));
    let missing = |answer: Answer<()>| assert_eq!(answer, Err(ErrorCode::MissingAccess.into()));
    missing(
        rig.run(GetChannel {
            by: ADA,
            channel: text,
        })
        .map(|_| ()),
    );
    missing(rig.run(message(ADA, text, "hi")).map(|_| ()));
    missing(rig.run(ReadHistory {
        by: ADA,
        channel: text,
    }));
    let typing = rig.run(StartTyping {
        by: profile(ADA),
        channel: text,
    });
    missing(typing.map(|_| ()));
    missing(rig.run(invite(ADA, text, "new")).map(|_| ()));
    missing(
        rig.run(DeleteMessage {
            reason: None,
            by: ADA,
            channel: text,
            message: mine,
        })
        .map(|_| ()),
    );
    missing(
        rig.run(DeleteChannel {
            reason: None,
            by: ADA,
            channel: text,
        })
        .map(|_| ()),
    );
    let edit = EditMessage {
        around: Surroundings::default(),
        embeds: None,
        keep: None,
        attachments: Vec::new(),
        by: profile(ADA),
        channel: text,
        message: mine,
        content: Some("x".to_owned()),
        mentions: Mentioned::default(),
        flags: None,
    };
    missing(rig.run(edit).map(|_| ()));
    assert_eq!(rig.run(ListChannels { by: ADA }).unwrap(), Vec::new());
    assert_eq!(rig.run(ListChannels { by: OWNER }).unwrap().len(), 4);
    assert!(rig.fetches.is_empty(), "who is refused causes no reading");
}

#[test]
fn an_unknown_channel_is_unknown_to_everybody() {
    let mut rig = community();
    let channel = ChannelId(4);
    for by in [OWNER, ADA, OUTSIDER] {
        let answer = rig.run(GetChannel { by, channel });
        assert_eq!(answer, Err(ErrorCode::UnknownChannel.into()));
    }
}

#[test]
fn a_group_that_does_not_exist_says_so_by_what_was_named() {
    let mut rig = Rig::<Group>::new(GROUP);
    let by = OWNER;
    let code = |answer: Answer<()>| answer.unwrap_err().code;
    assert_eq!(
        code(rig.run(GetGroup { by }).map(|_| ())),
        ErrorCode::UnknownGuild
    );
    assert_eq!(code(rig.run(DeleteGroup { by })), ErrorCode::UnknownGuild);
    assert_eq!(
        code(rig.run(Subscribe { by }).map(|_| ())),
        ErrorCode::UnknownGuild
    );
    assert_eq!(
        code(rig.run(message(by, ChannelId(1), "x")).map(|_| ())),
        ErrorCode::UnknownChannel
    );
    assert_eq!(
        code(rig.run(accept(by, "x")).map(|_| ())),
        ErrorCode::UnknownInvite
    );
    assert!(rig.writes.is_empty());
}
