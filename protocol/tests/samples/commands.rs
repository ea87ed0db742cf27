//! A command and a reply of each kind, with whatever may be left out once there and once not.

use std::sync::Arc;

use rookery_protocol::client::voice::MediaRights;
use rookery_protocol::command::group::{
    AcceptInvite, AddBot, AddReaction, AddRecipient, Authorize, Ban, BeatRoom, BulkDelete,
    ChannelMove, ChannelPatch, ChannelView, ClearReactions, CreateChannel, CreateDirect,
    CreateGroup, CreateInvite, CreatePair, CreateRole, DeleteChannel, DeleteGroup, DeleteInvite,
    DeleteMessage, DeleteOverwrite, DeleteRole, DirectView, EditMessage, EndPurge, GetChannel,
    GetDirect, GetGroup, GetInvite, GetMember, GetMembers, GroupCommand, GroupPatch, GroupReply,
    GroupView, InviteView, JoinVoice, LeaveVoice, ListChannels, ListInvites, ListMembers,
    LoseRooms, MemberPatch, Mentioned, MoveChannels, MoveRoles, PostMessage, Posted, PutOverwrite,
    ReadHistory, Reap, ReapPiece, Referenced, RelationWish, RemoveMember, RemoveReaction,
    RemoveRecipient, RolePatch, SearchMembers, SetMemberRole, SetOpen, SetPinned, SetRelation,
    StartTyping, Subscribe, Subscribed, Surroundings, Typing, Unban, UpdateChannel, UpdateDirect,
    UpdateGroup, UpdateMember, UpdateRole,
};
use rookery_protocol::command::user::{
    Account, Acknowledge, Attach, Attached, ChangeEmail, ChangePassword, ChangeUsername,
    CloseLogin, CreateApplication, Credentials, DeleteAccount, Detach, GetAccount, GetCredentials,
    ListMentions, NewLogin, OpenLogin, Proof, Register, ResetBotToken, RotateLogin, Rotated,
    SetPassword, Signal, Suspend, UpdateApplication, UpdateProfile, UserCommand, UserReply,
};
use rookery_protocol::document::{ChannelKind, Key, MessageRow, Nonce, TableId};
use rookery_protocol::event::{AccessPicture, Act, ChannelAccess, Dispatch};
use rookery_protocol::ids::{AttachmentId, ChannelId, GroupId, LoginId, MessageId, RoleId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::permissions::{Overwrite, OverwriteTarget, Permissions};
use rookery_protocol::profile::Profile;
use rookery_protocol::time::Millis;
use rookery_protocol::voice::{Present, RoomId, RoomMember, RoomOrders, VoiceState};

use super::fixed;

const BY: UserId = UserId(7);
const CHANNEL: ChannelId = ChannelId(30);
const MESSAGE: MessageId = MessageId(50);

fn person() -> Profile {
    fixed::user()[0].profile.clone()
}

fn why() -> Option<String> {
    Some("because".into())
}

fn dispatch() -> Dispatch {
    match fixed::event()[0].event.act.clone() {
        Act::Dispatch(dispatch) => dispatch,
        act => panic!("{act:?}"),
    }
}

fn message() -> MessageRow {
    fixed::message()[0].clone()
}

fn surroundings() -> Surroundings {
    Surroundings {
        people: vec![person()],
        answered: Some(message()),
    }
}

fn overwrite() -> Overwrite {
    Overwrite {
        target: OverwriteTarget::Member(BY),
        allow: Permissions::ALL,
        deny: Permissions::NONE,
    }
}

fn new_login() -> NewLogin {
    NewLogin {
        id: LoginId(5),
        secret_hash: "00ff".into(),
        device: "curl".into(),
        address: "::1".into(),
    }
}

pub(crate) fn user_commands() -> Vec<UserCommand> {
    let groups = vec![GroupId(20), GroupId(21)];
    vec![
        UserCommand::Register(Register {
            username: "ada".into(),
            global_name: Some("Ada".into()),
            email: None,
            password_hash: "$argon2id$".into(),
            operator: true,
            login: Some(new_login()),
        }),
        UserCommand::CreateApplication(CreateApplication {
            owner: BY,
            name: "Bot".into(),
            privileged: Intents::PRIVILEGED,
        }),
        UserCommand::GetAccount(GetAccount),
        UserCommand::GetCredentials(GetCredentials),
        UserCommand::OpenLogin(OpenLogin {
            password_hash: "$argon2id$".into(),
            login: new_login(),
        }),
        UserCommand::RotateLogin(RotateLogin {
            login: LoginId(5),
            generation: 300,
            secret_hash: "aa".into(),
            next_secret_hash: "bb".into(),
        }),
        UserCommand::CloseLogin(CloseLogin { login: LoginId(5) }),
        UserCommand::UpdateProfile(UpdateProfile {
            global_name: Some(None),
            avatar: None,
            groups: groups.clone(),
        }),
        UserCommand::ChangeUsername(ChangeUsername {
            username: "bea".into(),
            groups: groups.clone(),
        }),
        UserCommand::ChangeEmail(ChangeEmail { email: None }),
        UserCommand::ChangePassword(ChangePassword {
            password_hash: "a".into(),
            new_password_hash: "b".into(),
            keep: Some(LoginId(5)),
        }),
        UserCommand::DeleteAccount(DeleteAccount {
            password_hash: None,
            groups,
        }),
        UserCommand::UpdateApplication(UpdateApplication {
            by: BY,
            name: None,
            description: Some("Sings".into()),
            privileged: Some(Intents::ALL),
        }),
        UserCommand::Acknowledge(Acknowledge {
            channel: CHANNEL,
            message: MESSAGE,
        }),
        UserCommand::ListMentions(ListMentions),
        UserCommand::Signal(Signal {
            dispatch: dispatch(),
        }),
        UserCommand::ResetBotToken(ResetBotToken { by: BY }),
        UserCommand::Attach(Attach {
            session: "s".into(),
            proof: Proof::Bot(3),
        }),
        UserCommand::Detach(Detach {
            session: "s".into(),
        }),
        UserCommand::Suspend(Suspend { suspended: true }),
        UserCommand::SetPassword(SetPassword {
            password_hash: "$argon2id$".into(),
        }),
    ]
}

pub(crate) fn user_replies() -> Vec<UserReply> {
    let [person, bot] = fixed::user().try_into().expect("two");
    let (account, bot) = (Account::from(&person), Account::from(&bot));
    vec![
        UserReply::Register(account.clone()),
        UserReply::CreateApplication(bot.clone()),
        UserReply::GetAccount(account.clone()),
        UserReply::GetCredentials(Credentials {
            password_hash: Some("$argon2id$".into()),
        }),
        UserReply::OpenLogin(account.clone()),
        UserReply::RotateLogin(Rotated::Next(4)),
        UserReply::RotateLogin(Rotated::Revoked),
        UserReply::CloseLogin(()),
        UserReply::UpdateProfile(account.clone()),
        UserReply::ChangeUsername(account.clone()),
        UserReply::ChangeEmail(account.clone()),
        UserReply::ChangePassword(account.clone()),
        UserReply::DeleteAccount(()),
        UserReply::UpdateApplication(bot.clone()),
        UserReply::Acknowledge(()),
        UserReply::ListMentions(fixed::mention()),
        UserReply::Signal(()),
        UserReply::ResetBotToken(bot),
        UserReply::Attach(Attached { account, gseq: 9 }),
        UserReply::Detach(()),
        UserReply::Suspend(()),
        UserReply::SetPassword(()),
    ]
}

fn channel_patch() -> ChannelPatch {
    ChannelPatch {
        name: Some("general".into()),
        position: Some(3),
        parent: Some(None),
        topic: Some(Some("all".into())),
        nsfw: Some(true),
        rate_limit_per_user: None,
        bitrate: Some(64_000),
        user_limit: None,
        overwrites: Some(vec![overwrite()]),
    }
}

fn role_patch() -> RolePatch {
    RolePatch {
        name: Some("Rooks".into()),
        permissions: Some(Permissions::DEFAULT),
        ..RolePatch::default()
    }
}

fn channel_commands() -> Vec<GroupCommand> {
    let by = BY;
    vec![
        GroupCommand::CreateChannel(CreateChannel {
            by,
            kind: ChannelKind::Voice,
            patch: channel_patch(),
            reason: why(),
        }),
        GroupCommand::GetChannel(GetChannel {
            by,
            channel: CHANNEL,
        }),
        GroupCommand::ListChannels(ListChannels { by }),
        GroupCommand::UpdateChannel(UpdateChannel {
            by,
            channel: CHANNEL,
            patch: ChannelPatch::default(),
            reason: None,
        }),
        GroupCommand::DeleteChannel(DeleteChannel {
            by,
            channel: CHANNEL,
            reason: None,
        }),
        GroupCommand::PutOverwrite(PutOverwrite {
            by,
            channel: CHANNEL,
            overwrite: overwrite(),
            reason: None,
        }),
        GroupCommand::DeleteOverwrite(DeleteOverwrite {
            by,
            channel: CHANNEL,
            target: 40,
            reason: None,
        }),
        GroupCommand::MoveChannels(MoveChannels {
            by,
            moves: vec![ChannelMove {
                channel: CHANNEL,
                position: Some(1),
                parent: Some(Some(ChannelId(31))),
                lock_permissions: true,
            }],
        }),
    ]
}

fn member_commands() -> Vec<GroupCommand> {
    let by = BY;
    vec![
        GroupCommand::CreateInvite(CreateInvite {
            by: person(),
            channel: CHANNEL,
            code: "abc".into(),
            max_age: 60,
            max_uses: 0,
            reuse: true,
            reason: why(),
        }),
        GroupCommand::ListInvites(ListInvites { by, channel: None }),
        GroupCommand::GetInvite(GetInvite { code: "abc".into() }),
        GroupCommand::DeleteInvite(DeleteInvite {
            by,
            code: "abc".into(),
            reason: None,
        }),
        GroupCommand::AcceptInvite(AcceptInvite {
            by: person(),
            code: "abc".into(),
        }),
        GroupCommand::AddBot(AddBot {
            by,
            bot: person(),
            permissions: Permissions::SPEAK,
        }),
        GroupCommand::GetMember(GetMember { by, user: BY }),
        GroupCommand::ListMembers(ListMembers {
            by,
            after: Some(BY),
            limit: 1_000,
        }),
        GroupCommand::RemoveMember(RemoveMember {
            by,
            user: person(),
            reason: why(),
        }),
        GroupCommand::GetMembers(GetMembers {
            by,
            users: vec![BY],
        }),
        GroupCommand::SearchMembers(SearchMembers {
            by,
            query: "a".into(),
            limit: 1,
        }),
        GroupCommand::UpdateMember(UpdateMember {
            by,
            user: person(),
            patch: MemberPatch {
                nick: Some(None),
                roles: Some(vec![RoleId(40)]),
                timeout_until: Some(Some(Millis(9))),
                mute: Some(true),
                deaf: None,
                voice: Some(Some((CHANNEL, fixed::media_node()))),
            },
            reason: None,
        }),
        GroupCommand::SetMemberRole(SetMemberRole {
            by,
            user: person(),
            role: RoleId(40),
            held: true,
            reason: None,
        }),
        GroupCommand::CreateRole(CreateRole {
            by,
            patch: role_patch(),
            reason: None,
        }),
        GroupCommand::UpdateRole(UpdateRole {
            by,
            role: RoleId(40),
            patch: role_patch(),
            reason: why(),
        }),
        GroupCommand::MoveRoles(MoveRoles {
            by,
            positions: vec![(RoleId(40), 2)],
            reason: None,
        }),
        GroupCommand::DeleteRole(DeleteRole {
            by,
            role: RoleId(40),
            reason: None,
        }),
        GroupCommand::Ban(Ban {
            by,
            user: person(),
            reason: why(),
            delete_seconds: 3_600,
        }),
        GroupCommand::Unban(Unban {
            by,
            user: person(),
            reason: None,
        }),
        GroupCommand::EndPurge(EndPurge { purge: MESSAGE }),
        GroupCommand::Authorize(Authorize {
            by,
            permissions: Permissions::VIEW_AUDIT_LOG,
            channel: Some(CHANNEL),
        }),
    ]
}

fn message_commands() -> Vec<GroupCommand> {
    let (by, channel, message) = (BY, CHANNEL, MESSAGE);
    let row = self::message();
    let mentions = Mentioned {
        users: vec![person()],
        roles: vec![RoleId(40)],
        everyone: true,
    };
    vec![
        GroupCommand::PostMessage(PostMessage {
            by: person(),
            channel,
            content: "hello".into(),
            tts: false,
            nonce: Some(Nonce::Number(-1)),
            enforce_nonce: true,
            mentions: mentions.clone(),
            reply_to: Some(Referenced {
                message: row.clone(),
                author: person(),
            }),
            flags: 1 << 12,
            embeds: row.embeds.clone(),
            attachments: row.attachments.clone(),
        }),
        GroupCommand::EditMessage(EditMessage {
            by: person(),
            channel,
            message,
            content: Some("bye".into()),
            mentions,
            around: surroundings(),
            flags: None,
            embeds: Some(row.embeds.clone()),
            keep: Some(vec![AttachmentId(60)]),
            attachments: row.attachments,
        }),
        GroupCommand::DeleteMessage(DeleteMessage {
            by,
            channel,
            message,
            reason: None,
        }),
        GroupCommand::BulkDelete(BulkDelete {
            by,
            channel,
            messages: vec![message],
            reason: None,
            purge: true,
        }),
        GroupCommand::AddReaction(AddReaction {
            by: person(),
            channel,
            message,
            emoji: "\u{1f426}".into(),
        }),
        GroupCommand::RemoveReaction(RemoveReaction {
            by,
            channel,
            message,
            emoji: "\u{1f426}".into(),
            user: BY,
        }),
        GroupCommand::ClearReactions(ClearReactions {
            by,
            channel,
            message,
            emoji: None,
        }),
        GroupCommand::SetPinned(SetPinned {
            by: person(),
            channel,
            message,
            pinned: true,
            around: surroundings(),
            reason: why(),
        }),
        GroupCommand::ReadHistory(ReadHistory { by, channel }),
        GroupCommand::StartTyping(StartTyping {
            by: person(),
            channel,
        }),
    ]
}

fn direct_commands() -> Vec<GroupCommand> {
    vec![
        GroupCommand::CreatePair(CreatePair {
            people: [person(), person()],
        }),
        GroupCommand::CreateDirect(CreateDirect {
            by: person(),
            recipients: vec![person()],
        }),
        GroupCommand::GetDirect(GetDirect { by: BY }),
        GroupCommand::SetOpen(SetOpen { by: BY, open: true }),
        GroupCommand::SetRelation(SetRelation {
            by: person(),
            other: person(),
            wish: RelationWish::Block,
        }),
        GroupCommand::UpdateDirect(UpdateDirect {
            by: person(),
            name: Some(Some("Birds".into())),
            icon: None,
        }),
        GroupCommand::AddRecipient(AddRecipient {
            by: person(),
            user: person(),
        }),
        GroupCommand::RemoveRecipient(RemoveRecipient {
            by: person(),
            user: person(),
        }),
        GroupCommand::Reap(Reap {
            channel: Some(CHANNEL),
            piece: ReapPiece::Rows {
                table: TableId::Reactions,
                keys: vec![Key::new(1, "a/1")],
            },
        }),
        GroupCommand::Reap(Reap {
            channel: None,
            piece: ReapPiece::Expired,
        }),
    ]
}

fn present() -> Present {
    Present {
        user: BY,
        session: "s".into(),
    }
}

fn voice_commands() -> Vec<GroupCommand> {
    let at = fixed::media_node();
    vec![
        GroupCommand::JoinVoice(JoinVoice {
            by: person(),
            session: "s".into(),
            channel: CHANNEL,
            said: fixed::said(),
            at: at.clone(),
        }),
        GroupCommand::LeaveVoice(LeaveVoice {
            by: BY,
            session: "s".into(),
        }),
        GroupCommand::BeatRoom(BeatRoom {
            room: RoomId {
                group: GroupId(20),
                channel: CHANNEL,
                life: 9,
            },
            node: at.node.clone(),
            runs_ms: 30_000,
            present: vec![present()],
            gone: vec![present()],
        }),
        GroupCommand::LoseRooms(LoseRooms {
            node: at.node.clone(),
            at,
            only: None,
        }),
    ]
}

pub(crate) fn group_commands() -> Vec<GroupCommand> {
    let by = BY;
    let mut all = vec![
        GroupCommand::CreateGroup(CreateGroup {
            by: person(),
            name: "Birds".into(),
            icon: None,
        }),
        GroupCommand::GetGroup(GetGroup { by }),
        GroupCommand::UpdateGroup(UpdateGroup {
            by,
            patch: GroupPatch {
                name: Some("Rooks".into()),
                description: Some(None),
                system_channel: Some(Some(CHANNEL)),
                owner: None,
                icon: Some(Some("i".into())),
            },
            reason: why(),
        }),
        GroupCommand::DeleteGroup(DeleteGroup { by }),
        GroupCommand::Subscribe(Subscribe { by }),
    ];
    all.extend(channel_commands());
    all.extend(member_commands());
    all.extend(message_commands());
    all.extend(direct_commands());
    all.extend(voice_commands());
    all
}

pub(crate) fn group_replies() -> Vec<GroupReply> {
    let groups = fixed::group();
    let view = GroupView {
        group: groups[0].clone(),
        member_count: 3,
        permissions: Permissions::ALL,
    };
    let channel = ChannelView {
        channel: groups[0].channels[0].clone(),
        last_message: Some(MESSAGE),
        group: Some(GroupId(20)),
    };
    let invite = fixed::invite()[0].clone();
    let invited = InviteView {
        invite: invite.clone(),
        group: groups[1].clone(),
        member_count: 3,
        new_member: true,
    };
    let direct = DirectView {
        group: groups[2].clone(),
        people: vec![BY],
        last_message: None,
    };
    let (members, role) = (fixed::member(), groups[0].roles[0].clone());
    let (me, row) = (members[0].clone(), message());
    let access = AccessPicture {
        owner: Some(BY),
        roles: vec![(RoleId(20), Permissions::DEFAULT)],
        channels: vec![(
            CHANNEL,
            ChannelAccess {
                overwrites: vec![overwrite()],
                body: bytes::Bytes::from_static(b"{}"),
            },
        )],
    };
    vec![
        GroupReply::CreateGroup(view.clone()),
        GroupReply::GetGroup(view.clone()),
        GroupReply::UpdateGroup(view.clone()),
        GroupReply::DeleteGroup(()),
        GroupReply::Subscribe(Subscribed {
            gseq: 9,
            view,
            last_messages: vec![(CHANNEL, MESSAGE)],
            access: Arc::new(access),
            members: members.clone(),
            me: me.clone(),
            voice: vec![VoiceState {
                row: fixed::voice_state()[0].clone(),
                mute: true,
                deaf: false,
            }],
        }),
        GroupReply::CreateChannel(channel.clone()),
        GroupReply::GetChannel(channel.clone()),
        GroupReply::ListChannels(vec![channel.clone()]),
        GroupReply::UpdateChannel(channel.clone()),
        GroupReply::DeleteChannel(channel),
        GroupReply::CreateInvite(invite.clone()),
        GroupReply::ListInvites(vec![invite]),
        GroupReply::GetInvite(invited.clone()),
        GroupReply::DeleteInvite(invited.clone()),
        GroupReply::AcceptInvite(invited),
        GroupReply::AddBot(()),
        GroupReply::GetMember(me.clone()),
        GroupReply::ListMembers(members.clone()),
        GroupReply::RemoveMember(()),
        GroupReply::GetMembers(members.clone()),
        GroupReply::SearchMembers(members),
        GroupReply::UpdateMember(me),
        GroupReply::SetMemberRole(()),
        GroupReply::CreateRole(role.clone()),
        GroupReply::UpdateRole(role.clone()),
        GroupReply::MoveRoles(vec![role]),
        GroupReply::DeleteRole(()),
        GroupReply::PutOverwrite(()),
        GroupReply::DeleteOverwrite(()),
        GroupReply::MoveChannels(()),
        GroupReply::Ban(()),
        GroupReply::Unban(()),
        GroupReply::EndPurge(()),
        GroupReply::Authorize(()),
        GroupReply::PostMessage(Posted {
            message: fixed::message()[1].clone(),
            repeated: true,
        }),
        GroupReply::EditMessage(row),
        GroupReply::DeleteMessage(vec![AttachmentId(60)]),
        GroupReply::BulkDelete(vec![]),
        GroupReply::AddReaction(()),
        GroupReply::RemoveReaction(()),
        GroupReply::ClearReactions(()),
        GroupReply::SetPinned(()),
        GroupReply::ReadHistory(()),
        GroupReply::StartTyping(Typing {
            show_to: vec![BY],
            dispatch: Some(dispatch()),
        }),
        GroupReply::CreatePair(direct.clone()),
        GroupReply::CreateDirect(direct.clone()),
        GroupReply::GetDirect(direct.clone()),
        GroupReply::SetOpen(direct.clone()),
        GroupReply::SetRelation(direct.clone()),
        GroupReply::UpdateDirect(direct.clone()),
        GroupReply::AddRecipient(direct),
        GroupReply::RemoveRecipient(()),
        GroupReply::Reap(()),
        GroupReply::JoinVoice(()),
        GroupReply::LeaveVoice(()),
        GroupReply::BeatRoom(RoomOrders::Close),
        GroupReply::BeatRoom(RoomOrders::Go(vec![RoomMember {
            who: present(),
            rights: MediaRights {
                speak: true,
                stream: false,
                hear: true,
            },
        }])),
        GroupReply::LoseRooms(()),
    ]
}
