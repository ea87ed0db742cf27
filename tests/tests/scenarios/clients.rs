//! Real client libraries, unmodified, pointed at the real server.

use std::path::Path;
use std::process::Stdio;

use rookery_tests::harness::{Community, Node};
use tokio::process::Command;

#[tokio::test]
async fn discord_js_chats_and_resumes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/discordjs");
    assert!(
        folder.join("node_modules").is_dir(),
        "run `npm ci` in {} (tests/run does)",
        folder.display()
    );
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (application, token) = community.ada.create_bot("Rook").await;
    let added = community
        .ada
        .authorize(&application, &community.group, "0")
        .await;
    assert!(matches!(added.status, 200 | 204), "{}", added.text);
    let script = Command::new("node")
        .arg("chat.js")
        .current_dir(&folder)
        .env("ROOKERY_API", format!("{}/api", node.url()))
        .env("BOT_TOKEN", token)
        .env("PERSON_TOKEN", &community.ada.token)
        .env("GROUP", &community.group)
        .env("CHANNEL", &community.channel)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(std::time::Duration::from_secs(90), script)
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
