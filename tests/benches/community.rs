//! A group of 100,000 members with 5,000 of them online: what identifying into it, fan-out, changing a role, finding
//! members and looking at the member list cost.
//!
//! `cargo bench -p rookery-tests --bench community -- [--members 100000] [--online 5000] [--seconds 4] [--rounds 3]`
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a bench reads clocks and prints figures"
)]

use std::rc::Rc;
use std::time::{Duration, Instant};

use rookery_protocol::ids::GroupId;
use rookery_tests::bench::{
    Cpu, Ours, Readers, Room, SocketIo, Table, measure, median, option, pin_generator,
    release_node, seed,
};
use rookery_tests::harness::{Gateway, Node, Person};
use serde_json::{Value, json};
use tokio::runtime::Builder;
use tokio::task::LocalSet;

/// Messages under way when the server is saturated.
const SATURATED: u64 = 256;
/// Sessions that identify at the same time in a storm.
const STORM: usize = 256;
/// Times that something is asked.
const TIMES: usize = 30;

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// The middle and the slowest of 100, of sorted times.
fn spread(times: &[Duration]) -> String {
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    format!("p50 {}, p99 {}", ms(at(50)), ms(at(99)))
}

async fn timed<T>(times: &mut Vec<Duration>, work: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let result = work.await;
    times.push(start.elapsed());
    result
}

/// Bytes that a process has written to files; what goes to sockets is sent, which does not count here.
fn written(pid: u32) -> u64 {
    let io = std::fs::read_to_string(format!("/proc/{pid}/io")).expect("a live process");
    let line = io.lines().find_map(|line| line.strip_prefix("wchar: "));
    line.expect("wchar").trim().parse().expect("a number")
}

/// A session of somebody who reads what he is sent.
async fn session(node: &Node, token: &str) -> Gateway {
    let intents = 0x0331_ffff & !(1_u64 << 9);
    Gateway::identify_with(node, json!({ "token": token, "intents": intents })).await
}

async fn chunks(session: &mut Gateway, request: Value) {
    session.send(8, request).await;
    session
        .wait_for("GUILD_MEMBERS_CHUNK", |chunk| {
            let last = chunk["chunk_count"].as_u64().map(|count| count - 1);
            chunk["chunk_index"].as_u64() == last
        })
        .await;
}

/// Times of identifying, one after the other.
async fn identify(ours: &mut Ours, count: usize) -> Vec<Duration> {
    for _ in 0..count {
        let next = ours.readers.len() + 1;
        ours.grow_at_once(next, 1).await;
    }
    ours.readers.take_times()
}

