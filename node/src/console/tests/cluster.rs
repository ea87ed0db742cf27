//! A made-up cluster: two nodes answer, one does not.

use std::collections::BTreeMap;

use rookery_protocol::inspect::{
    Act, ActRecord, ActorDetail, ActorKind, ActorRow, CommitRow, KindRow, LinkRow, NodeRow, Nodes,
    PeerRow, RoomRow, Rooms, SessionRow, Sessions, Silent, Top, TraceLine, TracePart, TreeNode,
    Warning, WarningKind, Warnings,
};

use super::{START, actor};
use crate::console::input::{Answer, Ask};

/// What it answers, so many milliseconds after the start.
pub(super) fn answer(ask: &Ask, ms: u64) -> Result<Answer, String> {
    Ok(match ask {
        Ask::Nodes => Answer::Nodes(nodes(ms)),
        Ask::Top { .. } => Answer::Top(top()),
        Ask::Actor(actor) => Answer::Actor(detail(&actor.to_string())),
        Ask::Tree => Answer::Tree(tree()),
        Ask::Rooms => Answer::Rooms(rooms()),
        Ask::Sessions(_) => Answer::Sessions(sessions()),
        Ask::Warnings => Answer::Warnings(warnings()),
        Ask::Acts => Answer::Acts(acts()),
        Ask::Trace { .. } => Answer::Trace(trace()),
    })
}

fn silent() -> Vec<Silent> {
    vec![Silent {
        node: "n3".to_owned(),
        why: "no link since 12 s".to_owned(),
    }]
}

pub(super) fn nodes(ms: u64) -> Nodes {
    Nodes {
        nodes: vec![node("n1", "up", 3, ms), node("n2", "draining", 2, ms)],
        silent: silent(),
    }
}

/// A node that handles so many hundreds of messages a second.
fn node(name: &str, state: &str, hundreds: u64, ms: u64) -> NodeRow {
    let counted = |per_second: u64| 10_000 + per_second * hundreds * ms / 1_000;
    NodeRow {
        node: name.to_owned(),
        incarnation: 40 + hundreds,
        version: "0.1.0".to_owned(),
        state: state.to_owned(),
        address: format!("https://{name}.example.org"),
        uptime_ms: 3_600_000 * hundreds + ms,
        now_ms: START + ms,
        users: 1_200,
        groups: 85,
        rooms: 2,
        speakers: 7,
        sessions: 1_340,
        shards: 512,
        depth: 12,
        handled: counted(100),
        busy_ns: counted(1_000_000),
        deliveries: counted(4_000),
        memory_bytes: 412 * 1_024 * 1_024,
        cpu_ms: counted(70),
        open_files: 1_402,
        commit: CommitRow {
            commits: counted(20),
            units: counted(60),
            outstanding: 3,
            unknown: hundreds - 2,
            last_ns: 1_250_000,
            slowest_ns: 312_000_000,
        },
        links: vec![link("n3", false), link("n2", true)],
        kinds: vec![
            kind(ActorKind::Group, "post_message", 131_072),
            kind(ActorKind::User, "deliver", 512),
        ],
        warnings: hundreds - 2,
    }
}

fn link(peer: &str, is_up: bool) -> LinkRow {
    LinkRow {
        peer: peer.to_owned(),
        is_up,
        links: 2,
        queued_bytes: if is_up { 0 } else { 48_000 },
        sent: 120_345,
        received: 98_001,
        dropped: if is_up { 0 } else { 41 },
    }
}

fn kind(actor: ActorKind, kind: &str, p99: u64) -> KindRow {
    KindRow {
        actor,
        kind: kind.to_owned(),
        count: 81_234,
        wait_p50_us: 64,
        wait_p99_us: p99,
        handle_p50_us: 128,
        handle_p99_us: 2_048,
    }
}

pub(super) fn row(address: &str, node: &str, busy: f64, depth: u64) -> ActorRow {
    ActorRow {
        actor: actor(address),
        node: node.to_owned(),
        depth,
        handled: 4_321,
        busy_ns: 9_000_000,
        wait_ns: 1_000_000,
        per_second: busy * 1_000.0,
        busy,
        wait_ms: 0.8,
        slowest_ns: 62_000_000,
        slowest_kind: "post_message".to_owned(),
        restarts: u64::from(depth > 1_000),
        last_crash: (depth > 1_000).then(|| "index out of\nbounds: \u{1b}[31mred".to_owned()),
        last_active_ms: START - 2_000,
    }
}

pub(super) fn top() -> Top {
    Top {
        actors: vec![
            row("group/1795000000000000001", "n1", 0.41, 1_204),
            row("user/1795000000000000002", "n2", 0.12, 3),
            row("room/1795000000000000003", "n1", 0.034, 0),
            row("user/42", "n1", 0.0, 0),
        ],
        active: 2_574,
        silent: silent(),
    }
}

