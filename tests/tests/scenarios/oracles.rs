//! A busy little community, seen by its owner, a member and a bot. The harness reads everything that any of them sees with
//! the models of two libraries; here is seen to it that all there is happens at least once.

use std::collections::BTreeSet;

use reqwest::Method;
use rookery_protocol::event::EventName;
use rookery_tests::harness::{Community, Gateway, Http, Node, Person, id, oracle};
use serde_json::{Value, json};

/// Takes what a session got so far.
async fn names(gateway: &mut Gateway, into: &mut BTreeSet<String>) {
    gateway.heartbeat().await;
    into.extend(gateway.take().into_iter().map(|event| event.name));
}

async fn put(http: &Http, path: &str, body: Value) -> Value {
    let answer = http.send(http.request(Method::PUT, path).json(&body)).await;
    assert!(
        matches!(answer.status, 200 | 204),
        "{path}: {}",
        answer.text
    );
    answer.body
}

async fn gone(http: &Http, path: &str) {
    let answer = http.delete(path).await;
    assert!(
        matches!(answer.status, 200 | 204),
        "{path}: {}",
        answer.text
    );
}

#[tokio::test]
async fn libraries_understand_everything_a_community_shows() {
    let node = Node::start().await;
    let c = Community::new(&node).await;
    let (application, token) = c.ada.create_bot("Rook").await;
    c.ada.authorize(&application, &c.group, "8").await;
    let bot = node.http().with_token(&format!("Bot {token}"));
    let mut sessions = [
        c.ada.connect(&node).await,
        c.ben.connect(&node).await,
        Gateway::identify(&node, &format!("Bot {token}")).await,
    ];
    settings(&c, &bot, &application).await;
    channels(&c, &bot).await;
    roles_and_members(&c, &bot).await;
    messages(&c, &bot).await;
    direct(&c, &bot).await;
    arrivals(&node, &c, &mut sessions).await;
    removal(&c, &bot).await;

    let mut seen: BTreeSet<String> = [
        // Taken by the harness, or awaited in `arrivals`.
        "READY",
        "GUILD_CREATE",
        "RESUMED",
        "GUILD_MEMBERS_CHUNK",
        "PRESENCE_UPDATE",
        "VOICE_STATE_UPDATE",
        "VOICE_SERVER_UPDATE",
    ]
    .map(str::to_owned)
    .into();
    for session in &mut sessions {
        names(session, &mut seen).await;
    }
    let [_, _, listener] = sessions;
    listener.cut().resume().await;
    println!("seen: {seen:?}; {} objects", oracle::read_so_far());
    assert!(oracle::read_so_far() > 100);
    let missing: Vec<&str> = EventName::ALL
        .iter()
        .map(|name| name.wire())
        .filter(|name| !seen.contains(*name) && !oracle::PEOPLES.contains(name))
        .collect();
    assert_eq!(missing, [""; 0], "events that nothing here causes");
}

async fn settings(c: &Community, bot: &Http, application: &str) {
    for path in [
        "/gateway",
        "/gateway/bot",
        "/users/@me",
        "/users/@me/guilds",
        "/oauth2/applications/@me",
        "/applications/@me",
    ] {
        bot.get(path).await.expect(200);
    }
    c.ben
        .http
        .get(&format!("/users/{application}"))
        .await
        .expect(200);
    let group = format!("/guilds/{}", c.group);
    bot.get(&format!("{group}?with_counts=true"))
        .await
        .expect(200);
    let change = json!({ "name": "Ravens", "description": "birds" });
    bot.patch(&group, change).await.expect(200);
    bot.get(&format!("/users/@me{group}/member"))
        .await
        .expect(200);
    let code = c.ada.invite(&c.channel).await;
    c.ben
        .http
        .get(&format!("/invites/{code}?with_counts=true"))
        .await
        .expect(200);
    bot.get(&format!("{group}/invites")).await.expect(200);
    bot.get(&format!("/channels/{}/invites", c.channel))
        .await
        .expect(200);
    bot.delete(&format!("/invites/{code}")).await.expect(200);
}

async fn channels(c: &Community, bot: &Http) {
    let list = format!("/guilds/{}/channels", c.group);
    let mut made = Vec::new();
    for (kind, name) in [(4, "Staff"), (0, "staff"), (2, "Staff")] {
        let form = json!({ "type": kind, "name": name, "topic": "hush", "rate_limit_per_user": 5 });
        made.push(id(&bot.post(&list, form).await.expect(201)));
    }
    bot.get(&list).await.expect(200);
    let text = format!("/channels/{}", made[1]);
    let change = json!({ "parent_id": made[0], "nsfw": true, "topic": null });
    bot.patch(&text, change).await.expect(200);
    let overwrite = format!("{text}/permissions/{}", c.ben.id);
    put(bot, &overwrite, json!({ "type": 1, "deny": "1024" })).await;
    bot.get(&text).await.expect(200);
    gone(bot, &overwrite).await;
    for channel in made {
        bot.delete(&format!("/channels/{channel}"))
            .await
            .expect(200);
    }
}

