//! What a group's core costs: microseconds per message, from the command to its effects, and the memory of a group of
//! 100,000 members. Goal: under 2 us for permission check, nonce and sequence; no I/O is done here.
//!
//! `cargo bench -p rookery-tests --bench core`
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench measures time, prints figures and stops at the first surprise"
)]

use std::hint::black_box;
use std::time::Instant;

use rookery_actors::entity::{Core, Effect, Input, Kit, ReplyTo, SharedMinter};
use rookery_actors::group::Group;
use rookery_actors::links::Links;
use rookery_actors::store::memory::MemoryStore;
use rookery_protocol::client;
use rookery_protocol::client::message::{Beside, MessageJson};
use rookery_protocol::command::group::{
    AcceptInvite, CreateGroup, CreateInvite, GroupCommand, GroupReply, Mentioned, PostMessage,
};
use rookery_protocol::document::{
    Attachment, ChannelKind, MemberRow, MessageRow, Messages, Nonce, encode,
};
use rookery_protocol::ids::{ChannelId, GroupId, UserId};
use rookery_protocol::profile::Profile;
use rookery_protocol::time::Millis;

const GROUP: GroupId = GroupId(1_000);
const CODE: &str = "bench";
/// Short enough to fit between two interruptions by other load of the machine.
const BATCH: usize = 100;
const BATCHES: usize = 600;

type Effects = Vec<Effect<GroupReply>>;

struct Bench {
    core: Group,
    now: Millis,
    channel: ChannelId,
    out: Effects,
}

impl Bench {
    fn run(&mut self, command: GroupCommand) {
        self.out.clear();
        let reply = ReplyTo(1);
        let input = Input::Command { command, reply };
        self.core.step(self.now, 0, input, &mut self.out);
    }

    fn answer(&mut self, command: GroupCommand) -> GroupReply {
        self.run(command);
        let answer = self.out.drain(..).find_map(|effect| match effect {
            Effect::Reply { answer, .. } => Some(answer),
            _ => None,
        });
        answer.expect("an answer").expect("no refusal")
    }

    /// A group of so many members.
    fn with_members(members: u64) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.build().expect("a runtime");
        let store = MemoryStore::new();
        let kit = Kit {
            ids: SharedMinter::new(1, Millis(0)),
            links: Links::new("https://chat.example", [0; 32]),
        };
        let core = runtime.block_on(Group::load(GROUP.0, &kit, &store));
        let mut bench = Self {
            core: core.expect("a core"),
            now: Millis(1_795_412_460_000),
            channel: ChannelId(1),
            out: Vec::new(),
        };
        let create = CreateGroup {
            by: profile(1),
            name: "Bench".to_owned(),
            icon: None,
        };
        let GroupReply::CreateGroup(view) = bench.answer(GroupCommand::CreateGroup(create)) else {
            panic!("another answer");
        };
        let mut channels = view.group.channels.iter();
        let text = channels.find(|channel| channel.kind == ChannelKind::Text);
        bench.channel = text.expect("a text channel").id;
        let invite = CreateInvite {
            reason: None,
            by: profile(1),
            channel: bench.channel,
            code: CODE.to_owned(),
            max_age: 0,
            max_uses: 0,
            reuse: false,
        };
        bench.run(GroupCommand::CreateInvite(invite));
        for user in 2..=members {
            let by = profile(user);
            let code = CODE.to_owned();
            bench.run(GroupCommand::AcceptInvite(AcceptInvite { by, code }));
        }
        bench
    }

    fn message(&self, user: u64, n: usize, nonce: bool) -> GroupCommand {
        GroupCommand::PostMessage(PostMessage {
            embeds: Vec::new(),
            attachments: Vec::new(),
            by: profile(user),
            channel: self.channel,
            content: content(),
            tts: false,
            nonce: nonce.then(|| Nonce::Text(format!("15742987455692{n:08}"))),
            enforce_nonce: nonce,
            mentions: Mentioned::default(),
            reply_to: None,
            flags: 0,
        })
    }

    /// Microseconds per command, of the median batch; `next` makes the commands outside the measured time.
    fn measure(&mut self, mut next: impl FnMut(&Self, usize) -> GroupCommand) -> f64 {
        let mut batches = Vec::new();
        for batch in 0..BATCHES {
            self.now = self.now.plus(1_000);
            let commands: Vec<_> = (0..BATCH).map(|n| next(self, batch * BATCH + n)).collect();
            let start = Instant::now();
            for command in commands {
                self.run(command);
                black_box(&self.out);
            }
            batches.push(start.elapsed().as_secs_f64() * 1e6 / BATCH as f64);
        }
        median(batches)
    }
}

