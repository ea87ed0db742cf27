//! What forwarding voice and video costs, and what it delivers, beside Janus under the same load.
//!
//! `cargo bench -p rookery-tests --bench voice -- [PART...]`; parts: cost, contended, join, memory, storm, table. Without a
//! part: all. Server and clients have a core each.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a bench reads clocks and prints figures"
)]

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rookery_tests::bench::sfu::{
    Crowd, Flow, Janus, Options, Sfu, Workers, middle, own_address, quantile,
};
use rookery_tests::bench::{Table, pin_generator};
use rookery_tests::voice::{Client, Layout};

const BINARY: &str = env!("CARGO_BIN_EXE_media_peer");
const VIEWERS: u64 = 200;
/// Viewers that Janus can serve with one core, too.
const FEWER: u64 = 60;
const TIME: Duration = Duration::from_secs(8);

fn ours(estimate: bool) -> Workers {
    let options = Options {
        estimate,
        huge_pages: true,
    };
    Workers::start(BINARY, own_address(), options)
}

/// One who publishes, and so many who watch him.
fn audience(server: &mut dyn Sfu, viewers: u64) -> Crowd {
    let mut crowd = Crowd::default();
    crowd.clients.push(server.publish(1, 1));
    crowd.connected();
    for viewer in 0..viewers {
        crowd.clients.push(server.watch(1, 100 + viewer, 1));
        crowd.until(Duration::ZERO, |_| false);
    }
    crowd.connected();
    let all = crowd.until(Duration::from_secs(20), |crowd| {
        crowd.clients[1..]
            .iter()
            .all(|c| c.video.iter().any(|(_, v)| v.frames > 0))
    });
    let see = |c: &Client| c.video.iter().any(|(_, v)| v.frames > 0);
    let seeing = crowd.clients[1..].iter().filter(|c| see(c)).count();
    let load = server.load();
    assert!(all, "{seeing} of {viewers} see, {}: {load}", server.name());
    crowd
}

fn row(table: &mut Table, name: &str, flow: Flow) {
    table.row([
        name.to_owned(),
        format!("{:.0}", flow.rate),
        format!("{:.2}", flow.micros),
        format!("{:.0}%", flow.core * 100.0),
    ]);
}

fn columns() -> Table {
    Table::new(&["", "packets/s", "CPU-us per packet", "of a core"])
}

fn cost() {
    println!("\ncost of a forwarded packet: one publishes; three rounds in alternation");
    let mut table = columns();
    let mut measured = |server: &mut dyn Sfu, viewers: u64, figures: &mut Vec<f64>| {
        let mut crowd = audience(server, viewers);
        let flow = crowd.measure(server, TIME);
        row(
            &mut table,
            &format!("{}, {viewers} watch", server.name()),
            flow,
        );
        figures.push(flow.micros);
    };
    let (mut plain, mut bwe) = (Vec::new(), Vec::new());
    let (mut fewer, mut janus) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        measured(&mut ours(false), VIEWERS, &mut plain);
        measured(&mut ours(true), VIEWERS, &mut bwe);
        if let Some(mut server) = Janus::start(own_address()) {
            measured(&mut server, FEWER, &mut janus);
            drop(server);
            measured(&mut ours(false), FEWER, &mut fewer);
        }
    }
    table.print();
    let (plain, bwe) = (middle(&mut plain), middle(&mut bwe));
    println!(
        "median: {plain:.2} us without transport-cc (goal 10), {bwe:.2} us with BWE and full feedback (goal 15)"
    );
    if !janus.is_empty() {
        let janus = middle(&mut janus);
        let fewer = middle(&mut fewer);
        println!(
            "with {FEWER} viewers: {fewer:.2} us, janus {janus:.2} us; ours is {:.2} of it",
            fewer / janus
        );
    }
}

/// Something that keeps each core busy.
struct Burners(Vec<Child>);

impl Burners {
    fn start() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let burn = |core: usize| {
            let core = core.to_string();
            let words = ["-c", &core, "sh", "-c", "while :; do :; done"];
            Command::new("taskset")
                .args(words)
                .spawn()
                .expect("taskset")
        };
        Self((0..cores).map(burn).collect())
    }
}

