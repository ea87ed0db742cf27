//! Channels.

use rookery_protocol::command::group::*;
use rookery_protocol::document::{ChannelKind, TableId};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::EventName;
use rookery_protocol::limits;
use rookery_protocol::permissions::{Overwrite, OverwriteTarget};

use super::*;
use crate::testkit::code;

fn create(
    rig: &mut Rig<Group>,
    kind: ChannelKind,
    name: &str,
    patch: ChannelPatch,
) -> Answer<ChannelView> {
    let patch = ChannelPatch {
        name: Some(name.to_owned()),
        ..patch
    };
    let by = OWNER;
    rig.run(CreateChannel {
        reason: None,
        by,
        kind,
        patch,
    })
}

#[test]
fn a_channel_is_made_below_the_others_with_what_its_kind_has() {
    let mut rig = community();
    let category = rig.channel(ChannelKind::Category);
    let patch = ChannelPatch {
        parent: Some(Some(category)),
        topic: Some(Some("birds".to_owned())),
        nsfw: Some(true),
        rate_limit_per_user: Some(5),
        bitrate: Some(8_000),
        user_limit: Some(3),
        ..ChannelPatch::default()
    };
    let text = create(&mut rig, ChannelKind::Text, "birds", patch.clone())
        .unwrap()
        .channel;
    assert_eq!((text.position, text.parent), (1, Some(category)));
    assert_eq!((text.topic.as_deref(), text.nsfw), (Some("birds"), true));
    assert_eq!(
        (text.rate_limit_per_user, text.bitrate, text.user_limit),
        (5, 0, 0)
    );
    let voice = create(&mut rig, ChannelKind::Voice, "Birds", patch)
        .unwrap()
        .channel;
    assert_eq!(
        (voice.topic, voice.bitrate, voice.user_limit),
        (None, 8_000, 3)
    );
    assert!(voice.id > text.id);
    let made = [
        EventName::ChannelCreate,
        EventName::GuildAuditLogEntryCreate,
    ];
    assert_eq!(rig.take_names(), [made, made].concat());
    assert_eq!(rig.rows(TableId::Channels).len(), 6);
    let plain = create(&mut rig, ChannelKind::Voice, "V", ChannelPatch::default()).unwrap();
    assert_eq!(plain.channel.bitrate, 64_000);
}

#[test]
fn a_parent_is_a_category_of_the_group() {
    let mut rig = community();
    let (text, category) = (rig.text(), rig.channel(ChannelKind::Category));
    let under = |parent| ChannelPatch {
        parent: Some(Some(parent)),
        ..ChannelPatch::default()
    };
    for (kind, parent, fault) in [
        (ChannelKind::Text, ChannelId(5), "CHANNEL_PARENT_INVALID"),
        (ChannelKind::Text, text, "CHANNEL_PARENT_INVALID_TYPE"),
        (
            ChannelKind::Category,
            category,
            "CHANNEL_PARENT_INVALID_TYPE",
        ),
    ] {
        let refusal = create(&mut rig, kind, "x", under(parent)).unwrap_err();
        assert_eq!(
            (
                refusal.fields[0].path.as_str(),
                refusal.fields[0].code.as_str()
            ),
            ("parent_id", fault)
        );
    }
    let (by, channel, patch) = (OWNER, text, under(text));
    assert_eq!(
        code(rig.run(UpdateChannel {
            reason: None,
            by,
            channel,
            patch
        })),
        ErrorCode::InvalidFormBody
    );
    assert!(rig.events.is_empty());
}