async fn run() {
    let members: usize = option("members", "100000")[0];
    let online: usize = option("online", "5000")[0];
    let seconds = Duration::from_secs(option("seconds", "4")[0]);
    let rounds: usize = option("rounds", "3")[0];
    let mut table = Table::new(&["what", "figure"]);
    let mut row = |what: &str, figure: String| {
        println!("{what}: {figure}");
        table.row([what.to_owned(), figure]);
    };

    let mut node = release_node().await;
    let mut owner = Person::register(&node, "owner").await;
    let (group, channel) = owner.create_group("Everybody").await;
    let role = json!({ "name": "Rooks", "hoist": true });
    let role = owner
        .http
        .post(&format!("/guilds/{group}/roles"), role)
        .await
        .expect(200);
    node.terminate().await;
    let start = Instant::now();
    let id: GroupId = group.parse().expect("an id");
    let seeded = seed(&node.folder().join("data"), id, members, online).await;
    println!(
        "{members} members written in {:.1} s",
        start.elapsed().as_secs_f64()
    );
    node.restart().await;
    owner.at(&node);

    let empty = node.resident_kb();
    let start = Instant::now();
    owner
        .http
        .get(&format!("/guilds/{group}"))
        .await
        .expect(200);
    row("loading the group", ms(start.elapsed()));
    let entity = node.resident_kb().saturating_sub(empty) as f64 / 1_024.0;
    row(
        "memory it takes (must: < 100 MB)",
        format!("{entity:.1} MB"),
    );

    let people = seeded.into_iter().map(|(id, token)| Person {
        id: id.to_string(),
        name: String::new(),
        http: node.http().with_token(&token),
        token,
        refresh: String::new(),
    });
    let mut ours = Ours {
        people: std::iter::once(owner.clone()).chain(people).collect(),
        channel,
        readers: Readers::default(),
        node: Rc::new(node),
        readers_at: None,
    };
    let node = Rc::clone(&ours.node);
    identify(&mut ours, 5).await;
    let start = Instant::now();
    ours.grow_at_once(online / 2, STORM).await;
    let storm = spread(&ours.readers.take_times());
    row("identify, 256 at a time (must: < 1 s)", storm);
    let rate = (online / 2) as f64 / start.elapsed().as_secs_f64();
    row("sessions identified a second in it", format!("{rate:.0}"));
    ours.grow(online - 100).await;
    ours.readers.take_times();
    row(
        "identify, one at a time",
        spread(&identify(&mut ours, 100).await),
    );

    // The fan-out, beside socket.io.
    let mut peer = SocketIo::start();
    peer.grow(online).await;
    measure(&mut peer, online, 16, Duration::from_secs(6)).await;
    measure(&mut ours, online, 16, Duration::from_secs(2)).await;
    for in_flight in [1, SATURATED] {
        let (mut our, mut their) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            their.push(measure(&mut peer, online, in_flight, seconds).await);
            our.push(measure(&mut ours, online, in_flight, seconds).await);
        }
        let (our, their) = (median(our), median(their));
        let figure = format!(
            "{:.2} CPU-us, socket.io {:.2}: {:.2}x its CPU, {:.1}x its deliveries a core",
            our.cost(),
            their.cost(),
            our.cost() / their.cost(),
            our.per_core() / their.per_core()
        );
        row(&format!("a delivery, {in_flight} in flight"), figure);
    }
    drop(peer);

    let path = format!(
        "/guilds/{group}/roles/{}",
        role["id"].as_str().expect("an id")
    );
    let (mut times, before) = (Vec::new(), written(node.pid()));
    for n in 0..TIMES {
        let form = json!({ "color": n + 1, "name": format!("Rooks {n}") });
        timed(&mut times, owner.http.patch(&path, form))
            .await
            .expect(200);
    }
    times.sort_unstable();
    let bytes = (written(node.pid()) - before) / TIMES as u64 / 1_024;
    row(
        "changing a role",
        format!("{}, {bytes} kB written to the disk", spread(&times)),
    );

    let mut asking = session(&node, &owner.token).await;
    let mut times = Vec::new();
    for n in 0..TIMES {
        let query = json!({ "guild_id": group, "query": format!("seeded9{n}"), "limit": 10 });
        timed(&mut times, chunks(&mut asking, query)).await;
    }
    times.sort_unstable();
    row("opcode 8, a name", spread(&times));
    let (start, cpu) = (Instant::now(), Cpu::of(node.pid()));
    let all = json!({ "guild_id": group, "query": "", "limit": 0 });
    chunks(&mut asking, all).await;
    let used = (Cpu::of(node.pid()) - cpu).micros() / 1e3;
    row(
        "opcode 8, all members",
        format!("{}, {used:.0} ms of the server's CPU", ms(start.elapsed())),
    );

    let look = |range: [u64; 2]| {
        let channels = json!({ ours.channel.as_str(): [range] });
        json!({ "guild_id": group, "channels": channels })
    };
    let mut times = Vec::new();
    for n in 0..TIMES as u64 {
        let range = [n * 100, n * 100 + 99];
        asking.send(14, look(range)).await;
        let has_range = |update: &Value| update["ops"][0]["range"] == json!(range);
        let update = asking.wait_for("GUILD_MEMBER_LIST_UPDATE", has_range);
        timed(&mut times, update).await;
    }
    let first = times[0];
    times.sort_unstable();
    row("first range of a member list", ms(first));
    row("another range", spread(&times[..times.len() - 1]));
    row(
        "resident memory with everybody online",
        format!("{} MB", node.resident_kb() / 1_024),
    );
    table.print();
}

fn main() {
    pin_generator();
    let runtime = Builder::new_current_thread().enable_all().build();
    LocalSet::new().block_on(&runtime.expect("a runtime"), run());
}
