//! Property: whatever is lost, late, cut, resumed or full, every session gets exactly what it may see of its topics' events,
//! in order, and channels appear and disappear with the changes that make them.

use proptest::prelude::*;
use rookery_protocol::event::{AccessChange, Act, Audience, EventName};
use rookery_protocol::ids::{ChannelId, GroupId, RoleId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::permissions::{Overwrite, OverwriteTarget, Permissions};

use super::bench::{Bench, text};
use crate::relay::{Config, Input};

#[derive(Debug, Clone)]
enum Op {
    Open {
        user: u64,
        flavour: u8,
    },
    Answer(usize),
    Message {
        group: u64,
        lost: bool,
    },
    Join {
        user: u64,
        group: u64,
        lost: bool,
    },
    Notify {
        which: usize,
        lost: bool,
    },
    Leave {
        user: u64,
        group: u64,
        lost: bool,
    },
    /// Into a channel, which may be none.
    Say {
        group: u64,
        channel: u64,
        lost: bool,
    },
    /// For who may manage a channel.
    Note {
        group: u64,
        channel: u64,
        lost: bool,
    },
    /// For who sees one channel and not another.
    Part {
        group: u64,
        sees: u64,
        not: u64,
        lost: bool,
    },
    Owner {
        group: u64,
        user: u64,
        lost: bool,
    },
    /// What a role allows, 0 being `@everyone`; none: it is removed.
    Role {
        group: u64,
        role: u64,
        allows: Option<Permissions>,
        lost: bool,
    },
    /// A member holds the roles whose bits are set, of those that there are.
    Hold {
        group: u64,
        user: u64,
        roles: u64,
        lost: bool,
    },
    /// A channel with these overwrites; none: it is removed.
    Channel {
        group: u64,
        channel: u64,
        overwrites: Option<Vec<Overwrite>>,
        lost: bool,
    },
    Typing {
        group: u64,
    },
    Announce {
        group: u64,
    },
    Cut(usize),
    End(usize),
    Resume {
        client: usize,
        back: usize,
    },
    /// Resumes at another node.
    Move {
        client: usize,
        back: usize,
    },
    Full {
        client: usize,
        is_full: bool,
    },
    Flush,
    Pass(u64),
    Trim {
        group: u64,
    },
    Reveal,
}

/// Sets that say something about seeing.
fn allows() -> impl Strategy<Value = Permissions> {
    let (view, manage) = (Permissions::VIEW_CHANNEL, Permissions::MANAGE_CHANNELS);
    prop_oneof![
        3 => Just(Permissions::NONE),
        3 => Just(view),
        2 => Just(view | manage),
        1 => Just(manage),
        1 => Just(Permissions::ADMINISTRATOR),
    ]
}

fn overwrites(group: u64) -> impl Strategy<Value = Vec<Overwrite>> {
    let target = prop_oneof![
        (0u64..4).prop_map(move |n| OverwriteTarget::Role(role(group, n))),
        (1u64..4).prop_map(|n| OverwriteTarget::Member(UserId(n))),
    ];
    let said = (allows(), allows(), any::<bool>());
    prop::collection::btree_map(target, said, 0..4).prop_map(|all| {
        let all = all.into_iter();
        let overwrite = |(target, (allow, deny, is_both))| Overwrite {
            target,
            allow: if is_both { allow } else { Permissions::NONE },
            deny,
        };
        // Administrators are made by roles only.
        let channels = |o: Overwrite| Overwrite {
            allow: o.allow & !Permissions::ADMINISTRATOR,
            deny: o.deny & !Permissions::ADMINISTRATOR,
            ..o
        };
        all.map(overwrite).map(channels).collect()
    })
}

/// The role of a number in a group; 0 is `@everyone`.
fn role(group: u64, number: u64) -> RoleId {
    RoleId(if number == 0 { group } else { 100 + number })
}

/// What changes who sees what, and what only some see.
fn sight() -> impl Strategy<Value = Op> {
    let lost = || prop::bool::weighted(0.2);
    let (group, channel, user) = (|| 10u64..13, || 1u64..4, || 1u64..4);
    let change = (group(), channel(), lost()).prop_flat_map(|(group, channel, lost)| {
        let overwrites = prop::option::weighted(0.8, overwrites(group));
        overwrites.prop_map(move |overwrites| Op::Channel {
            group,
            channel,
            overwrites,
            lost,
        })
    });
    prop_oneof![
        6 => (group(), channel(), lost()).prop_map(|(group, channel, lost)| Op::Say { group, channel, lost }),
        1 => (group(), channel(), lost()).prop_map(|(group, channel, lost)| Op::Note { group, channel, lost }),
        1 => (group(), channel(), channel(), lost())
            .prop_map(|(group, sees, not, lost)| Op::Part { group, sees, not, lost }),
        1 => (group(), user(), lost()).prop_map(|(group, user, lost)| Op::Owner { group, user, lost }),
        3 => (group(), 0u64..4, prop::option::weighted(0.8, allows()), lost())
            .prop_map(|(group, role, allows, lost)| Op::Role { group, role, allows, lost }),
        4 => (group(), user(), 0u64..8, lost())
            .prop_map(|(group, user, roles, lost)| Op::Hold { group, user, roles, lost }),
        4 => change,
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let (user, group) = (1u64..4, 10u64..13);
    let lost = prop::bool::weighted(0.2);
    prop_oneof![
        14 => sight(),
        3 => (user.clone(), 0u8..4).prop_map(|(user, flavour)| Op::Open { user, flavour }),
        12 => (0usize..64).prop_map(Op::Answer),
        12 => (group.clone(), lost).prop_map(|(group, lost)| Op::Message { group, lost }),
        4 => (user.clone(), group.clone(), lost)
            .prop_map(|(user, group, lost)| Op::Join { user, group, lost }),
        4 => (0usize..8, lost).prop_map(|(which, lost)| Op::Notify { which, lost }),
        3 => (user, group.clone(), lost).prop_map(|(user, group, lost)| Op::Leave { user, group, lost }),
        1 => group.clone().prop_map(|group| Op::Typing { group }),
        1 => group.clone().prop_map(|group| Op::Announce { group }),
        2 => (0usize..8).prop_map(Op::Cut),
        1 => (0usize..8).prop_map(Op::End),
        4 => (0usize..8, 0usize..6).prop_map(|(client, back)| Op::Resume { client, back }),
        4 => (0usize..8, 0usize..6).prop_map(|(client, back)| Op::Move { client, back }),
        2 => (0usize..8, any::<bool>()).prop_map(|(client, is_full)| Op::Full { client, is_full }),
        6 => Just(Op::Flush),
        1 => (0u64..40_000).prop_map(Op::Pass),
        1 => group.prop_map(|group| Op::Trim { group }),
        1 => Just(Op::Reveal),
    ]
}

fn intents(flavour: u8) -> Intents {
    match flavour {
        0 => Intents::ALL,
        1 => Intents::GUILDS | Intents::GUILD_MESSAGES,
        2 => Intents::GUILDS,
        _ => Intents::GUILD_MESSAGES,
    }
}

fn run(bench: &mut Bench, op: Op) {
    let pick = |which: usize, of: usize| (of > 0).then(|| which % of.max(1));
    match op {
        Op::Open { user, flavour } => {
            bench.client(user, intents(flavour));
        }
        Op::Answer(which) => {
            if let Some(which) = pick(which, bench.questions.len()) {
                bench.answer(which);
            }
        }
        Op::Message { group, lost } => bench.message(GroupId(group), lost),
        Op::Join { user, group, lost } => bench.join_group(UserId(user), GroupId(group), lost),
        Op::Notify { which, lost } => {
            if let Some(which) = pick(which, bench.notices.len()) {
                bench.notify(which, lost);
            }
        }
        Op::Leave { user, group, lost } => bench.leave_group(UserId(user), GroupId(group), lost),
        Op::Say {
            group,
            channel,
            lost,
        } => {
            let audience = Audience::Channel(ChannelId(channel));
            bench.message_to(GroupId(group), audience, lost);
        }
        Op::Note {
            group,
            channel,
            lost,
        } => {
            let audience = Audience::Holders {
                permissions: Permissions::MANAGE_CHANNELS,
                channel: Some(ChannelId(channel)),
            };
            bench.message_to(GroupId(group), audience, lost);
        }
        Op::Part {
            group,
            sees,
            not,
            lost,
        } => {
            let audience = Audience::ChannelOnly {
                sees: ChannelId(sees),
                not: ChannelId(not),
            };
            bench.message_to(GroupId(group), audience, lost);
        }
        Op::Owner { group, user, lost } => {
            bench.change(GroupId(group), AccessChange::Owner(UserId(user)), lost);
        }
        Op::Role {
            group,
            role: number,
            allows,
            lost,
        } => {
            // `@everyone` stays.
            let allows = allows.or((number == 0).then_some(Permissions::NONE));
            let change = AccessChange::Role(role(group, number), allows);
            bench.change(GroupId(group), change, lost);
        }
        Op::Hold {
            group,
            user,
            roles,
            lost,
        } => {
            let (group, user) = (GroupId(group), UserId(user));
            if bench.members.contains(&(group, user)) {
                let there = bench.present(group).roles;
                let wanted = (1u64..4).filter(|n| roles & (1 << (n - 1)) != 0);
                let held = wanted.map(|n| role(group.0, n));
                let held = held.filter(|role| there.contains_key(role)).collect();
                bench.change(group, AccessChange::Member(user, held), lost);
            }
        }
        Op::Channel {
            group,
            channel,
            overwrites,
            lost,
        } => {
            let there = bench.present(GroupId(group)).channels;
            if overwrites.is_some() || there.contains_key(&ChannelId(channel)) {
                bench.set_channel(GroupId(group), ChannelId(channel), overwrites, lost);
            }
        }
        Op::Typing { group } => {
            let typing = text(EventName::TypingStart, "typing", Intents::NONE, false);
            bench.value(GroupId(group).into(), Act::Dispatch(typing));
        }
        Op::Announce { group } => bench.value(GroupId(group).into(), Act::Announce),
        Op::Cut(client) => {
            if let Some(client) = pick(client, bench.clients.len()) {
                bench.hangup(client, false);
            }
        }
        Op::End(client) => {
            if let Some(client) = pick(client, bench.clients.len()) {
                bench.hangup(client, true);
            }
        }
        Op::Resume { client, back } => {
            if let Some(client) = pick(client, bench.clients.len()) {
                bench.resume(client, back);
            }
        }
        Op::Move { client, back } => {
            if let Some(client) = pick(client, bench.clients.len()) {
                bench.move_client(client, back);
            }
        }
        Op::Full { client, is_full } => {
            if let Some(client) = pick(client, bench.clients.len()) {
                set_full(bench, client, is_full);
            }
        }
        Op::Flush => bench.flush(),
        Op::Pass(ms) => {
            bench.now = bench.now.plus(ms);
            bench.step(Input::Tick);
        }
        Op::Trim { group } => {
            let gseq = bench.gseq(GroupId(group).into());
            bench.trimmed.insert(GroupId(group).into(), gseq);
        }
        Op::Reveal => bench.reveal(),
    }
}

fn set_full(bench: &mut Bench, client: usize, is_full: bool) {
    if let Some(socket) = bench.clients[client].socket {
        bench.sockets[socket].is_full = is_full;
        if let (false, Some(session)) = (is_full, bench.clients[client].session) {
            bench.step(Input::Writable(session));
        }
    }
}

/// Lets everything that is under way come to its end.
fn settle(bench: &mut Bench) {
    while !bench.notices.is_empty() {
        bench.notify(0, false);
    }
    for _ in 0..3 {
        bench.answer_all();
        bench.reveal();
    }
    bench.answer_all();
    for client in 0..bench.clients.len() {
        set_full(bench, client, false);
        if !bench.clients[client].is_over && bench.clients[client].socket.is_none() {
            // Beyond the replay log a resume is refused: then there is nothing to compare.
            if bench.resume(client, 0).is_some() {
                bench.clients[client].is_over = true;
            }
        }
    }
    bench.flush();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_session_gets_exactly_its_topics_events_in_order(ops in prop::collection::vec(op(), 1..150)) {
        let mut bench = Bench::new(Config { sessions_per_user: 4, ..Config::default() });
        for op in ops {
            run(&mut bench, op);
        }
        settle(&mut bench);
        bench.check();
    }

    #[test]
    fn a_small_log_never_shows_a_session_a_hole(ops in prop::collection::vec(op(), 1..150)) {
        let config = Config { log_bytes: 3_000, outbox_bytes: 1_000, sessions_per_user: 4, ..Config::default() };
        let mut bench = Bench::new(config);
        for op in ops {
            run(&mut bench, op);
            bench.step(Input::Tick);
        }
        settle(&mut bench);
        bench.check();
    }
}
