//! aiortc (Python), a client that shares no code with us, both ways.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rookery_node::voice::media::{MediaSettings, PeerId};
use rookery_protocol::client::voice::{StreamKind, Streams, Want};
use rookery_protocol::ids::UserId;
use rookery_tests::voice::World;
use rookery_tests::voice::world::{ALL, own_address, settings};
use serde_json::{Value, json};

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
    child: Child,
    input: ChildStdin,
    seen: Arc<Mutex<Value>>,
}

impl Aiortc {
    /// Starts it in the room as somebody who sends a voice and a camera.
    fn join(world: &World, number: u64) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/aiortc/client.py");
        let mut child = Command::new(python())
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut input = child.stdin.take().unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let offer: Value = serde_json::from_str(&line).unwrap();
        let offer = offer["offer"].as_str().unwrap();
        let answer = world.offer(number, number, ALL, offer).unwrap();
        writeln!(input, "{}", json!({"answer": answer})).unwrap();
        world.room.streams(
            PeerId(number),
            Streams {
                camera: true,
                screen: false,
            },
        );
        let seen = Arc::new(Mutex::new(Value::Null));
        let told = seen.clone();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Ok(value) = serde_json::from_str(&line) {
                    *told.lock() = value;
                }
            }
        });
        Self { child, input, seen }
    }

    /// The sum of a count over the sections of a kind.
    fn sum(&self, kind: &str, count: &str) -> u64 {
        let seen = self.seen.lock();
        let sections = seen[kind].as_object();
        let counts = sections.map(|sections| sections.values().map(|s| s[count].as_u64()));
        counts.map_or(0, |counts| counts.flatten().sum())
    }
}

impl Drop for Aiortc {
    fn drop(&mut self) {
        let _ = self.input.flush();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn two_of_aiortc_hear_and_see_each_other() {
    let mut world = World::with(&MediaSettings {
        listen: vec![own_address()],
        ..settings()
    });
    let people = [Aiortc::join(&world, 1), Aiortc::join(&world, 2)];
    for (me, other) in [(1, 2), (2, 1)] {
        let want = Want {
            user_id: UserId(other),
            stream: StreamKind::Camera,
            height: 240,
        };
        world.room.want(PeerId(me), vec![want]);
    }
    let both = world.until(Duration::from_secs(40), |_| {
        people.iter().all(|one| {
            one.sum("video", "frames") >= 60
                && one.sum("video", "changes") >= 30
                && one.sum("audio", "loud") >= 100
        })
    });
    for one in &people {
        eprintln!("{}", one.seen.lock());
    }
    assert!(both, "pictures and sound: {:?}", world.media.load());
    assert_eq!(world.media.load().failed, 0);
}
