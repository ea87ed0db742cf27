//! discord.js, unmodified, pointed at the real server.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rookery_tests::harness::{Community, Node};
use tokio::process::Command;

/// Groups enough that both of two shards have some: the bit of the id that decides is one of its millisecond.
const GROUPS: usize = 12;

/// Runs a script against a community with a bot in it that may do everything.
async fn discord_js(script: &str, node: &Node, community: &Community, token: &str, groups: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/discordjs");
    assert!(
        folder.join("node_modules").is_dir(),
        "run `npm ci` in {} (tests/run does)",
        folder.display()
    );
    let script = Command::new("node")
        .arg(script)
        .current_dir(&folder)
        .env("ROOKERY_API", format!("{}/api", node.url()))
        .env("BOT_TOKEN", token)
        .env("PERSON_TOKEN", &community.ada.token)
        .env("PERSON_ID", &community.ada.id)
        .env("OTHER_ID", &community.ben.id)
        .env("GROUP", &community.group)
        .env("GROUPS", groups)
        .env("CHANNEL", &community.channel)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(90), script)
        .await
        .expect("discord.js took over 90 s")
        .expect("node runs");
    let (said, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    println!("{said}");
    assert!(output.status.success(), "{said}\n{errors}");
    assert!(said.contains("all checks passed"), "{said}\n{errors}");
}

/// A community with a bot of these permissions.
async fn with_bot(node: &Node, permissions: &str) -> (Community, String, String) {
    let community = Community::new(node).await;
    let (application, token) = community.ada.create_bot("Rook").await;
    let added = community
        .ada
        .authorize(&application, &community.group, permissions)
        .await;
    assert!(matches!(added.status, 200 | 204), "{}", added.text);
    (community, application, token)
}

#[tokio::test]
async fn discord_js_chats_and_resumes() {
    let node = Node::start().await;
    let (community, _, token) = with_bot(&node, "0").await;
    discord_js("chat.js", &node, &community, &token, "").await;
}

#[tokio::test]
async fn discord_js_works_with_messages() {
    let node = Node::start().await;
    let (community, _, token) = with_bot(&node, "8").await;
    discord_js("messages.js", &node, &community, &token, "").await;
}

#[tokio::test]
async fn discord_js_moderates() {
    let node = Node::start().await;
    let (community, _, token) = with_bot(&node, "8").await;
    discord_js("moderation.js", &node, &community, &token, "").await;
}

#[tokio::test]
async fn discord_js_runs_two_shards() {
    let node = Node::start().await;
    let (community, application, token) = with_bot(&node, "0").await;
    let mut groups = vec![community.group.clone()];
    let shard_of = |group: &String| (group.parse::<u64>().unwrap() >> 22) % 2;
    // Which shard a group is on is decided by the millisecond in which it was made: until each shard has one.
    while groups.len() < GROUPS
        || groups
            .iter()
            .all(|one| shard_of(one) == shard_of(&groups[0]))
    {
        let (group, _) = community.ada.create_group("Another").await;
        let added = community.ada.authorize(&application, &group, "0").await;
        assert!(matches!(added.status, 200 | 204), "{}", added.text);
        groups.push(group);
    }
    discord_js("shards.js", &node, &community, &token, &groups.join(",")).await;
}