impl Drop for Burners {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn contended() {
    println!(
        "\nshare delivered to {VIEWERS} viewers while both cores are kept busy by others (goal 97%)"
    );
    for estimate in [false, true] {
        let mut server = ours(estimate);
        let mut crowd = audience(&mut server, VIEWERS);
        let burners = Burners::start();
        crowd.until(Duration::from_secs(2), |_| false);
        let missing = |crowd: &Crowd| {
            crowd
                .clients
                .iter()
                .flat_map(|c| &c.audio)
                .map(|(_, a)| a.missing)
                .sum::<u64>()
        };
        let heard = |crowd: &Crowd| {
            crowd
                .clients
                .iter()
                .flat_map(|c| &c.audio)
                .map(|(_, a)| a.packets)
                .sum::<u64>()
        };
        let before = (missing(&crowd), heard(&crowd));
        crowd.until(TIME, |_| false);
        drop(burners);
        let (lost, got) = (missing(&crowd) - before.0, heard(&crowd) - before.1);
        let share = got as f64 / (got + lost).max(1) as f64;
        println!(
            "{}: {:.2}% of the voice ({got} packets; nothing of it is sent again); {}",
            server.name(),
            share * 100.0,
            server.load()
        );
    }
}

fn join() {
    println!("\nfirst picture after joining a room of 20 (goal < 500 ms)");
    let mut server = ours(true);
    let mut crowd = audience(&mut server, 20);
    let mut times = Vec::new();
    for viewer in 0..30 {
        // Who joins just after another waits for the next keyframe (`storm`).
        crowd.until(Duration::from_millis(700), |_| false);
        let start = Instant::now();
        let client = server.watch(1, 1_000 + viewer, 1);
        crowd.clients.push(client);
        let seen = crowd.until(Duration::from_secs(10), |crowd| {
            crowd
                .clients
                .last()
                .is_some_and(|c| c.video[0].1.first.is_some())
        });
        assert!(seen, "a picture");
        times.push(start.elapsed());
    }
    println!(
        "median {:.0} ms, p95 {:.0} ms, slowest {:.0} ms",
        quantile(&mut times, 0.5),
        quantile(&mut times, 0.95),
        quantile(&mut times, 1.0)
    );
}

fn memory() {
    println!(
        "\nmemory of a peer (goal <= 600 kB): {VIEWERS} viewers of one who sends 600 kbit/s, after 10 s"
    );
    for estimate in [false, true] {
        let mut server = ours(estimate);
        let mut crowd = audience(&mut server, 10);
        crowd.until(Duration::from_secs(5), |_| false);
        let before = server.resident_kb();
        for viewer in 0..VIEWERS {
            crowd.clients.push(server.watch(1, 500 + viewer, 1));
            crowd.until(Duration::ZERO, |_| false);
        }
        crowd.connected();
        crowd.until(Duration::from_secs(10), |_| false);
        let each = server.resident_kb().saturating_sub(before) as f64 / VIEWERS as f64;
        println!("{}: {each:.0} kB a peer", server.name());
    }
}

fn storm() {
    const PEOPLE: u64 = 300;
    const SPREAD: Duration = Duration::from_secs(10);
    println!("\n{PEOPLE} join a room in {SPREAD:?} (goal: p99 < 1 s until connected)");
    for estimate in [false, true] {
        let mut server = ours(estimate);
        let mut crowd = audience(&mut server, 1);
        let start = Instant::now();
        let mut joined = Vec::new();
        for n in 0..PEOPLE {
            let at = start + SPREAD.mul_f64(n as f64 / PEOPLE as f64);
            crowd.until(at.saturating_duration_since(Instant::now()), |_| false);
            joined.push(Instant::now());
            crowd.clients.push(server.watch(1, 1_000 + n, 1));
        }
        crowd.connected();
        crowd.until(Duration::from_secs(20), |crowd| {
            let mut news = crowd.clients[1..].iter();
            news.all(|c| c.video[0].1.first.is_some())
        });
        let since = |of: fn(&Client) -> Option<Instant>| -> Vec<Duration> {
            let news = crowd.clients[2..].iter().zip(&joined);
            news.filter_map(|(client, joined)| Some(of(client)?.duration_since(*joined)))
                .collect()
        };
        let mut connected = since(|client| client.connected);
        let mut seen = since(|client| client.video[0].1.first);
        println!(
            "{}: connected: median {:.0} ms, p99 {:.0} ms; {} see, first picture: median {:.0} ms, p99 {:.0} ms\n{}",
            server.name(),
            quantile(&mut connected, 0.5),
            quantile(&mut connected, 0.99),
            seen.len(),
            quantile(&mut seen, 0.5),
            quantile(&mut seen, 0.99),
            server.load()
        );
    }
}

fn table() {
    println!("\nhow cost grows, with BWE and full feedback");
    let mut table = columns();
    {
        let mut server = ours(true);
        let mut crowd = audience(&mut server, VIEWERS);
        let flow = crowd.measure(&server, TIME);
        row(&mut table, "1 publishes, 200 watch", flow);
    }
    {
        let mut server = ours(true);
        let mut crowd = Crowd::default();
        for user in 1..=10 {
            crowd.clients.push(server.publish(1, user));
        }
        crowd.connected();
        let layout = Layout {
            audio_slots: 3,
            video_slots: 10,
            ..Layout::VIEWER
        };
        for viewer in 0..20 {
            crowd.clients.push(server.join(1, 100 + viewer, layout));
            server.want(1, 100 + viewer, &(1..=10).collect::<Vec<_>>());
            crowd.until(Duration::ZERO, |_| false);
        }
        crowd.connected();
        crowd.until(Duration::from_secs(5), |_| false);
        let flow = crowd.measure(&server, TIME);
        row(&mut table, "10 publish, 20 watch all", flow);
    }
    {
        let mut server = ours(true);
        let mut crowd = Crowd::default();
        let layout = Layout {
            microphone: true,
            audio_slots: 4,
            video_slots: 0,
            ..Layout::VIEWER
        };
        for user in 1..=30 {
            crowd.clients.push(server.join(1, user, layout));
            crowd.until(Duration::ZERO, |_| false);
        }
        crowd.connected();
        crowd.until(Duration::from_secs(2), |_| false);
        let flow = crowd.measure(&server, TIME);
        row(&mut table, "30 talk, the loudest 3 are heard", flow);
    }
    table.print();
}

fn main() {
    pin_generator();
    let parts: [(&str, fn()); 6] = [
        ("cost", cost),
        ("contended", contended),
        ("join", join),
        ("memory", memory),
        ("storm", storm),
        ("table", table),
    ];
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|w| !w.starts_with('-'))
        .collect();
    for (name, part) in parts {
        if words.is_empty() || words.iter().any(|word| word == name) {
            part();
        }
    }
}