async fn roles_and_members(c: &Community, bot: &Http) {
    let roles = format!("/guilds/{}/roles", c.group);
    let form = json!({ "name": "Helpers", "color": 255, "hoist": true, "permissions": "8192" });
    let role = id(&bot.post(&roles, form).await.expect(200));
    bot.get(&roles).await.expect(200);
    let one = format!("{roles}/{role}");
    bot.patch(&one, json!({ "name": "Assistants" }))
        .await
        .expect(200);
    let places = json!([{ "id": role, "position": 1 }]);
    bot.patch(&roles, places).await.expect(200);
    let members = format!("/guilds/{}/members", c.group);
    let ben = format!("{members}/{}", c.ben.id);
    put(bot, &format!("{ben}/roles/{role}"), json!({})).await;
    bot.get(&ben).await.expect(200);
    bot.get(&format!("{members}?limit=10")).await.expect(200);
    bot.get(&format!("{members}/search?query=b"))
        .await
        .expect(200);
    bot.patch(&ben, json!({ "nick": "Benny" }))
        .await
        .expect(200);
    let until = json!({ "communication_disabled_until": "2099-01-01T00:00:00Z" });
    bot.patch(&ben, until)
        .await
        .bad_field("communication_disabled_until");
    gone(bot, &format!("{ben}/roles/{role}")).await;
    gone(bot, &one).await;
}

async fn messages(c: &Community, bot: &Http) {
    let all = c.messages();
    bot.post(&format!("/channels/{}/typing", c.channel), json!({}))
        .await
        .expect(204);
    let mention = format!("<@{}> look", c.ben.id);
    let first = id(&c.ada.http.say(&c.channel, &mention).await);
    let embed = json!({
        "title": "Rooks", "description": "birds", "url": "https://chat.example/", "color": 255,
        "timestamp": "2026-01-01T00:00:00.000Z", "footer": { "text": "end" },
        "author": { "name": "Ada" }, "fields": [{ "name": "a", "value": "b", "inline": true }],
        "image": { "url": "https://chat.example/a.png" },
        "thumbnail": { "url": "https://chat.example/a.png" },
    });
    let reply = json!({
        "content": "well", "embeds": [embed], "nonce": "7", "tts": true,
        "message_reference": { "message_id": first },
    });
    let reply = id(&bot.post(&all, reply).await.expect(200));
    let one = format!("{all}/{reply}");
    bot.patch(&one, json!({ "content": "better" }))
        .await
        .expect(200);
    bot.get(&one).await.expect(200);

    let bird = "%F0%9F%90%A6";
    let reactions = format!("{one}/reactions");
    put(bot, &format!("{reactions}/{bird}/@me"), json!({})).await;
    put(&c.ben.http, &format!("{reactions}/{bird}/@me"), json!({})).await;
    bot.get(&format!("{reactions}/{bird}")).await.expect(200);
    bot.get(&one).await.expect(200);
    gone(bot, &format!("{reactions}/{bird}/{}", c.ben.id)).await;
    gone(bot, &format!("{reactions}/{bird}")).await;
    put(bot, &format!("{reactions}/{bird}/@me"), json!({})).await;
    gone(bot, &reactions).await;

    let pin = format!("/channels/{}/pins/{reply}", c.channel);
    put(bot, &pin, json!({})).await;
    bot.get(&format!("/channels/{}/pins", c.channel))
        .await
        .expect(200);
    bot.get(&format!("{all}/pins")).await.expect(200);
    gone(bot, &pin).await;

    gone(bot, &one).await;
    bot.get(&all).await.expect(200);
    let mut many = Vec::new();
    for n in 0..2 {
        many.push(id(&c.ben.http.say(&c.channel, &format!("{n}")).await));
    }
    let path = format!("{all}/bulk-delete");
    bot.post(&path, json!({ "messages": many }))
        .await
        .expect(204);
}

async fn direct(c: &Community, bot: &Http) {
    let path = "/users/@me/channels";
    let form = json!({ "recipient_id": c.ben.id });
    let channel = id(&bot.post(path, form).await.expect(200));
    let message = id(&bot.say(&channel, "psst").await);
    c.ben.http.say(&channel, "yes?").await;
    let one = format!("/channels/{channel}/messages/{message}");
    bot.patch(&one, json!({ "content": "nothing" }))
        .await
        .expect(200);
    bot.get(&format!("/channels/{channel}")).await.expect(200);
    bot.get(&format!("/channels/{channel}/messages"))
        .await
        .expect(200);
    gone(bot, &one).await;
}

/// Somebody comes, somebody has another name, and the bot asks who is there.
async fn arrivals(node: &Node, c: &Community, sessions: &mut [Gateway; 3]) {
    let cid = Person::register(node, "cid").await;
    cid.accept(&c.ada.invite(&c.channel).await).await;
    let name = json!({ "global_name": "Ben the Third" });
    c.ben.http.patch("/users/@me", name).await.expect(200);
    let [ada, ben, bot] = sessions;
    let voice = c.ada.voice_channel(&c.group).await;
    ada.be_in(&c.group, Some(&voice)).await;
    ada.wait_for("VOICE_SERVER_UPDATE", |_| true).await;
    bot.wait_for("VOICE_STATE_UPDATE", |_| true).await;
    let request = json!({ "guild_id": c.group, "query": "", "limit": 0, "presences": true });
    bot.send(8, request).await;
    bot.wait_for("GUILD_MEMBERS_CHUNK", |_| true).await;
    let idle = json!({ "status": "idle", "since": 0, "activities": [], "afk": false });
    ben.send(3, idle).await;
    bot.wait_for("PRESENCE_UPDATE", |one| one["status"] == "idle")
        .await;
}

async fn removal(c: &Community, bot: &Http) {
    let group = format!("/guilds/{}", c.group);
    let ban = format!("{group}/bans/{}", c.ben.id);
    put(bot, &ban, json!({ "delete_message_seconds": 60 })).await;
    bot.get(&ban).await.expect(200);
    bot.get(&format!("{group}/bans")).await.expect(200);
    gone(bot, &ban).await;
    bot.get(&format!("{group}/audit-logs?limit=100"))
        .await
        .expect(200);
}
