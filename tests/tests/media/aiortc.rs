//! aiortc (Python), a client that shares no code with us, both ways: through a real node, its gateway and its voice sockets.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rookery_tests::harness::{
    Admission, Community, Gateway, Node, NodeOptions, VoiceSocket, shape, soon,
};
use rookery_tests::voice::world::own_address;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Decoding in Python is slow, and the machine is shared.
const PATIENCE: Duration = Duration::from_secs(40);

/// A Python with aiortc; `./tests/run media` makes it.
fn python() -> PathBuf {
    let own = std::env::var_os("ROOKERY_AIORTC").map(PathBuf::from);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/aiortc/bin/python");
    let python = own.unwrap_or(folder);
    assert!(
        python.exists(),
        "{} is missing: run `./tests/run media` once, or name a Python with aiortc in ROOKERY_AIORTC",
        python.display()
    );
    python
}

struct Aiortc {
    /// Ends with it.
    _child: Child,
    _input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    voice: VoiceSocket,
    /// What it has decoded.
    seen: Value,
}

impl Aiortc {
    /// Starts it, and lets it in by the voice socket as somebody who sends a voice and a camera.
    async fn join(admission: &Admission) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/aiortc/client.py");
        let mut child = Command::new(python())
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut input = child.stdin.take().unwrap();
        let (mut voice, _) = VoiceSocket::identify(admission).await;
        let offer = soon("an offer", output.next_line()).await.unwrap();
        let offer: Value = serde_json::from_str(&offer.unwrap()).unwrap();
        let offer = json!({ "protocol": "webrtc", "sdp": offer["offer"] });
        voice.say(1, offer).await;
        let answer = voice.until(4).await;
        let line = format!("{}\n", json!({ "answer": answer["sdp"] }));
        input.write_all(line.as_bytes()).await.unwrap();
        voice
            .say(12, json!({ "camera": true, "screen": false }))
            .await;
        Self {
            _child: child,
            _input: input,
            output,
            voice,
            seen: Value::Null,
        }
    }

    async fn wants(&mut self, user: &str) {
        let want = json!({ "user_id": user, "stream": "camera", "height": 240 });
        self.voice.say(15, json!({ "wants": [want] })).await;
    }

    /// The sum of a count over the sections of a kind.
    fn sum(&self, kind: &str, count: &str) -> u64 {
        let sections = self.seen[kind].as_object();
        let counts = sections.map(|sections| sections.values().map(|s| s[count].as_u64()));
        counts.map_or(0, |counts| counts.flatten().sum())
    }

    /// Waits until it has decoded pictures that move, and sound.
    async fn sees_and_hears(&mut self) {
        while self.sum("video", "frames") < 60
            || self.sum("video", "changes") < 30
            || self.sum("audio", "loud") < 100
        {
            let line = self.output.next_line().await.unwrap().unwrap();
            self.seen = serde_json::from_str(&line).unwrap();
        }
    }
}

async fn admitted(node: &Node, gateway: &mut Gateway, user: &str, place: [&str; 2]) -> Admission {
    let [group, channel] = place;
    gateway.be_in(group, Some(channel)).await;
    Admission::next(node, gateway, user).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_of_aiortc_hear_and_see_each_other() {
    // It does not look for ways over the loopback.
    let listen = own_address().to_string();
    let node = Node::start_with(NodeOptions {
        env: vec![("ROOKERY_VOICE_LISTEN".to_owned(), listen)],
        ..NodeOptions::default()
    })
    .await;
    let Community {
        ada, ben, group, ..
    } = Community::new(&node).await;
    let voice = ada.voice_channel(&group).await;
    let (mut first, mut second) = (ada.connect(&node).await, ben.connect(&node).await);
    let place = [group.as_str(), voice.as_str()];
    let mut one = Aiortc::join(&admitted(&node, &mut first, &ada.id, place).await).await;
    let mut two = Aiortc::join(&admitted(&node, &mut second, &ben.id, place).await).await;
    one.wants(&ben.id).await;
    two.wants(&ada.id).await;
    let both = async { tokio::join!(one.sees_and_hears(), two.sees_and_hears()) };
    if tokio::time::timeout(PATIENCE, both).await.is_err() {
        panic!("pictures and sound: {}, {}", one.seen, two.seen);
    }
    // Operators see how it travels.
    let rooms = node.asked(&["rooms"]).await;
    insta::assert_json_snapshot!("rooms_with_people", shape(&rooms));
}
