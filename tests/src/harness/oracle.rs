//! Oracles: everything a scenario sees of the server must be understood by the models of two client libraries that were
//! written against Discord itself.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use reqwest::Method;
use serde::de::{DeserializeOwned, DeserializeSeed};
use serde_json::{Value, json};
use serenity::model as serenity;
use twilight_model as twilight;
use twilight_model::gateway::event::DispatchEventWithTypeDeserializer;

/// Events of people's clients, which no library for bots has a model of.
/// And RATE_LIMITED, whose `meta` twilight reads by a tag that Discord does not send.
pub const PEOPLES: [&str; 10] = [
    "CHANNEL_RECIPIENT_ADD",
    "CHANNEL_RECIPIENT_REMOVE",
    "GUILD_MEMBER_LIST_UPDATE",
    "MESSAGE_ACK",
    "RATE_LIMITED",
    "RELATIONSHIP_ADD",
    "RELATIONSHIP_REMOVE",
    "RELATIONSHIP_UPDATE",
    "USER_SETTINGS_UPDATE",
    "VOICE_REFUSED",
];

/// The type of a direct channel of a few people, which no bot is in.
const GROUP_DIRECT: u64 = 3;

static READ: AtomicUsize = AtomicUsize::new(0);

/// How many objects both models have read in this process.
pub fn read_so_far() -> usize {
    READ.load(Relaxed)
}

