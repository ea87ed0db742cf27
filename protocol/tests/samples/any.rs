//! Any row of every table.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::command::Notice;
use rookery_protocol::document::{
    Application, ApplicationRow, ChannelDocument, ChannelKind, ChannelOwner, EventRow,
    GroupDocument, InviteOwner, InviteRow, KeyUse, Login, MarkRow, MemberRow, Membership,
    MessageKind, MessageRow, NodeRow, Nonce, OutboxRow, RoleDocument, SigningKeyRow, UserDocument,
    UsernameRow,
};
use rookery_protocol::entity::{EntityKind, EntityRef};
use rookery_protocol::event::{Act, Audience, Dispatch, Event, EventName};
use rookery_protocol::ids::{ChannelId, GroupId, LoginId, MessageId, RoleId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::permissions::Permissions;
use rookery_protocol::profile::Profile;
use rookery_protocol::time::Millis;

/// Unsigned numbers of rows fit a signed one, which is what BSON has.
const MAX: u64 = i64::MAX as u64;

prop_compose! {
    fn id()(id in prop_oneof![1..100u64, 1..=MAX]) -> u64 { id }
}

prop_compose! {
    fn number()(n in prop_oneof![0..100u64, 0..=MAX]) -> u64 { n }
}

fn millis() -> impl Strategy<Value = Millis> {
    number().prop_map(Millis)
}

fn text() -> impl Strategy<Value = String> {
    proptest::string::string_regex("(?s).{0,12}").expect("a regular expression")
}

fn user_id() -> impl Strategy<Value = UserId> {
    id().prop_map(UserId)
}

fn group_id() -> impl Strategy<Value = GroupId> {
    id().prop_map(GroupId)
}

fn channel_id() -> impl Strategy<Value = ChannelId> {
    id().prop_map(ChannelId)
}

fn message_id() -> impl Strategy<Value = MessageId> {
    id().prop_map(MessageId)
}

fn login_id() -> impl Strategy<Value = LoginId> {
    id().prop_map(LoginId)
}

fn role_id() -> impl Strategy<Value = RoleId> {
    id().prop_map(RoleId)
}

pub(crate) fn entity() -> impl Strategy<Value = EntityRef> {
    (select(&EntityKind::ALL[..]), id()).prop_map(|(kind, id)| EntityRef { kind, id })
}

prop_compose! {
    fn profile()(
        id in user_id(), username in text(), global_name in of(text()), avatar in of(text()), bot: bool,
    ) -> Profile {
        Profile { id, username, global_name, avatar, bot }
    }
}

prop_compose! {
    fn login()(
        id in login_id(), generation in number(), secret_hash in text(), device in text(), address in text(),
        created_at in millis(), used_at in millis(),
    ) -> Login {
        Login { id, generation, secret_hash, device, address, created_at, used_at }
    }
}

prop_compose! {
    fn bot()(owner in user_id(), name in text(), token_generation in number()) -> Application {
        Application { owner, name, token_generation }
    }
}

prop_compose! {
    pub(crate) fn user()(
        schema: u32, version in number(), profile in profile(), email in of(text()), password_hash in of(text()),
        operator: bool, logins in vec(login(), 0..3), application in of(bot()), created_at in millis(),
    ) -> UserDocument {
        UserDocument {
            schema, version, profile, email, password_hash, operator, logins, application, created_at,
        }
    }
}

prop_compose! {
    pub(crate) fn username()(user in user_id()) -> UsernameRow { UsernameRow { user } }
}

prop_compose! {
    pub(crate) fn application()(application in user_id()) -> ApplicationRow {
        ApplicationRow { application }
    }
}

prop_compose! {
    fn channel_document()(
        id in channel_id(),
        kind in select(&[ChannelKind::Text, ChannelKind::Voice, ChannelKind::Category][..]),
        name in text(), position: u32, parent in of(channel_id()), topic in of(text()), nsfw: bool,
        rate_limit_per_user: u32, bitrate: u32, user_limit: u32,
    ) -> ChannelDocument {
        ChannelDocument {
            id, kind, name, position, parent, topic, nsfw, rate_limit_per_user, bitrate, user_limit,
        }
    }
}

prop_compose! {
    fn role()(
        id in role_id(), name in text(), color: u32, hoist: bool, position: u32,
        permissions in number().prop_map(Permissions), mentionable: bool, bot in of(user_id()),
    ) -> RoleDocument {
        RoleDocument { id, name, color, hoist, position, permissions, mentionable, bot }
    }
}

prop_compose! {
    pub(crate) fn group()(
        schema: u32, id in group_id(), name in text(), icon in of(text()), description in of(text()),
        owner in user_id(), system_channel in of(channel_id()), created_at in millis(),
        channels in vec(channel_document(), 0..3), roles in vec(role(), 0..3),
    ) -> GroupDocument {
        GroupDocument {
            schema, id, name, icon, description, owner, system_channel, created_at, channels, roles,
        }
    }
}

prop_compose! {
    pub(crate) fn member()(
        user in user_id(), nick in of(text()), roles in vec(role_id(), 0..4), joined_at in millis(),
    ) -> MemberRow {
        MemberRow { user, nick, roles, joined_at }
    }
}

prop_compose! {
    pub(crate) fn membership()(group in group_id()) -> Membership { Membership { group } }
}

prop_compose! {
    pub(crate) fn channel()(group in group_id()) -> ChannelOwner { ChannelOwner { group } }
}

prop_compose! {
    pub(crate) fn invite()(
        code in text(), channel in channel_id(), inviter in user_id(), max_age in number(), max_uses in number(),
        uses in number(), created_at in millis(),
    ) -> InviteRow {
        InviteRow { code, channel, inviter, max_age, max_uses, uses, created_at }
    }
}

prop_compose! {
    pub(crate) fn invite_code()(group in group_id()) -> InviteOwner { InviteOwner { group } }
}

fn nonce() -> impl Strategy<Value = Nonce> {
    prop_oneof![
        any::<i64>().prop_map(Nonce::Number),
        text().prop_map(Nonce::Text)
    ]
}

prop_compose! {
    pub(crate) fn message()(
        id in message_id(), channel in channel_id(), author in user_id(),
        kind in select(&[MessageKind::Default, MessageKind::Join, MessageKind::Reply][..]),
        content in text(), tts: bool, edited_at in of(millis()), nonce in of(nonce()),
        mentions in vec(user_id(), 0..4), reply_to in of(message_id()), flags: u32,
    ) -> MessageRow {
        MessageRow {
            id, channel, author, kind, content, tts, edited_at, nonce, mentions, reply_to, flags,
        }
    }
}

prop_compose! {
    fn dispatch()(
        name in select(EventName::ALL), body in vec(any::<u8>(), 0..40), intents: u32,
        content_for in of(vec(user_id(), 0..3)),
    ) -> Dispatch {
        Dispatch { name, body: Bytes::from(body), intents: Intents(intents), content_for }
    }
}

fn act() -> impl Strategy<Value = Act> {
    const CODES: [CloseCode; 2] = [CloseCode::AuthenticationFailed, CloseCode::UnknownError];
    prop_oneof![
        dispatch().prop_map(Act::Dispatch),
        dispatch().prop_map(Act::Farewell),
        group_id().prop_map(Act::Enter),
        (of(login_id()), select(&CODES[..])).prop_map(|(login, code)| Act::Close { login, code }),
        Just(Act::Announce),
    ]
}

fn audience() -> impl Strategy<Value = Audience> {
    prop_oneof![Just(Audience::Everyone), user_id().prop_map(Audience::User)]
}

prop_compose! {
    pub(crate) fn event()(at in millis(), audience in audience(), act in act()) -> EventRow {
        EventRow { at, event: Event { audience, act } }
    }
}

fn notice() -> impl Strategy<Value = Notice> {
    prop_oneof![
        group_id().prop_map(Notice::Joined),
        profile().prop_map(Notice::ProfileChanged)
    ]
}

prop_compose! {
    pub(crate) fn outbox()(to in entity(), notice in notice()) -> OutboxRow { OutboxRow { to, notice } }
}

prop_compose! {
    pub(crate) fn mark()(sender in entity(), seq in number()) -> MarkRow { MarkRow { sender, seq } }
}

prop_compose! {
    pub(crate) fn node()(incarnation in number(), id_ceiling in millis()) -> NodeRow {
        NodeRow { incarnation, id_ceiling }
    }
}

prop_compose! {
    pub(crate) fn signing_key()(
        kid in text(), use_for in select(&[KeyUse::Access, KeyUse::Bot][..]), secret in vec(any::<u8>(), 0..40),
        created_at in millis(),
    ) -> SigningKeyRow {
        SigningKeyRow { kid, use_for, secret, created_at }
    }
}
