//! The bodies of the group's events, as clients get them.

use rookery_protocol::command::Notice;
use rookery_protocol::command::group::*;
use rookery_protocol::document::{ChannelKind, Nonce};

use super::*;
use crate::testkit::readable;

/// The events that came out, as a snapshot.
macro_rules! shows {
    ($rig:ident, $name:literal) => {
        let events: Vec<_> = $rig.take_events().iter().map(readable).collect();
        insta::assert_json_snapshot!($name, events);
    };
}

#[test]
fn bodies_of_messages() {
    let mut rig = community();
    let text = rig.text();
    let request = PostMessage {
        embeds: Vec::new(),
        attachments: Vec::new(),
        nonce: Some(Nonce::Text("n-1".to_owned())),
        mentions: mentioning(vec![profile(BEN)]),
        ..message(ADA, text, "hi <@3>")
    };
    let row = rig.run(request).unwrap().message;
    shows!(rig, "message_create");
    let request = PostMessage {
        embeds: Vec::new(),
        attachments: Vec::new(),
        reply_to: Some(Referenced {
            message: row.clone(),
            author: profile(ADA),
        }),
        nonce: Some(Nonce::Number(5)),
        ..message(BEN, text, "hello")
    };
    let answer = rig.run(request).unwrap().message;
    shows!(rig, "message_create_reply");
    rig.now = rig.now.plus(1_500);
    let request = EditMessage {
        embeds: None,
        keep: None,
        attachments: Vec::new(),
        by: profile(BEN),
        channel: text,
        message: answer.id,
        content: Some("hello!".to_owned()),
        mentions: Mentioned::default(),
        around: Surroundings::default(),
        flags: None,
    };
    rig.run(request).unwrap();
    shows!(rig, "message_update");
    let (by, channel, message) = (ADA, text, row.id);
    let request = DeleteMessage {
        reason: None,
        by,
        channel,
        message,
    };
    rig.run(request).unwrap();
    shows!(rig, "message_delete");
    let by = profile(ADA);
    rig.run(StartTyping { by, channel }).unwrap();
    insta::assert_json_snapshot!("typing_start", readable(&rig.signals[0]));
}

#[test]
fn bodies_of_members_and_invites() {
    let mut rig = community();
    let request = CreateInvite {
        reason: None,
        max_age: 60,
        max_uses: 1,
        ..invite(ADA, rig.text(), "once")
    };
    rig.run(request).unwrap();
    shows!(rig, "invite_create");
    rig.run(accept(OUTSIDER, "once")).unwrap();
    shows!(rig, "join_by_the_last_use");
    let mut changed = profile(ADA);
    changed.global_name = Some("Countess".to_owned());
    rig.notice(ADA, Notice::ProfileChanged(changed));
    shows!(rig, "guild_member_update");
    let (by, user) = (OWNER, profile(ADA));
    rig.run(RemoveMember {
        reason: None,
        by,
        user,
    })
    .unwrap();
    shows!(rig, "kick");
    let (by, bot, permissions) = (OWNER, profile(BOT), Permissions::SEND_MESSAGES);
    rig.run(AddBot {
        by,
        bot,
        permissions,
    })
    .unwrap();
    shows!(rig, "bot_added");
    let user = profile(BOT);
    rig.run(RemoveMember {
        reason: None,
        by,
        user,
    })
    .unwrap();
    shows!(rig, "bot_removed");
}

#[test]
fn bodies_of_channels_and_settings() {
    let mut rig = community();
    let by = OWNER;
    let patch = ChannelPatch {
        name: Some("Lounge".to_owned()),
        ..ChannelPatch::default()
    };
    let kind = ChannelKind::Voice;
    let made = rig
        .run(CreateChannel {
            reason: None,
            by,
            kind,
            patch,
        })
        .unwrap();
    let channel = made.channel.id;
    shows!(rig, "channel_create");
    let patch = ChannelPatch {
        user_limit: Some(4),
        ..ChannelPatch::default()
    };
    rig.run(UpdateChannel {
        reason: None,
        by,
        channel,
        patch,
    })
    .unwrap();
    shows!(rig, "channel_update");
    rig.run(DeleteChannel {
        reason: None,
        by,
        channel,
    })
    .unwrap();
    shows!(rig, "channel_delete");
    let patch = GroupPatch {
        description: Some(Some("caw".to_owned())),
        ..GroupPatch::default()
    };
    rig.run(UpdateGroup {
        reason: None,
        by,
        patch,
    })
    .unwrap();
    shows!(rig, "guild_update");
    rig.run(DeleteGroup { by }).unwrap();
    shows!(rig, "guild_delete");
}
