//! twilight, unmodified: a bot's ordinary day, with its own connections cut below it.

use rookery_tests::harness::{Community, DEADLINE, Node};
use rookery_tests::servers::Proxy;
use twilight_gateway::{ConfigBuilder, Event, EventTypeFlags, Intents, Shard, ShardId, StreamExt};
use twilight_http::Client;
use twilight_http::request::AuditLogReason;
use twilight_http::request::channel::reaction::RequestReactionType;
use twilight_model::gateway::payload::outgoing::RequestGuildMembers;
use twilight_model::guild::Permissions;
use twilight_model::guild::audit_log::AuditLogEventType;
use twilight_model::http::attachment::Attachment;
use twilight_model::id::Id;
use twilight_model::id::marker::{ChannelMarker, GuildMarker, UserMarker};

/// A bot in a community.
struct Bot {
    http: Client,
    token: String,
    cable: Proxy,
    group: Id<GuildMarker>,
    channel: Id<ChannelMarker>,
    ben: Id<UserMarker>,
}

impl Bot {
    async fn new(node: &Node, c: &Community) -> Self {
        let (application, token) = c.ada.create_bot("Rook").await;
        let added = c.ada.authorize(&application, &c.group, "8").await;
        assert!(matches!(added.status, 200 | 204), "{}", added.text);
        let http = Client::builder()
            .proxy(node.address().to_string(), true)
            .token(token.clone())
            .build();
        Self {
            http,
            token,
            cable: Proxy::to(node.address()).await,
            group: c.group.parse().expect("an id"),
            channel: c.channel.parse().expect("an id"),
            ben: c.ben.id.parse().expect("an id"),
        }
    }

    fn shard(&self, id: ShardId) -> Shard {
        let intents = Intents::all();
        let config = ConfigBuilder::new(self.token.clone(), intents)
            .proxy_url(format!("ws://{}", self.cable.address()));
        Shard::with_config(id, config.build())
    }
}

/// The first event that is wanted; any error of the library but a lost connection fails the test.
async fn wait<T>(shard: &mut Shard, what: &str, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
    let found = async {
        loop {
            let event = shard.next_event(EventTypeFlags::all()).await;
            match event.expect("an event") {
                Ok(event) => {
                    if let Some(found) = wanted(event) {
                        break found;
                    }
                }
                Err(error) => assert!(
                    !format!("{error:?}").contains("Deserializing"),
                    "waiting for {what}: {error:?}"
                ),
            }
        }
    };
    let found = tokio::time::timeout(DEADLINE, found).await;
    found.unwrap_or_else(|_| panic!("no {what}"))
}

macro_rules! model {
    ($request:expr) => {
        $request
            .await
            .expect("an answer")
            .model()
            .await
            .expect("a model")
    };
}

macro_rules! models {
    ($request:expr) => {
        $request
            .await
            .expect("an answer")
            .models()
            .await
            .expect("models")
    };
}

/// Identifies and waits for the group.
async fn ready(bot: &Bot, shard: &mut Shard) {
    wait(shard, "READY", |event| {
        matches!(event, Event::Ready(_)).then_some(())
    })
    .await;
    let group = bot.group;
    wait(shard, "GUILD_CREATE", |event| match event {
        Event::GuildCreate(created) => (created.id() == group).then_some(()),
        _ => None,
    })
    .await;
}

#[tokio::test]
async fn twilight_talks() {
    let node = Node::start().await;
    let c = Community::new(&node).await;
    let bot = Bot::new(&node, &c).await;
    let (http, channel) = (&bot.http, bot.channel);
    let me = model!(http.current_user());
    assert!(me.bot);
    let mut shard = bot.shard(ShardId::ONE);
    ready(&bot, &mut shard).await;

    let said = c.ada.http.say(&c.channel, "hello, rook").await;
    let heard = wait(&mut shard, "the message", |event| match event {
        Event::MessageCreate(message) => (message.content == "hello, rook").then_some(message),
        _ => None,
    })
    .await;
    assert_eq!(said["id"], heard.id.to_string());
    let reply = model!(
        http.create_message(channel)
            .reply(heard.id)
            .content("hello, person")
    );
    assert_eq!(
        reply.referenced_message.map(|first| first.id),
        Some(heard.id)
    );
    let edited = model!(
        http.update_message(channel, reply.id)
            .content(Some("hello yourself"))
    );
    assert!(edited.edited_timestamp.is_some());
    http.delete_message(channel, reply.id)
        .await
        .expect("deleted");
    wait(&mut shard, "the deletion", |event| match event {
        Event::MessageDelete(gone) => (gone.id == reply.id).then_some(()),
        _ => None,
    })
    .await;
    let history = models!(http.channel_messages(channel).limit(10));
    assert_eq!(history[0].content, "hello, rook");

    let bird = RequestReactionType::Unicode { name: "\u{1f426}" };
    http.create_reaction(channel, heard.id, &bird)
        .await
        .expect("a reaction");
    wait(&mut shard, "the reaction", |event| match event {
        Event::ReactionAdd(added) => (added.message_id == heard.id).then_some(()),
        _ => None,
    })
    .await;
    let users = models!(http.reactions(channel, heard.id, &bird));
    assert_eq!(users[0].id, me.id);
    http.delete_current_user_reaction(channel, heard.id, &bird)
        .await
        .expect("taken back");

    http.create_pin(channel, heard.id).await.expect("pinned");
    let pins = model!(http.pins(channel));
    assert_eq!(pins.items[0].message.id, heard.id);
    http.delete_pin(channel, heard.id).await.expect("unpinned");

    let file = Attachment::from_bytes("notes.txt".to_owned(), b"some bytes".to_vec(), 0);
    let sent = model!(
        http.create_message(channel)
            .content("look")
            .attachments(std::slice::from_ref(&file))
    );
    assert_eq!(sent.attachments[0].filename, "notes.txt");
    let client = reqwest::Client::builder().no_proxy().build();
    let client = client.expect("a client");
    let file = client.get(&sent.attachments[0].url).send().await;
    let bytes = file.expect("a file").bytes().await.expect("bytes");
    assert_eq!(bytes, &b"some bytes"[..]);

    let mut ids = Vec::new();
    for n in 0..3 {
        let content = format!("number {n}");
        ids.push(model!(http.create_message(channel).content(&content)).id);
    }
    http.delete_messages(channel, &ids)
        .await
        .expect("all deleted");
    wait(&mut shard, "the bulk deletion", |event| match event {
        Event::MessageDeleteBulk(gone) => (gone.ids.len() == 3).then_some(()),
        _ => None,
    })
    .await;
}

