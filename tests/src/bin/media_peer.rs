//! Media workers alone in a process, for benches and the soak: told what to do on standard input, a JSON object a line, each answered by
//! one on standard output.
//!
//! `media_peer ADDRESS [--no-estimate]`
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a panic in test code is the report"
)]

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, Write};
use std::sync::Arc;

use parking_lot::Mutex;
use rookery_node::voice::media::{Media, MediaEvent, MediaSettings, PeerId, RoomMedia};
use rookery_protocol::client::voice::{MediaRights, Streams, Want};
use rookery_protocol::ids::UserId;
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// The server's, so that what is measured is what it takes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn say(value: &Value) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{value}").expect("standard output");
    out.flush().expect("standard output");
}

/// What it is told. The runtime would read on threads of its blocking pool, which never rest then; sessions are built there, and each
/// thread keeps memory of its own.
fn orders() -> mpsc::Receiver<String> {
    let (tell, told) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            if tell.blocking_send(line.expect("standard input")).is_err() {
                return;
            }
        }
    });
    told
}

#[tokio::main]
async fn main() {
    let mut words = std::env::args().skip(1);
    let address = words
        .next()
        .expect("an address")
        .parse()
        .expect("an address");
    let media = Media::start(&MediaSettings {
        listen: vec![address],
        estimate: words.next().as_deref() != Some("--no-estimate"),
        ..MediaSettings::default()
    })
    .expect("media workers");
    let estimates: Arc<Mutex<Estimates>> = Arc::default();
    let mut rooms: HashMap<u64, Arc<RoomMedia>> = HashMap::new();
    let mut orders = orders();
    say(&json!({"ready": true}));
    while let Some(line) = orders.recv().await {
        let order: Value = serde_json::from_str(&line).expect("JSON");
        let number = |name: &str| order[name].as_u64().unwrap_or(0);
        let (key, peer) = (number("room"), PeerId(number("peer")));
        if key == 0 {
            say(&load(&media, &estimates.lock()));
            continue;
        }
        let open = || Arc::new(media.open(key, estimating(&estimates)));
        let room = rooms.entry(key).or_insert_with(open).clone();
        match order["op"].as_str() {
            Some("offer") => {
                let (user, id) = (UserId(peer.0), order["id"].clone());
                let sdp = order["sdp"].as_str().unwrap_or("").to_owned();
                let rights = MediaRights {
                    speak: true,
                    stream: true,
                    hear: true,
                };
                tokio::spawn(async move {
                    let answer = room.answer(peer, user, rights, &sdp).await;
                    room.streams(
                        peer,
                        Streams {
                            camera: true,
                            screen: false,
                        },
                    );
                    // Who hears the answer may close the room, and finds it closed then.
                    drop(room);
                    let answer = answer.map_err(|error| error.to_string());
                    say(&json!({"id": id, "answer": answer.ok()}));
                });
            }
            Some("want") => {
                let wants: Vec<Want> =
                    serde_json::from_value(order["wants"].clone()).expect("wants");
                room.want(peer, wants);
            }
            Some("streams") => {
                let streams = Streams {
                    camera: order["camera"] == true,
                    screen: order["screen"] == true,
                };
                room.streams(peer, streams);
            }
            Some("leave") => {
                room.leave(peer);
                estimates.lock().remove(&peer);
            }
            Some("close") => {
                rooms.remove(&key);
            }
            _ => say(&json!({"error": "no such order"})),
        }
    }
}

/// What is thought of each peer's way.
type Estimates = BTreeMap<PeerId, u64>;

/// Hears a room, and remembers the estimates.
fn estimating(estimates: &Arc<Mutex<Estimates>>) -> impl Fn(MediaEvent) + Send + 'static {
    let estimates = estimates.clone();
    move |event| {
        if let MediaEvent::Stats(peer, stats) = event
            && let Some(bps) = stats.estimate_bps
        {
            estimates.lock().insert(peer, bps);
        }
    }
}

/// What the workers count, and a line of it for people.
fn load(media: &Media, estimates: &Estimates) -> Value {
    let mut all: Vec<_> = estimates.values().copied().collect();
    all.sort_unstable();
    let at = |share: usize| all.get(all.len() * share / 100).copied();
    let load = media.load();
    let text = format!(
        "{load:?}, estimates of 5%, 50% and 95% {:?}",
        (at(5), at(50), at(95))
    );
    let counters: BTreeMap<&str, u64> = load.named().into_iter().collect();
    json!({ "load": text, "counters": counters })
}
