//! One or two rows of every table, each optional field once there and once not.

use bytes::Bytes;
use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::command::Notice;
use rookery_protocol::document::{
    Application, ApplicationRow, ChannelDocument, ChannelKind, ChannelOwner, EventRow,
    GroupDocument, InviteOwner, InviteRow, KeyUse, Login, MarkRow, MemberRow, Membership,
    MessageKind, MessageRow, NodeRow, Nonce, OutboxRow, RoleDocument, SigningKeyRow, UserDocument,
    UsernameRow,
};
use rookery_protocol::event::{Act, Audience, Dispatch, Event, EventName};
use rookery_protocol::ids::{ChannelId, GroupId, LoginId, MessageId, RoleId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::permissions::Permissions;
use rookery_protocol::profile::Profile;
use rookery_protocol::time::Millis;

const USER: UserId = UserId(1 << 60);
const GROUP: GroupId = GroupId(20);
const CHANNEL: ChannelId = ChannelId(30);
const AT: Millis = Millis(1_795_412_460_123);

fn profile(id: UserId) -> Profile {
    Profile {
        id,
        username: "ada".into(),
        global_name: Some("Ada \u{1f426}".into()),
        avatar: None,
        bot: false,
    }
}

pub(crate) fn user() -> Vec<UserDocument> {
    let person = UserDocument {
        schema: UserDocument::SCHEMA,
        version: 7,
        profile: profile(USER),
        email: Some("ada@example.org".into()),
        password_hash: Some("$argon2id$v=19$".into()),
        operator: true,
        logins: vec![Login {
            id: LoginId(5),
            generation: 3,
            secret_hash: "00ff".into(),
            device: "curl".into(),
            address: "::1".into(),
            created_at: AT,
            used_at: AT.plus(1),
        }],
        application: None,
        created_at: AT,
    };
    let bot = UserDocument {
        profile: Profile {
            global_name: None,
            avatar: Some("a".into()),
            bot: true,
            ..profile(UserId(2))
        },
        email: None,
        password_hash: None,
        operator: false,
        logins: vec![],
        application: Some(Application {
            owner: USER,
            name: "Bot".into(),
            token_generation: 1,
        }),
        ..person.clone()
    };
    vec![person, bot]
}

pub(crate) fn username() -> Vec<UsernameRow> {
    vec![UsernameRow { user: USER }]
}

pub(crate) fn application() -> Vec<ApplicationRow> {
    vec![ApplicationRow {
        application: UserId(2),
    }]
}

pub(crate) fn group() -> Vec<GroupDocument> {
    let channel = ChannelDocument {
        id: CHANNEL,
        kind: ChannelKind::Text,
        name: "general".into(),
        position: 0,
        parent: Some(ChannelId(31)),
        topic: Some("all".into()),
        nsfw: false,
        rate_limit_per_user: 5,
        bitrate: 64_000,
        user_limit: 0,
    };
    let kinds = [ChannelKind::Voice, ChannelKind::Category];
    let others = kinds.map(|kind| ChannelDocument {
        kind,
        parent: None,
        topic: None,
        ..channel.clone()
    });
    let role = RoleDocument {
        id: GROUP.everyone(),
        name: "@everyone".into(),
        color: 0xff_ff_ff,
        hoist: true,
        position: 0,
        permissions: Permissions::ALL,
        mentionable: false,
        bot: Some(UserId(2)),
    };
    let group = GroupDocument {
        schema: GroupDocument::SCHEMA,
        id: GROUP,
        name: "Birds".into(),
        icon: Some("i".into()),
        description: Some("of a feather".into()),
        owner: USER,
        system_channel: Some(CHANNEL),
        created_at: AT,
        channels: [vec![channel], others.to_vec()].concat(),
        roles: vec![role],
    };
    let bare = GroupDocument {
        icon: None,
        description: None,
        system_channel: None,
        channels: vec![],
        roles: vec![],
        ..group.clone()
    };
    vec![group, bare]
}

pub(crate) fn member() -> Vec<MemberRow> {
    vec![MemberRow {
        user: USER,
        nick: Some("A".into()),
        roles: vec![RoleId(40), RoleId(41)],
        joined_at: AT,
    }]
}

pub(crate) fn membership() -> Vec<Membership> {
    vec![Membership { group: GROUP }]
}

pub(crate) fn channel() -> Vec<ChannelOwner> {
    vec![ChannelOwner { group: GROUP }]
}

pub(crate) fn invite() -> Vec<InviteRow> {
    vec![InviteRow {
        code: "abcdefghij".into(),
        channel: CHANNEL,
        inviter: USER,
        max_age: 86_400,
        max_uses: 100,
        uses: 1,
        created_at: AT,
    }]
}

pub(crate) fn invite_code() -> Vec<InviteOwner> {
    vec![InviteOwner { group: GROUP }]
}

pub(crate) fn message() -> Vec<MessageRow> {
    let reply = MessageRow {
        id: MessageId(50),
        channel: CHANNEL,
        author: USER,
        kind: MessageKind::Reply,
        content: "NUL \0 and \u{1f426}".into(),
        tts: true,
        edited_at: Some(AT),
        nonce: Some(Nonce::Text("n".into())),
        mentions: vec![USER, UserId(2)],
        reply_to: Some(MessageId(49)),
        flags: u32::MAX,
    };
    let plain = MessageRow {
        kind: MessageKind::Default,
        content: String::new(),
        tts: false,
        edited_at: None,
        nonce: Some(Nonce::Number(i64::MIN)),
        mentions: vec![],
        reply_to: None,
        flags: 0,
        ..reply.clone()
    };
    let join = MessageRow {
        kind: MessageKind::Join,
        nonce: None,
        ..plain.clone()
    };
    vec![reply, plain, join]
}

pub(crate) fn event() -> Vec<EventRow> {
    let dispatch = Dispatch {
        name: EventName::MessageCreate,
        body: Bytes::from_static(b"{\"content\":\"\xc3\xa9\"}"),
        intents: Intents::GUILD_MESSAGES,
        content_for: Some(vec![USER]),
    };
    let acts = [
        Act::Dispatch(dispatch.clone()),
        Act::Farewell(Dispatch {
            name: EventName::GuildDelete,
            content_for: None,
            ..dispatch
        }),
        Act::Enter(GROUP),
        Act::Close {
            login: Some(LoginId(5)),
            code: CloseCode::AuthenticationFailed,
        },
        Act::Announce,
    ];
    let row = |(n, act)| EventRow {
        at: AT,
        event: Event {
            audience: match n {
                0 => Audience::Everyone,
                _ => Audience::User(USER),
            },
            act,
        },
    };
    acts.into_iter().enumerate().map(row).collect()
}

pub(crate) fn outbox() -> Vec<OutboxRow> {
    vec![
        OutboxRow {
            to: USER.into(),
            notice: Notice::Joined(GROUP),
        },
        OutboxRow {
            to: GROUP.into(),
            notice: Notice::ProfileChanged(profile(USER)),
        },
    ]
}

pub(crate) fn mark() -> Vec<MarkRow> {
    vec![MarkRow {
        sender: GROUP.into(),
        seq: 9,
    }]
}

pub(crate) fn node() -> Vec<NodeRow> {
    vec![NodeRow {
        incarnation: 3,
        id_ceiling: AT,
    }]
}

pub(crate) fn signing_key() -> Vec<SigningKeyRow> {
    [KeyUse::Access, KeyUse::Bot]
        .map(|use_for| SigningKeyRow {
            kid: "k1".into(),
            use_for,
            secret: (0..32).collect(),
            created_at: AT,
        })
        .to_vec()
}
