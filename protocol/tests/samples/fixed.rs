//! One or two rows of every table, each optional field once there and once not.

use bytes::Bytes;
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
        deleted: false,
        suspended: false,
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
            description: "Sings".into(),
            privileged: Intents::MESSAGE_CONTENT,
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
        overwrites: vec![
            Overwrite {
                target: OverwriteTarget::Role(RoleId(40)),
                allow: Permissions::SPEAK,
                deny: Permissions::NONE,
            },
            Overwrite {
                target: OverwriteTarget::Member(USER),
                allow: Permissions::NONE,
                deny: Permissions::VIEW_CHANNEL,
            },
        ],
        last_pin_at: Some(AT),
    };
    let kinds = [ChannelKind::Voice, ChannelKind::Category];
    let others = kinds.map(|kind| ChannelDocument {
        kind,
        parent: None,
        topic: None,
        overwrites: vec![],
        last_pin_at: None,
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
        direct: None,
        sanctions: Vec::new(),
    };
    let bare = GroupDocument {
        icon: None,
        description: None,
        system_channel: None,
        channels: vec![],
        roles: vec![],
        ..group.clone()
    };
    let left = GroupDocument {
        sanctions: vec![SanctionDocument {
            user: UserId(2),
            timeout_until: Some(AT),
            mute: true,
            deaf: false,
        }],
        ..bare.clone()
    };
    let direct = GroupDocument {
        direct: Some(DirectDocument {
            pair: Some(PairDocument {
                people: [UserId(2), USER],
                friendship: Friendship::Asked(USER),
                since: AT,
                blocks: [true, false],
            }),
            closed: vec![USER],
        }),
        ..bare.clone()
    };
    vec![group, bare, direct, left]
}