fn agree(
    what: &str,
    value: &Value,
    faults: impl IntoIterator<Item = (&'static str, Option<String>)>,
) {
    for (model, fault) in faults {
        if let Some(fault) = fault {
            panic!("{model} does not understand {what}: {fault}\n{value:#}");
        }
    }
    READ.fetch_add(1, Relaxed);
}

/// What is wrong with a value as a `T`. Libraries read text, not values: some of their fields borrow from it.
fn fault<T: DeserializeOwned>(value: &Value) -> Option<String> {
    serde_json::from_str::<T>(&value.to_string())
        .err()
        .map(|error| error.to_string())
}

/// Reads a dispatch.
///
/// # Panics
/// A model does not understand it.
pub fn event(name: &str, data: &Value) {
    let is_direct = data["guild_id"].is_null();
    // Presences without a group are those of friends, which bots do not have.
    let is_peoples = PEOPLES.contains(&name)
        || data["type"] == GROUP_DIRECT && name.starts_with("CHANNEL_")
        || is_direct && name == "PRESENCE_UPDATE";
    if is_peoples {
        return;
    }
    let reader = DispatchEventWithTypeDeserializer::new(name);
    let text = data.to_string();
    let read = reader.deserialize(&mut serde_json::Deserializer::from_str(&text));
    let faults = [
        ("twilight", read.err().map(|error| error.to_string())),
        // Its events of channels read those of groups only.
        (
            "serenity",
            serenity_event(name, data).filter(|_| !(is_direct && name.starts_with("CHANNEL_"))),
        ),
    ];
    agree(name, data, faults);
}

/// What serenity says of a dispatch. Its own enum of events takes what it cannot read for an event it does not know, so
/// the type is chosen here.
fn serenity_event(name: &str, data: &Value) -> Option<String> {
    macro_rules! events {
        ($($name:literal: $event:ident),* $(,)?) => {
            match name {
                $($name => fault::<serenity::event::$event>(data),)*
                // Its fields are read with those of the message that it changes.
                other => Some(format!("{other} has no model here")),
            }
        };
    }
    events! {
        "READY": ReadyEvent, "RESUMED": ResumedEvent, "USER_UPDATE": UserUpdateEvent,
        "GUILD_CREATE": GuildCreateEvent, "GUILD_UPDATE": GuildUpdateEvent, "GUILD_DELETE": GuildDeleteEvent,
        "CHANNEL_CREATE": ChannelCreateEvent, "CHANNEL_UPDATE": ChannelUpdateEvent,
        "CHANNEL_DELETE": ChannelDeleteEvent, "CHANNEL_PINS_UPDATE": ChannelPinsUpdateEvent,
        "GUILD_MEMBER_ADD": GuildMemberAddEvent, "GUILD_MEMBER_UPDATE": GuildMemberUpdateEvent,
        "GUILD_MEMBER_REMOVE": GuildMemberRemoveEvent, "GUILD_MEMBERS_CHUNK": GuildMembersChunkEvent,
        "GUILD_ROLE_CREATE": GuildRoleCreateEvent, "GUILD_ROLE_UPDATE": GuildRoleUpdateEvent,
        "GUILD_ROLE_DELETE": GuildRoleDeleteEvent, "GUILD_BAN_ADD": GuildBanAddEvent,
        "GUILD_BAN_REMOVE": GuildBanRemoveEvent, "GUILD_AUDIT_LOG_ENTRY_CREATE": GuildAuditLogEntryCreateEvent,
        "INVITE_CREATE": InviteCreateEvent, "INVITE_DELETE": InviteDeleteEvent,
        "MESSAGE_CREATE": MessageCreateEvent, "MESSAGE_UPDATE": MessageUpdateEvent,
        "MESSAGE_DELETE": MessageDeleteEvent, "MESSAGE_DELETE_BULK": MessageDeleteBulkEvent,
        "MESSAGE_REACTION_ADD": ReactionAddEvent, "MESSAGE_REACTION_REMOVE": ReactionRemoveEvent,
        "MESSAGE_REACTION_REMOVE_ALL": ReactionRemoveAllEvent,
        "MESSAGE_REACTION_REMOVE_EMOJI": ReactionRemoveEmojiEvent,
        "VOICE_STATE_UPDATE": VoiceStateUpdateEvent, "VOICE_SERVER_UPDATE": VoiceServerUpdateEvent,
        "TYPING_START": TypingStartEvent, "PRESENCE_UPDATE": PresenceUpdateEvent,
    }
}

/// Reads the answer to a request, if it is of a route that libraries have a model for.
///
/// # Panics
/// A model does not understand it.
pub fn answer(method: &Method, path: &str, status: u16, body: &Value) {
    if !(200..300).contains(&status) || body.is_null() {
        return;
    }
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let what = format!("{method} {path}");
    macro_rules! both {
        ($twilight:ty, $serenity:ty) => {
            both!($twilight, $serenity, body)
        };
        ($twilight:ty, $serenity:ty, $adapted:expr) => {
            agree(
                &what,
                body,
                [
                    ("twilight", fault::<$twilight>(body)),
                    ("serenity", fault::<$serenity>($adapted)),
                ],
            )
        };
    }
    use self::serenity as s;
    use self::twilight as t;
    match (method.as_str(), parts.as_slice()) {
        ("GET", ["gateway"]) => both!(
            t::gateway::connection_info::ConnectionInfo,
            s::gateway::Gateway
        ),
        ("GET", ["gateway", "bot"]) => both!(
            t::gateway::connection_info::BotConnectionInfo,
            s::gateway::BotGateway
        ),
        ("GET" | "PATCH", ["users", "@me"]) => both!(t::user::CurrentUser, s::user::CurrentUser),
        ("GET", ["users", "@me", "guilds"]) => {
            both!(Vec<t::user::CurrentUserGuild>, Vec<s::guild::GuildInfo>);
        }
        ("GET", ["users", id]) if *id != "@me" => both!(t::user::User, s::user::User),
        ("GET", ["applications" | "oauth2", .., "@me"]) => both!(
            t::oauth::Application,
            s::application::CurrentApplicationInfo
        ),
        ("POST", ["guilds"]) | ("GET" | "PATCH", ["guilds", _]) => {
            both!(t::guild::Guild, s::guild::PartialGuild);
        }
        ("GET", ["guilds", _, "channels"]) => {
            both!(Vec<t::channel::Channel>, Vec<s::channel::GuildChannel>);
        }
        ("POST", ["guilds", _, "channels"]) => {
            both!(t::channel::Channel, s::channel::GuildChannel);
        }
        ("GET" | "PATCH" | "DELETE", ["channels", _]) | ("POST", ["users", "@me", "channels"])
            if body["type"] != GROUP_DIRECT =>
        {
            both!(t::channel::Channel, s::channel::Channel);
        }
        ("GET" | "PATCH", ["guilds", group, "roles"]) => {
            both!(
                Vec<t::guild::Role>,
                Vec<s::guild::Role>,
                &in_group(body, group)
            );
        }
        ("POST", ["guilds", group, "roles"]) | ("PATCH", ["guilds", group, "roles", _]) => {
            both!(t::guild::Role, s::guild::Role, &in_group(body, group));
        }
        ("GET", ["guilds", group, "members"]) | ("GET", ["guilds", group, "members", "search"]) => {
            both!(
                Vec<t::guild::Member>,
                Vec<s::guild::Member>,
                &in_group(body, group)
            );
        }
        ("GET" | "PATCH", ["guilds", group, "members", _])
        | ("GET", ["users", "@me", "guilds", group, "member"]) => {
            both!(t::guild::Member, s::guild::Member, &in_group(body, group));
        }
        ("GET", ["guilds", _, "bans"]) => both!(Vec<t::guild::Ban>, Vec<s::guild::Ban>),
        ("GET", ["guilds", _, "bans", _]) => both!(t::guild::Ban, s::guild::Ban),
        ("GET", ["guilds", _, "audit-logs"]) => {
            both!(
                t::guild::audit_log::AuditLog,
                s::guild::audit_log::AuditLogs
            );
        }
        ("GET", ["guilds" | "channels", _, "invites"]) => {
            both!(Vec<t::guild::invite::Invite>, Vec<s::invite::RichInvite>);
        }
        ("POST", ["channels", _, "invites"]) => {
            both!(t::guild::invite::Invite, s::invite::RichInvite);
        }
        ("GET" | "POST" | "DELETE", ["invites", _]) => {
            both!(t::guild::invite::Invite, s::invite::Invite);
        }
        ("GET", ["channels", _, "messages", "pins"]) => {
            both!(t::channel::message::PinsListing, Value);
        }
        ("GET", ["channels", _, "messages" | "pins"]) => {
            both!(Vec<t::channel::Message>, Vec<s::channel::Message>);
        }
        ("POST", ["channels", _, "messages"])
        | ("GET" | "PATCH", ["channels", _, "messages", _]) => {
            both!(t::channel::Message, s::channel::Message);
        }
        ("GET", ["channels", _, "messages", _, "reactions", _]) => {
            both!(Vec<t::user::User>, Vec<s::user::User>);
        }
        _ => {}
    }
}

/// The objects with the group they are of, which serenity adds itself from the path before it reads them.
fn in_group(body: &Value, group: &str) -> Value {
    let mut body = body.clone();
    let add = |object: &mut Value| object["guild_id"] = json!(group);
    match &mut body {
        Value::Array(objects) => objects.iter_mut().for_each(add),
        object => add(object),
    }
    body
}
