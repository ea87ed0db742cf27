//! discord.js and twilight, unmodified, behind one address, as behind a load balancer, while the nodes behind it are restarted
//! one after the other: they resume, miss nothing and see nothing twice.

use std::path::Path;
use std::process::Stdio;

use rookery_tests::harness::load::{Load, Read, check_history, history};
use rookery_tests::harness::{Cluster, ClusterOptions, Community, soon};
use rookery_tests::servers::Proxy;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::sync::mpsc;
use twilight_gateway::{ConfigBuilder, Event, EventTypeFlags, Intents, Shard, ShardId, StreamExt};

const NODES: usize = 2;

/// What a library tells of.
enum Told {
    /// READY.
    Ready,
    /// RESUMED.
    Resumed,
    /// A message.
    Message(Read),
    /// Somebody said "end".
    End,
}

type Tell = mpsc::UnboundedSender<Told>;

/// Follows a channel with twilight.
async fn twilight(entrance: String, token: String, tell: Tell) {
    let intents = Intents::GUILDS | Intents::GUILD_MESSAGES | Intents::MESSAGE_CONTENT;
    let config = ConfigBuilder::new(token, intents).proxy_url(format!("ws://{entrance}"));
    let mut shard = Shard::with_config(ShardId::ONE, config.build());
    while let Some(event) = shard.next_event(EventTypeFlags::all()).await {
        let told = match event {
            Ok(Event::Ready(_)) => Told::Ready,
            Ok(Event::Resumed) => Told::Resumed,
            Ok(Event::MessageCreate(message)) if message.content == "end" => Told::End,
            Ok(Event::MessageCreate(message)) => {
                Told::Message((message.id.to_string(), message.content.clone()))
            }
            // It connects again by itself.
            Ok(_) | Err(_) => continue,
        };
        let is_end = matches!(told, Told::End);
        if tell.send(told).is_err() || is_end {
            return;
        }
    }
}

/// Follows a channel with discord.js.
async fn discord_js(entrance: String, token: String, tell: Tell) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/discordjs");
    let mut script = Command::new("node")
        .arg("follow.js")
        .current_dir(&folder)
        .env("ROOKERY_API", format!("http://{entrance}/api"))
        .env("BOT_TOKEN", token)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node runs");
    let mut lines = BufReader::new(script.stdout.take().expect("its output")).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let said: Value = serde_json::from_str(&line).expect("a line of JSON");
        let told = match said["id"].as_str() {
            Some(id) => {
                let content = said["content"].as_str().expect("a content");
                Told::Message((id.to_owned(), content.to_owned()))
            }
            None if said["ready"] == true => Told::Ready,
            None if said["resumed"] == true => Told::Resumed,
            None => Told::End,
        };
        if tell.send(told).is_err() {
            return;
        }
    }
}

/// Restarts all nodes under a library that follows a channel through the entrance.
async fn rolling_restart<F>(library: impl FnOnce(String, String, Tell) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let entrance = Proxy::unaimed().await;
    let options = ClusterOptions {
        public_url: Some(format!("http://{}", entrance.address())),
        ..ClusterOptions::default()
    };
    let mut cluster = Cluster::start_with(NODES, options).await;
    entrance.aim(cluster.nodes[0].address());
    let mut community = Community::new(&cluster.nodes[0]).await;
    let (application, token) = community.ada.create_bot("Rook").await;
    let added = community.ada.authorize(&application, &community.group, "0");
    let added = added.await;
    assert!(matches!(added.status, 200 | 204), "{}", added.text);
    let path = community.messages();
    let people = [community.ada.clone(), community.ben.clone()];
    let (tell, mut told) = mpsc::unbounded_channel();
    let running = tokio::spawn(library(entrance.address().to_string(), token, tell));
    let ready = soon("READY", told.recv()).await;
    assert!(matches!(ready, Some(Told::Ready)));
    let mut load = Load::start(&people, cluster.nodes[1].url(), &path);
    let mut shown = Vec::new();
    for n in 0..NODES {
        load.goes_on(20).await;
        let next = (n + 1) % NODES;
        load.moved(cluster.nodes[next].url());
        entrance.aim(cluster.nodes[next].address());
        assert!(cluster.nodes[n].terminate().await.success());
        let resumed = async {
            loop {
                match told.recv().await.expect("the library runs") {
                    Told::Resumed => return,
                    Told::Message(message) => shown.push(message),
                    Told::Ready => panic!("a session was lost"),
                    Told::End => panic!("nobody said so"),
                }
            }
        };
        soon("RESUMED", resumed).await;
        cluster.restart(n).await;
    }
    load.goes_on(20).await;
    let acknowledged = load.finish().await;
    community.at(&cluster.nodes[0]);
    let kept = history(&community.ada.http, &path).await;
    check_history(&kept, &acknowledged);
    community.ada.http.say(&community.channel, "end").await;
    let ended = async {
        loop {
            match told.recv().await.expect("the library runs") {
                Told::Message(message) => shown.push(message),
                Told::End => return,
                Told::Resumed => {}
                Told::Ready => panic!("a session was lost"),
            }
        }
    };
    soon("the end", ended).await;
    assert_eq!(shown, kept);
    soon("the library ends", running).await.expect("no panic");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twilight_misses_nothing_while_all_nodes_are_restarted() {
    rolling_restart(twilight).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discord_js_misses_nothing_while_all_nodes_are_restarted() {
    rolling_restart(discord_js).await;
}