pub(crate) fn member() -> Vec<MemberRow> {
    vec![MemberRow {
        user: USER,
        nick: Some("A".into()),
        roles: vec![RoleId(40), RoleId(41)],
        joined_at: AT,
        username: "ada".into(),
        global_name: Some("Ada".into()),
        timeout_until: Some(AT),
        mute: true,
        deaf: false,
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

fn embed() -> Embed {
    let url = || "https://bird.example/a.png".to_owned();
    Embed {
        kind: "rich".into(),
        title: Some("Birds".into()),
        description: Some("of a feather".into()),
        url: Some(url()),
        timestamp: Some("2026-11-23T05:41:00Z".into()),
        color: Some(0xff_ff_ff),
        footer: Some(EmbedFooter {
            text: "end".into(),
            icon_url: Some(url()),
        }),
        image: Some(EmbedMedia { url: url() }),
        thumbnail: Some(EmbedMedia { url: url() }),
        author: Some(EmbedAuthor {
            name: "Ada".into(),
            url: Some(url()),
            icon_url: None,
        }),
        fields: vec![EmbedField {
            name: "wings".into(),
            value: "2".into(),
            inline: true,
        }],
    }
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
        mention_everyone: true,
        mention_roles: vec![RoleId(40)],
        embeds: vec![embed()],
        attachments: vec![Attachment {
            id: AttachmentId(60),
            filename: "a.png".into(),
            description: Some("A bird".into()),
            size: 9,
            content_type: "image/png".into(),
            width: Some(3),
            height: Some(2),
        }],
        reactions: vec![ReactionCount {
            emoji: "\u{1f426}".into(),
            count: 2,
        }],
        pinned: true,
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
        mention_everyone: false,
        mention_roles: vec![],
        embeds: vec![],
        attachments: vec![],
        reactions: vec![],
        pinned: false,
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
        about: None,
    };
    let acts = [
        Act::Dispatch(dispatch.clone()),
        Act::Farewell(Dispatch {
            name: EventName::GuildDelete,
            content_for: None,
            about: None,
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
                1 => Audience::Channel(CHANNEL),
                2 => Audience::Holders {
                    permissions: Permissions::VIEW_AUDIT_LOG,
                    channel: Some(CHANNEL),
                },
                _ => Audience::User(USER),
            },
            act,
            access: match n {
                0 => Some(AccessChange::Owner(USER)),
                1 => Some(AccessChange::Role(RoleId(40), Some(Permissions::SPEAK))),
                2 => Some(AccessChange::Member(USER, vec![RoleId(40)])),
                3 => Some(AccessChange::Channel(
                    CHANNEL,
                    Some(ChannelAccess {
                        overwrites: vec![],
                        body: Bytes::from_static(b"{}"),
                    }),
                )),
                _ => None,
            },
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
        OutboxRow {
            to: GROUP.into(),
            notice: Notice::AccountDeleted(profile(USER)),
        },
        OutboxRow {
            to: USER.into(),
            notice: Notice::Show(Dispatch {
                name: EventName::MessageCreate,
                body: Bytes::from_static(b"{}"),
                intents: Intents::DIRECT_MESSAGES,
                content_for: None,
                about: Some(USER),
            }),
        },
        OutboxRow {
            to: USER.into(),
            notice: Notice::Mentioned(mention()[0].clone()),
        },
        OutboxRow {
            to: USER.into(),
            notice: Notice::Related {
                user: UserId(2),
                relation: Relation::Incoming,
            },
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

pub(crate) fn restore() -> Vec<RestoreRow> {
    vec![RestoreRow { created_at: AT }]
}

pub(crate) fn signing_key() -> Vec<SigningKeyRow> {
    [KeyUse::Access, KeyUse::Bot, KeyUse::Files]
        .map(|use_for| SigningKeyRow {
            kid: "k1".into(),
            use_for,
            secret: (0..32).collect(),
            created_at: AT,
        })
        .to_vec()
}

pub(crate) fn read_state() -> Vec<ReadStateRow> {
    vec![ReadStateRow {
        channel: CHANNEL,
        last_read: MessageId(50),
    }]
}

pub(crate) fn mention() -> Vec<MentionRow> {
    [Some(GROUP), None]
        .map(|group| MentionRow {
            channel: CHANNEL,
            message: MessageId(50),
            group,
            author: USER,
        })
        .to_vec()
}

pub(crate) fn direct() -> Vec<DirectRow> {
    let pair = DirectRow {
        channel: CHANNEL,
        recipients: vec![USER],
        open: true,
        relation: Relation::Friend,
        since: AT,
        group: None,
    };
    let few = DirectRow {
        relation: Relation::None,
        group: Some(DirectGroup {
            name: Some("Birds".into()),
            icon: None,
            owner: USER,
        }),
        ..pair.clone()
    };
    vec![pair, few]
}

pub(crate) fn pair() -> Vec<PairRow> {
    vec![PairRow { channel: CHANNEL }]
}

pub(crate) fn ban() -> Vec<BanRow> {
    vec![BanRow {
        user: USER,
        reason: Some("spam".into()),
        by: UserId(2),
        at: AT,
    }]
}

pub(crate) fn purge() -> Vec<PurgeRow> {
    vec![PurgeRow {
        user: USER,
        by: UserId(2),
        above: MessageId(50),
        below: MessageId(60),
    }]
}

pub(crate) fn audit() -> Vec<AuditRow> {
    let change = AuditChange {
        key: "name".into(),
        old_value: None,
        new_value: Some("Birds".into()),
    };
    vec![AuditRow {
        id: AuditId(70),
        by: USER,
        action: AuditAction::RoleCreate,
        target: Some(40),
        reason: Some("why not".into()),
        changes: vec![change],
        options: Some(serde_json::json!({ "count": "1" })),
    }]
}

pub(crate) fn ended_group() -> Vec<EndedGroup> {
    vec![EndedGroup {
        channels: vec![CHANNEL],
        at: AT,
    }]
}

pub(crate) fn pin() -> Vec<PinRow> {
    vec![PinRow {
        message: MessageId(50),
        at: AT,
    }]
}

pub(crate) fn reaction() -> Vec<ReactionRow> {
    vec![ReactionRow {
        emoji: "\u{1f426}".into(),
        user: USER,
    }]
}

pub(crate) fn attachment() -> Vec<AttachmentOwner> {
    vec![AttachmentOwner {
        message: MessageId(50),
    }]
}

fn incarnation_id() -> IncarnationId {
    IncarnationId {
        node: "n1".into(),
        number: 3,
    }
}

pub(crate) fn incarnation() -> Vec<IncarnationRow> {
    [Phase::Live, Phase::Evicted, Phase::Ended, Phase::Fenced]
        .map(|phase| IncarnationRow {
            counter: 7,
            phase,
            lanes: 1,
            worker: 1_023,
            id_floor: AT,
            process: 1 << 62,
            started: AT,
        })
        .to_vec()
}

pub(crate) fn worker() -> Vec<WorkerRow> {
    vec![WorkerRow {
        holder: incarnation_id(),
        ceiling: AT,
    }]
}

pub(crate) fn shard() -> Vec<ShardRow> {
    vec![ShardRow {
        owner: incarnation_id(),
        lane: 0,
        epoch: 5,
        released: true,
    }]
}

pub(crate) fn view() -> Vec<ViewRow> {
    let states = [
        NodeState::Joining,
        NodeState::Up,
        NodeState::Draining,
        NodeState::Evicted,
    ];
    let node = |state| ViewNode {
        id: incarnation_id(),
        state,
        joined: 2,
        address: "10.0.0.2:4100".to_owned(),
    };
    vec![ViewRow {
        version: 9,
        cuts: 1,
        nodes: states.map(node).to_vec(),
        pins: vec![Pin {
            shard: 7,
            node: "n2".to_owned(),
        }],
    }]
}

pub(crate) fn admin_token() -> Vec<AdminTokenRow> {
    [Role::Read, Role::Act]
        .map(|role| AdminTokenRow {
            name: "grafana".to_owned(),
            role,
            secret_hash: "00ff".to_owned(),
            by: "local".to_owned(),
            made_at: AT,
            ends_at: AT,
        })
        .to_vec()
}

pub(crate) fn admin_act() -> Vec<ActRow> {
    let actor = ActorId {
        kind: ActorKind::Group,
        id: 1 << 62,
    };
    let to = Some("n2".to_owned());
    let user = "5".to_owned();
    [
        AdminAct::Restart { actor },
        AdminAct::Migrate { actor, to },
        AdminAct::Suspend { user, undo: true },
        AdminAct::Backup { files: true },
    ]
    .map(|act| ActRow {
        at: AT,
        node: "n1".to_owned(),
        by: "local".to_owned(),
        act,
        outcome: Some("done".to_owned()),
    })
    .to_vec()
}

pub(crate) fn request() -> Vec<RequestRow> {
    let request = RequestId {
        caller: 1 << 62,
        number: 7,
    };
    let answer = bson::rawdoc! { "Ok": { "PostMessage": { "id": 50_i64 } } };
    [Some(answer), None]
        .map(|answer| RequestRow { request, answer })
        .to_vec()
}

pub(crate) fn media_node() -> MediaNode {
    MediaNode {
        node: incarnation_id(),
        endpoint: "a.example:443".into(),
        url: Some("wss://a.example/voice".into()),
    }
}

pub(crate) fn said() -> Said {
    Said {
        self_mute: true,
        self_deaf: false,
        self_video: true,
        self_stream: false,
    }
}

pub(crate) fn voice_state() -> Vec<VoiceRow> {
    vec![VoiceRow {
        user: USER,
        channel: CHANNEL,
        session: "s".into(),
        since: AT,
        said: said(),
        suppress: true,
        profile: profile(USER),
    }]
}

pub(crate) fn room() -> Vec<RoomRow> {
    vec![RoomRow {
        channel: CHANNEL,
        life: 9,
        since: AT,
        at: media_node(),
    }]
}

pub(crate) fn room_at() -> Vec<RoomAtRow> {
    vec![RoomAtRow {
        group: GROUP,
        node: incarnation_id(),
    }]
}
