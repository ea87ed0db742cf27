//! Any row of every table.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use rookery_protocol::client::embed::{Embed, EmbedAuthor, EmbedField, EmbedFooter, EmbedMedia};
use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::command::{Notice, RequestId};
use rookery_protocol::document::{
    ActRow, AdminTokenRow, Application, ApplicationRow, Attachment, AttachmentOwner, AuditAction,
    AuditChange, AuditRow, BanRow, ChannelDocument, ChannelKind, ChannelOwner, DirectDocument,
    DirectGroup, DirectRow, EndedGroup, EventRow, Friendship, GroupDocument, IncarnationId,
    IncarnationRow, InviteOwner, InviteRow, KeyUse, Login, MarkRow, MemberRow, Membership,
    MentionRow, MessageKind, MessageRow, NodeRow, NodeState, Nonce, OutboxRow, PairDocument,
    PairRow, Phase, Pin, PinRow, PurgeRow, ReactionCount, ReactionRow, ReadStateRow, Relation,
    RequestRow, RestoreRow, RoleDocument, RoomAtRow, RoomRow, SanctionDocument, ShardRow,
    SigningKeyRow, UserDocument, UsernameRow, ViewNode, ViewRow, VoiceRow, WorkerRow,
};
use rookery_protocol::entity::{EntityKind, EntityRef};
use rookery_protocol::event::{
    AccessChange, Act, Audience, ChannelAccess, Dispatch, Event, EventName,
};
use rookery_protocol::ids::{
    AttachmentId, AuditId, ChannelId, GroupId, LoginId, MessageId, RoleId, UserId,
};
use rookery_protocol::inspect::{Act as AdminAct, ActorId, ActorKind, Role};
use rookery_protocol::intents::Intents;
use rookery_protocol::permissions::{Overwrite, OverwriteTarget, Permissions};
use rookery_protocol::profile::Profile;
use rookery_protocol::time::Millis;
use rookery_protocol::voice::{MediaNode, Said};

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
    fn bot()(
        owner in user_id(), name in text(), token_generation in number(), description in text(), bits: u32,
    ) -> Application {
        Application { owner, name, token_generation, description, privileged: Intents(bits) }
    }
}