fn profile(user: u64) -> Profile {
    Profile {
        id: UserId(user),
        username: format!("user{user}"),
        global_name: Some(format!("User {user}")),
        avatar: None,
        bot: false,
    }
}

/// 100 characters, so that an event's body is a typical one.
fn content() -> String {
    "the quick brown fox ".repeat(5)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn per_call(mut call: impl FnMut()) -> f64 {
    let batches = (0..BATCHES).map(|_| {
        let start = Instant::now();
        (0..BATCH).for_each(|_| call());
        start.elapsed().as_secs_f64() * 1e6 / BATCH as f64
    });
    median(batches.collect())
}

/// A message without files.
struct Author<'a>(&'a Profile);

impl<'a> Beside<'a> for Author<'a> {
    fn profile(&self, user: UserId) -> Option<&'a Profile> {
        (user == self.0.id).then_some(self.0)
    }

    fn file_url(&self, _: ChannelId, _: &Attachment) -> String {
        String::new()
    }
}

/// What encoding alone costs, with the body's size.
fn encoding(row: &MessageRow) -> (f64, f64, usize) {
    let author = profile(row.author.0);
    let member = MemberRow {
        user: row.author,
        nick: None,
        roles: Vec::new(),
        joined_at: Millis(1_795_412_460_000),
        username: author.username.clone(),
        global_name: author.global_name.clone(),
        timeout_until: None,
        mute: false,
        deaf: false,
    };
    let beside = Author(&author);
    let body = || {
        let body = MessageJson::new(row, &beside);
        client::encode(
            &body
                .expect("an author")
                .in_group(Some(GROUP), Some(&member)),
        )
    };
    let json = per_call(|| drop(black_box(body())));
    let bson = per_call(|| drop(black_box(encode::<Messages>(row))));
    (json, bson, body().len())
}

/// Resident bytes of this process.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split_whitespace().nth(1).and_then(|n| n.parse().ok());
    pages.map_or(0, |pages: usize| pages * 4_096)
}

fn main() {
    let mut small = Bench::with_members(100);
    let first = small.message(2, 0, true);
    let GroupReply::PostMessage(posted) = small.answer(first) else {
        panic!("another answer");
    };
    let (json, bson, bytes) = encoding(&posted.message);
    println!("core: event body ({bytes} bytes of JSON)          {json:>7.3} us");
    println!("core: message row (BSON)                     {bson:>7.3} us");

    let report = |name: &str, us: f64| {
        let decision = us - json - bson;
        println!("core: {name:<38} {us:>7.3} us, without encoding {decision:>6.3} us");
    };
    let users = |n: usize, of: u64| 2 + (n as u64 * 7_919) % (of - 1);
    report(
        "message, 100 members",
        small.measure(|bench, n| bench.message(users(n, 100), n, false)),
    );
    report(
        "message with nonce, 100 members",
        small.measure(|bench, n| bench.message(users(n, 100), n, true)),
    );
    let refused = small.measure(|bench, n| bench.message(1_000_000, n, true));
    println!("core: refused message (outsider)             {refused:>7.3} us");

    let before = resident();
    let mut large = Bench::with_members(100_000);
    let grown = resident().saturating_sub(before) as f64 / 1e6;
    println!("core: memory of a group of 100,000 members   {grown:>7.1} MB (goal: under 100)");
    report(
        "message with nonce, 100,000 members",
        large.measure(|bench, n| bench.message(users(n, 100_000), n, true)),
    );
}