pub(super) fn detail(address: &str) -> ActorDetail {
    let rows = top().actors.into_iter();
    let known = rows.into_iter().find(|row| row.actor == actor(address));
    let row = known.unwrap_or_else(|| row(address, "n1", 0.01, 0));
    let figures = [
        ("members", 812),
        ("channels", 14),
        ("rows in memory", 3_020),
    ];
    let figures = figures.map(|(name, figure)| (name.to_owned(), figure));
    ActorDetail {
        row,
        shard: Some(417),
        epoch: Some(9),
        incarnation: 43,
        pinned_to: None,
        state: Some(BTreeMap::from(figures)),
    }
}

pub(super) fn branch(name: &str, what: &str, children: Vec<TreeNode>) -> TreeNode {
    TreeNode {
        name: name.to_owned(),
        what: what.to_owned(),
        children,
    }
}

pub(super) fn tree() -> TreeNode {
    let leaf = |name: &str, what: &str| branch(name, what, vec![]);
    let actors = vec![
        leaf("group/1795000000000000001", "1204 wait"),
        leaf("user/42", "idle"),
    ];
    let n1 = vec![
        branch("entities", "2574 active", actors),
        leaf("lane", "0 wait"),
        leaf("lane", "2 wait"),
    ];
    let nodes = vec![
        branch("n1", "up", n1),
        leaf("n3", "does not answer: no link since 12 s"),
    ];
    branch("cluster", "2 of 3 nodes answer", nodes)
}

fn peer(user: &str, loss: f32) -> PeerRow {
    PeerRow {
        user: user.to_owned(),
        rtt_ms: Some(38.4),
        up_bps: 1_240_000,
        down_bps: 3_800_000,
        up_loss: 0.002,
        down_loss: loss,
        estimate_bps: (loss > 0.0).then_some(4_100_000),
        layers: if loss > 0.0 { vec![0, 2] } else { vec![] },
    }
}

pub(super) fn rooms() -> Rooms {
    let room = |channel: &str, peers: Vec<PeerRow>| RoomRow {
        channel: channel.to_owned(),
        group: "1795000000000000001".to_owned(),
        node: "n1".to_owned(),
        people: 3,
        cameras: 2,
        screens: 1,
        peers,
    };
    Rooms {
        rooms: vec![
            room(
                "1795000000000000003",
                vec![peer("42", 0.08), peer("43", 0.0)],
            ),
            room("1795000000000000009", vec![]),
        ],
        silent: silent(),
    }
}

fn sessions() -> Sessions {
    let session = |lane: u16| SessionRow {
        session: format!("{lane}/17.2"),
        node: "n1".to_owned(),
        lane,
        is_connected: lane == 0,
        seq: 991,
        topics: 12,
        shard: None,
        intents: 33_281,
        queued_bytes: 0,
    };
    Sessions {
        sessions: vec![session(0), session(1)],
        silent: vec![],
    }
}

pub(super) fn warnings() -> Warnings {
    let warning = |kind, node: &str, actor, what: &str, ago: u64| Warning {
        kind,
        node: node.to_owned(),
        actor,
        what: what.to_owned(),
        since_ms: START - 60_000,
        last_ms: START - ago,
    };
    let group = actor("group/1795000000000000001");
    let mailbox = "1,204 messages wait for group/1795000000000000001, and they become more";
    let link = "n3 is in the view, but there has been no link with it for 12 s: look at its log and at the network";
    Warnings {
        warnings: vec![
            warning(WarningKind::Mailbox, "n1", Some(group), mailbox, 1_000),
            warning(WarningKind::LinkDown, "n2", None, link, 4_000),
        ],
        counts: BTreeMap::from([("mailbox".to_owned(), 4), ("link_down".to_owned(), 1)]),
        silent: silent(),
    }
}

pub(super) fn acts() -> Vec<ActRecord> {
    let record = |id: u64, by: &str, act, outcome: Option<&str>| ActRecord {
        id: id.to_string(),
        at_ms: START - 3_600_000 + id * 600_000,
        node: "n1".to_owned(),
        by: by.to_owned(),
        act,
        outcome: outcome.map(str::to_owned),
    };
    let node = "n2".to_owned();
    let actor = actor("group/1795000000000000001");
    let to = Some("n3".to_owned());
    let user = "1795000000000000099".to_owned();
    let name = "laptop".to_owned();
    let refused = "refused: n3 does not answer: its shard stays where it is";
    vec![
        record(5, "laptop", Act::Drain { node, stay: true }, None),
        record(4, "local", Act::Migrate { actor, to }, Some(refused)),
        record(
            3,
            "laptop",
            Act::Suspend { user, undo: false },
            Some("nobody comes in with it"),
        ),
        record(
            2,
            "local",
            Act::MakeToken { name },
            Some("the token laptop may act for 90 days"),
        ),
    ]
}

pub(super) fn trace() -> TracePart {
    let line = |after: u64, kind: &str, request: Option<&str>| TraceLine {
        at_ms: START + after,
        kind: kind.to_owned(),
        request: request.map(str::to_owned),
        wait_us: 210,
        handle_us: 1_900,
        writes: 2,
        events: 1,
        depth: 5,
    };
    TracePart {
        lines: vec![
            line(12, "post_message", Some("01KB2Q7")),
            line(15, "ack", None),
        ],
        skipped: 17,
        moved: false,
    }
}
