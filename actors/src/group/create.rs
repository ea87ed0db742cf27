//! Making a group: the channels, the role and the member that every group begins with.

use rookery_protocol::command::Notice;
use rookery_protocol::command::group::{CreateGroup, GroupView};
use rookery_protocol::document::{ChannelDocument, ChannelKind, GroupDocument, RoleDocument};
use rookery_protocol::ids::{ChannelId, GroupId};
use rookery_protocol::permissions::Permissions;

use super::{Live, Turn, channels, members};
use crate::entity::Kit;

/// A new group with its owner as the first member; nobody is subscribed yet, so there are no events.
pub(super) fn create(
    turn: &mut Turn<'_>,
    id: GroupId,
    kit: &Kit,
    request: CreateGroup,
) -> (Live, GroupView) {
    let channel = |kind, name: &str, position, parent| ChannelDocument {
        name: name.to_owned(),
        position,
        parent,
        ..channels::blank(ChannelId(kit.ids.mint(turn.now)), kind)
    };
    let texts = channel(ChannelKind::Category, "Text Channels", 0, None);
    let voices = channel(ChannelKind::Category, "Voice Channels", 1, None);
    let text = channel(ChannelKind::Text, "general", 0, Some(texts.id));
    let voice = channel(ChannelKind::Voice, "General", 0, Some(voices.id));
    let document = GroupDocument {
        schema: GroupDocument::SCHEMA,
        id,
        name: request.name,
        icon: request.icon,
        description: None,
        owner: request.by.id,
        system_channel: Some(text.id),
        created_at: turn.now,
        channels: vec![texts, voices, text, voice],
        roles: vec![RoleDocument {
            id: id.everyone(),
            name: "@everyone".to_owned(),
            color: 0,
            hoist: false,
            position: 0,
            permissions: Permissions::DEFAULT,
            mentionable: false,
            bot: None,
        }],
        direct: None,
        sanctions: Vec::new(),
    };
    let mut live = Live::new(document, kit.clone());
    for channel in &live.document.channels {
        channels::claim(turn, id, channel.id);
    }
    live.save(turn);
    live.insert_member(turn, members::row(&request.by, Vec::new(), turn.now));
    turn.send(request.by.id, Notice::Joined(id));
    let view = live.view(Permissions::ALL);
    (live, view)
}