#[tokio::test]
async fn twilight_moderates() {
    let node = Node::start().await;
    let c = Community::new(&node).await;
    let bot = Bot::new(&node, &c).await;
    let (http, group) = (&bot.http, bot.group);
    let mut shard = bot.shard(ShardId::ONE);
    ready(&bot, &mut shard).await;

    let request = RequestGuildMembers::builder(group).query("", None);
    shard.command(&request);
    let chunk = wait(&mut shard, "members", |event| match event {
        Event::MemberChunk(chunk) => Some(chunk),
        _ => None,
    })
    .await;
    assert_eq!(chunk.members.len(), 3);
    assert_eq!(models!(http.guild_members(group).limit(10)).len(), 3);
    let found = models!(http.search_guild_members(group, "be"));
    assert_eq!(found[0].user.id, bot.ben);

    let role = model!(
        http.create_role(group)
            .name("Helpers")
            .permissions(Permissions::MANAGE_MESSAGES)
            .reason("we need some")
    );
    http.add_guild_member_role(group, bot.ben, role.id)
        .await
        .expect("given");
    wait(&mut shard, "the new role", |event| match event {
        Event::MemberUpdate(member) => member.roles.contains(&role.id).then_some(()),
        _ => None,
    })
    .await;
    let member = model!(http.guild_member(group, bot.ben));
    assert_eq!(member.roles, [role.id]);
    let renamed = model!(
        http.update_guild_member(group, bot.ben)
            .nick(Some("Benny"))
            .reason("nicer")
    );
    assert_eq!(renamed.nick.as_deref(), Some("Benny"));
    http.delete_role(group, role.id).await.expect("deleted");

    http.create_ban(group, bot.ben)
        .delete_message_seconds(3_600)
        .reason("spam")
        .await
        .expect("banned");
    wait(&mut shard, "the ban", |event| match event {
        Event::BanAdd(ban) => (ban.user.id == bot.ben).then_some(()),
        _ => None,
    })
    .await;
    let ban = model!(http.ban(group, bot.ben));
    assert_eq!(ban.reason.as_deref(), Some("spam"));
    let log = model!(http.audit_log(group).limit(50));
    let reasons: Vec<_> = log
        .entries
        .iter()
        .filter(|entry| {
            matches!(
                entry.action_type,
                AuditLogEventType::RoleCreate | AuditLogEventType::MemberBanAdd
            )
        })
        .map(|entry| entry.reason.as_deref())
        .collect();
    assert_eq!(reasons, [Some("spam"), Some("we need some")]);
    http.delete_ban(group, bot.ben).await.expect("unbanned");
    assert_eq!(models!(http.bans(group)).len(), 0);
}

#[tokio::test]
async fn twilight_resumes_and_loses_nothing() {
    const ROUNDS: usize = 3;
    const EACH: usize = 10;
    let node = Node::start().await;
    let c = Community::new(&node).await;
    let bot = Bot::new(&node, &c).await;
    let mut shard = bot.shard(ShardId::ONE);
    ready(&bot, &mut shard).await;
    let mut resumed = 0;
    for round in 0..ROUNDS {
        for n in 0..EACH {
            if n == EACH / 2 {
                bot.cable.cut();
            }
            let content = format!("round {round} message {n}");
            c.ada.http.say(&c.channel, &content).await;
        }
        let (mut next, resumes) = (0, &mut resumed);
        wait(&mut shard, "every message", |event| match event {
            Event::MessageCreate(message) => {
                assert_eq!(message.content, format!("round {round} message {next}"));
                next += 1;
                (next == EACH).then_some(())
            }
            Event::Resumed => {
                *resumes += 1;
                None
            }
            Event::Ready(_) => panic!("the session was lost: it identified again"),
            _ => None,
        })
        .await;
    }
    assert!(resumed >= ROUNDS - 1, "resumed {resumed} times");
}

#[tokio::test]
async fn twilight_shards() {
    let node = Node::start().await;
    let c = Community::new(&node).await;
    let bot = Bot::new(&node, &c).await;
    for index in 0..2 {
        let mut shard = bot.shard(ShardId::new(index, 2));
        let ready = wait(&mut shard, "READY", |event| match event {
            Event::Ready(ready) => Some(ready),
            _ => None,
        })
        .await;
        let is_here = (bot.group.get() >> 22) % 2 == u64::from(index);
        assert_eq!(ready.guilds.len(), usize::from(is_here));
        assert_eq!(
            ready.shard.map(|id| (id.number(), id.total())),
            Some((index, 2))
        );
    }
}