prop_compose! {
    pub(crate) fn user()(
        schema: u32, version in number(), profile in profile(), email in of(text()), password_hash in of(text()),
        operator: bool, logins in vec(login(), 0..3), application in of(bot()), created_at in millis(),
        deleted: bool,
    ) -> UserDocument {
        UserDocument {
            schema, version, profile, email, password_hash, operator, logins, application, created_at,
            deleted,
            suspended: deleted,
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
    fn overwrite()(
        target in prop_oneof![
            role_id().prop_map(OverwriteTarget::Role),
            user_id().prop_map(OverwriteTarget::Member),
        ],
        allow in number().prop_map(Permissions), deny in number().prop_map(Permissions),
    ) -> Overwrite {
        Overwrite { target, allow, deny }
    }
}

prop_compose! {
    fn pair_document()(
        people in [user_id(), user_id()], asked in of(of(user_id())), since in millis(), blocks: [bool; 2],
    ) -> PairDocument {
        let friendship = match asked {
            None => Friendship::None,
            Some(None) => Friendship::Friends,
            Some(Some(by)) => Friendship::Asked(by),
        };
        PairDocument { people, friendship, since, blocks }
    }
}

prop_compose! {
    fn direct_document()(
        pair in of(pair_document()), closed in vec(user_id(), 0..3),
    ) -> DirectDocument {
        DirectDocument { pair, closed }
    }
}

prop_compose! {
    fn channel_document()(
        id in channel_id(),
        kind in select(&[ChannelKind::Text, ChannelKind::Voice, ChannelKind::Category][..]),
        name in text(), position: u32, parent in of(channel_id()), topic in of(text()), nsfw: bool,
        rate_limit_per_user: u32, bitrate: u32, overwrites in vec(overwrite(), 0..3),
    ) -> ChannelDocument {
        ChannelDocument {
            id, kind, name, position, parent, topic, nsfw, rate_limit_per_user, bitrate, overwrites,
            user_limit: bitrate / 2, last_pin_at: parent.map(|id| Millis(id.0)),
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
    fn sanction()(
        user in user_id(), timeout_until in of(millis()), mute in any::<bool>(), deaf in any::<bool>(),
    ) -> SanctionDocument {
        SanctionDocument { user, timeout_until, mute, deaf }
    }
}

prop_compose! {
    pub(crate) fn group()(
        schema: u32, id in group_id(), name in text(), icon in of(text()), description in of(text()),
        owner in user_id(), system_channel in of(channel_id()), created_at in millis(),
        channels in vec(channel_document(), 0..3), roles in vec(role(), 0..3),
        direct in of(direct_document()), sanctions in vec(sanction(), 0..3),
    ) -> GroupDocument {
        GroupDocument {
            schema, id, name, icon, description, owner, system_channel, created_at, channels, roles,
            direct, sanctions,
        }
    }
}

prop_compose! {
    pub(crate) fn member()(
        user in user_id(), nick in of(text()), roles in vec(role_id(), 0..4), joined_at in millis(),
        username in text(), global_name in of(text()), timeout_until in of(millis()),
        mute in any::<bool>(), deaf in any::<bool>(),
    ) -> MemberRow {
        MemberRow { user, nick, roles, joined_at, username, global_name, timeout_until, mute, deaf }
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
    fn file()(
        id in id(), filename in text(), description in of(text()), size in number(), content_type in text(),
        width in of(any::<u32>()), height in of(any::<u32>()),
    ) -> Attachment {
        let id = AttachmentId(id);
        Attachment { id, filename, description, size, content_type, width, height }
    }
}

prop_compose! {
    fn embed()(
        title in of(text()), description in of(text()), color in of(any::<u32>()), footer in of(text()),
        image in of(text()), author in of(text()), fields in vec((text(), text(), any::<bool>()), 0..3),
    ) -> Embed {
        let field = |(name, value, inline)| EmbedField { name, value, inline };
        Embed {
            kind: "rich".to_owned(),
            title: title.clone(),
            description,
            url: title,
            timestamp: footer.clone(),
            color,
            footer: footer.map(|text| EmbedFooter { text, icon_url: None }),
            image: image.clone().map(|url| EmbedMedia { url }),
            thumbnail: image.map(|url| EmbedMedia { url }),
            author: author.map(|name| EmbedAuthor { name, url: None, icon_url: None }),
            fields: fields.into_iter().map(field).collect(),
        }
    }
}

prop_compose! {
    /// The fields of a message that [`message`] does not choose.
    fn more()(
        mentions in vec(user_id(), 0..4), reply_to in of(message_id()), flags: u32, mention_everyone: bool,
        mention_roles in vec(role_id(), 0..3), embeds in vec(embed(), 0..3), attachments in vec(file(), 0..3),
        reactions in vec((text(), number()), 0..3), pinned: bool,
    ) -> MessageRow {
        let reaction = |(emoji, count)| ReactionCount { emoji, count };
        MessageRow {
            id: MessageId(1),
            channel: ChannelId(1),
            author: UserId(1),
            kind: MessageKind::Default,
            content: String::new(),
            tts: false,
            edited_at: None,
            nonce: None,
            mentions,
            reply_to,
            flags,
            mention_everyone,
            mention_roles,
            embeds,
            attachments,
            reactions: reactions.into_iter().map(reaction).collect(),
            pinned,
        }
    }
}

prop_compose! {
    pub(crate) fn message()(
        id in message_id(), channel in channel_id(), author in user_id(),
        kind in select(&[MessageKind::Default, MessageKind::Join, MessageKind::Reply][..]),
        content in text(), tts: bool, edited_at in of(millis()), nonce in of(nonce()),
        more in more(),
    ) -> MessageRow {
        MessageRow { id, channel, author, kind, content, tts, edited_at, nonce, ..more }
    }
}

prop_compose! {
    fn dispatch()(
        name in select(EventName::ALL), body in vec(any::<u8>(), 0..40), intents: u32,
        content_for in of(vec(user_id(), 0..3)), about in of(user_id()),
    ) -> Dispatch {
        Dispatch { name, body: Bytes::from(body), intents: Intents(intents), content_for, about }
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
    prop_oneof![
        Just(Audience::Everyone),
        user_id().prop_map(Audience::User),
        vec(user_id(), 0..4).prop_map(Audience::Except),
        channel_id().prop_map(Audience::Channel),
        (number(), of(channel_id())).prop_map(|(bits, channel)| Audience::Holders {
            permissions: Permissions(bits),
            channel
        }),
    ]
}

fn access() -> impl Strategy<Value = AccessChange> {
    let permissions = || of(number().prop_map(Permissions));
    let shape = (vec(overwrite(), 0..3), vec(any::<u8>(), 0..40));
    let shape = shape.prop_map(|(overwrites, body)| ChannelAccess {
        overwrites,
        body: Bytes::from(body),
    });
    prop_oneof![
        user_id().prop_map(AccessChange::Owner),
        (role_id(), permissions()).prop_map(|(role, held)| AccessChange::Role(role, held)),
        (user_id(), vec(role_id(), 0..3)).prop_map(|(user, held)| AccessChange::Member(user, held)),
        (channel_id(), of(shape)).prop_map(|(id, shape)| AccessChange::Channel(id, shape)),
    ]
}

prop_compose! {
    pub(crate) fn event()(
        at in millis(), audience in audience(), act in act(), access in of(access()),
    ) -> EventRow {
        EventRow { at, event: Event { audience, act, access } }
    }
}

fn notice() -> impl Strategy<Value = Notice> {
    prop_oneof![
        group_id().prop_map(Notice::Joined),
        profile().prop_map(Notice::ProfileChanged),
        profile().prop_map(Notice::AccountDeleted),
        dispatch().prop_map(Notice::Show),
        mention().prop_map(Notice::Mentioned),
        (user_id(), relation()).prop_map(|(user, relation)| Notice::Related { user, relation }),
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
    pub(crate) fn restore()(created_at in millis()) -> RestoreRow {
        RestoreRow { created_at }
    }
}

prop_compose! {
    pub(crate) fn signing_key()(
        kid in text(), use_for in select(&[KeyUse::Access, KeyUse::Bot, KeyUse::Files][..]), secret in vec(any::<u8>(), 0..40),
        created_at in millis(),
    ) -> SigningKeyRow {
        SigningKeyRow { kid, use_for, secret, created_at }
    }
}

prop_compose! {
    pub(crate) fn read_state()(channel in channel_id(), last_read in message_id()) -> ReadStateRow {
        ReadStateRow { channel, last_read }
    }
}

prop_compose! {
    pub(crate) fn mention()(
        channel in channel_id(), message in message_id(), group in of(group_id()), author in user_id(),
    ) -> MentionRow {
        MentionRow { channel, message, group, author }
    }
}

fn relation() -> impl Strategy<Value = Relation> {
    use Relation::{Blocked, Friend, Incoming, None, Outgoing};
    select(&[None, Friend, Blocked, Incoming, Outgoing][..])
}

prop_compose! {
    pub(crate) fn direct()(
        channel in channel_id(), recipients in vec(user_id(), 0..4), open: bool, relation in relation(),
        since in millis(), group in of((of(text()), of(text()), user_id())),
    ) -> DirectRow {
        let group = group.map(|(name, icon, owner)| DirectGroup { name, icon, owner });
        DirectRow { channel, recipients, open, relation, since, group }
    }
}

prop_compose! {
    pub(crate) fn pair()(channel in channel_id()) -> PairRow { PairRow { channel } }
}

prop_compose! {
    pub(crate) fn ban()(
        user in user_id(), reason in of(text()), by in user_id(), at in millis(),
    ) -> BanRow {
        BanRow { user, reason, by, at }
    }
}

prop_compose! {
    pub(crate) fn purge()(
        user in user_id(), by in user_id(), above in message_id(), below in message_id(),
    ) -> PurgeRow {
        PurgeRow { user, by, above, below }
    }
}

prop_compose! {
    pub(crate) fn audit()(
        id in id(), by in user_id(), target in of(id()), reason in of(text()),
        changes in vec((text(), of(text()), of(text())), 0..3), option in of(text()),
    ) -> AuditRow {
        let change = |(key, old, new): (String, Option<String>, Option<String>)| AuditChange {
            key,
            old_value: old.map(Into::into),
            new_value: new.map(Into::into),
        };
        AuditRow {
            id: AuditId(id),
            by,
            action: AuditAction::RoleUpdate,
            target,
            reason,
            changes: changes.into_iter().map(change).collect(),
            options: option.map(Into::into),
        }
    }
}

prop_compose! {
    pub(crate) fn ended_group()(channels in vec(channel_id(), 0..4), at in millis()) -> EndedGroup {
        EndedGroup { channels, at }
    }
}

prop_compose! {
    pub(crate) fn pin()(message in message_id(), at in millis()) -> PinRow { PinRow { message, at } }
}

prop_compose! {
    pub(crate) fn reaction()(emoji in text(), user in user_id()) -> ReactionRow {
        ReactionRow { emoji, user }
    }
}

prop_compose! {
    pub(crate) fn attachment()(message in message_id()) -> AttachmentOwner { AttachmentOwner { message } }
}

prop_compose! {
    fn incarnation_id()(node in text(), number in number()) -> IncarnationId { IncarnationId { node, number } }
}

prop_compose! {
    pub(crate) fn incarnation()(
        counter in number(), phase in select(&[Phase::Live, Phase::Evicted, Phase::Ended, Phase::Fenced][..]), lanes in any::<u16>(),
        worker in any::<u16>(), id_floor in millis(), process in number(), started in millis(),
    ) -> IncarnationRow {
        IncarnationRow { counter, phase, lanes, worker, id_floor, process, started }
    }
}

prop_compose! {
    pub(crate) fn worker()(holder in incarnation_id(), ceiling in millis()) -> WorkerRow {
        WorkerRow { holder, ceiling }
    }
}

prop_compose! {
    pub(crate) fn shard()(
        owner in incarnation_id(), lane in any::<u16>(), epoch in number(), released in any::<bool>(),
    ) -> ShardRow {
        ShardRow { owner, lane, epoch, released }
    }
}

prop_compose! {
    fn view_node()(
        id in incarnation_id(), joined in number(), address in text(),
        state in select(&[NodeState::Joining, NodeState::Up, NodeState::Draining, NodeState::Evicted][..]),
    ) -> ViewNode {
        ViewNode { id, state, joined, address }
    }
}

prop_compose! {
    pub(crate) fn view()(
        version in number(), cuts in number(), nodes in vec(view_node(), 0..4),
        pins in vec((any::<u16>(), text()), 0..4),
    ) -> ViewRow {
        let pins = pins.into_iter().map(|(shard, node)| Pin { shard, node }).collect();
        ViewRow { version, cuts, nodes, pins }
    }
}

prop_compose! {
    pub(crate) fn admin_token()(
        name in text(), role in select(&[Role::Read, Role::Act][..]), secret_hash in text(), by in text(),
        made_at in millis(), ends_at in millis(),
    ) -> AdminTokenRow {
        AdminTokenRow { name, role, secret_hash, by, made_at, ends_at }
    }
}

prop_compose! {
    pub(crate) fn admin_act()(
        at in millis(), node in text(), by in text(), to in of(text()), id in any::<u64>(), outcome in of(text()),
    ) -> ActRow {
        let actor = ActorId { kind: ActorKind::Group, id };
        ActRow { at, node, by, act: AdminAct::Migrate { actor, to }, outcome }
    }
}

prop_compose! {
    pub(crate) fn request()(caller in number(), number in number(), answer in of(text())) -> RequestRow {
        RequestRow {
            request: RequestId { caller, number },
            answer: answer.map(|text| bson::rawdoc! { "Ok": text }),
        }
    }
}

prop_compose! {
    fn media_node()(
        node in incarnation_id(), endpoint in text(), url in of(text()),
    ) -> MediaNode {
        MediaNode { node, endpoint, url }
    }
}

prop_compose! {
    pub(crate) fn voice_state()(
        user in user_id(), channel in channel_id(), session in text(), since in millis(),
        said in (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()), suppress in any::<bool>(),
        profile in profile(),
    ) -> VoiceRow {
        let (self_mute, self_deaf, self_video, self_stream) = said;
        let said = Said { self_mute, self_deaf, self_video, self_stream };
        VoiceRow { user, channel, session, since, said, suppress, profile }
    }
}

prop_compose! {
    pub(crate) fn room()(
        channel in channel_id(), life in number(), since in millis(), at in media_node(),
    ) -> RoomRow {
        RoomRow { channel, life, since, at }
    }
}

prop_compose! {
    pub(crate) fn room_at()(group in group_id(), node in incarnation_id()) -> RoomAtRow {
        RoomAtRow { group, node }
    }
}