#[test]
fn a_channel_without_overwrites_begins_with_those_of_its_category() {
    let mut rig = community();
    let category = rig.channel(ChannelKind::Category);
    let hidden_from = |user| Overwrite {
        target: OverwriteTarget::Member(user),
        allow: Permissions::NONE,
        deny: Permissions::VIEW_CHANNEL,
    };
    let (above, own) = (hidden_from(BEN), hidden_from(ADA));
    rig.edit(|document| {
        let mut channels = document.channels.iter_mut();
        let found = channels.find(|channel| channel.id == category).unwrap();
        found.overwrites.push(above);
    });
    for (said, begun) in [
        (None, above),
        (Some(Vec::new()), above),
        (Some(vec![own]), own),
    ] {
        let patch = ChannelPatch {
            parent: Some(Some(category)),
            overwrites: said,
            ..ChannelPatch::default()
        };
        let made = create(&mut rig, ChannelKind::Text, "birds", patch).unwrap();
        assert_eq!(made.channel.overwrites, [begun]);
    }
}

#[test]
fn channels_are_limited() {
    let mut rig = founded();
    for n in 4..limits::CHANNELS_PER_GROUP {
        rig.now = rig.now.plus(1);
        create(
            &mut rig,
            ChannelKind::Text,
            &n.to_string(),
            ChannelPatch::default(),
        )
        .unwrap();
    }
    let more = create(&mut rig, ChannelKind::Text, "more", ChannelPatch::default());
    assert_eq!(code(more), ErrorCode::MaximumChannels);
}

#[test]
fn a_change_that_changes_nothing_is_not_shown() {
    let mut rig = community();
    let (by, channel) = (OWNER, rig.text());
    let patch = ChannelPatch {
        name: Some("lobby".to_owned()),
        topic: Some(Some("all".to_owned())),
        parent: Some(None),
        position: Some(7),
        ..ChannelPatch::default()
    };
    let update = UpdateChannel {
        reason: None,
        by,
        channel,
        patch,
    };
    let view = rig.run(update.clone()).unwrap();
    assert_eq!(
        (view.channel.name.as_str(), view.channel.position),
        ("lobby", 7)
    );
    assert_eq!(view.channel.parent, None);
    assert_eq!(
        rig.take_names(),
        [
            EventName::ChannelUpdate,
            EventName::GuildAuditLogEntryCreate
        ]
    );
    rig.run(update).unwrap();
    assert!(rig.writes.is_empty() && rig.events.is_empty());
    assert_eq!(
        rig.run(GetChannel { by, channel }).unwrap().channel,
        view.channel
    );
}

#[test]
fn a_channel_goes_with_its_invites_and_keeps_its_place_in_the_index() {
    let mut rig = community();
    let text = rig.text();
    rig.post(ADA, "hello");
    rig.take_events();
    rig.run(DeleteChannel {
        reason: None,
        by: OWNER,
        channel: text,
    })
    .unwrap();
    assert_eq!(
        rig.take_names(),
        [
            EventName::InviteDelete,
            EventName::ChannelDelete,
            EventName::GuildUpdate,
            EventName::GuildAuditLogEntryCreate
        ]
    );
    assert!(rig.rows(TableId::InviteCodes).is_empty());
    assert!(rig.rows(TableId::Channels).contains_key(&Key::single(text)));
    assert_eq!(rig.live().document.system_channel, None);
    let posted = rig.run(message(ADA, text, "still there?"));
    assert_eq!(code(posted), ErrorCode::UnknownChannel);
    // Nobody announces a join any more.
    rig.run(invite(OWNER, rig.channel(ChannelKind::Voice), "voice"))
        .unwrap();
    rig.take_events();
    rig.run(accept(OUTSIDER, "voice")).unwrap();
    assert_eq!(rig.take_names(), [EventName::GuildMemberAdd]);
}

#[test]
fn channels_outlive_their_category() {
    let mut rig = community();
    let channel = rig.channel(ChannelKind::Category);
    rig.run(DeleteChannel {
        reason: None,
        by: OWNER,
        channel,
    })
    .unwrap();
    assert_eq!(
        rig.take_names(),
        [
            EventName::ChannelUpdate,
            EventName::ChannelDelete,
            EventName::GuildAuditLogEntryCreate
        ]
    );
    let text = rig.text();
    assert_eq!(
        rig.run(GetChannel {
            by: ADA,
            channel: text
        })
        .unwrap()
        .channel
        .parent,
        None
    );
}
