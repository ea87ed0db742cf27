//! Random sequences of commands, crashes and late rows, against a model that knows only members, messages and nonces.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::prelude::*;
use rookery_protocol::command::group::*;
use rookery_protocol::document::{ChannelKind, Messages, Nonce, TableId, decode};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::EventName;
use rookery_protocol::ids::MessageId;
use rookery_protocol::limits;
use rookery_protocol::snowflake;

use super::load::assert_rebuilt;
use super::*;
use crate::entity::{Core, ReplyTo};
use crate::testkit::dispatch;

/// One thing that happens. Indexes are taken modulo what there is.
#[derive(Debug, Clone)]
enum Op {
    Post {
        by: u64,
        channel: usize,
        nonce: Option<i64>,
        enforce: bool,
    },
    Edit {
        by: u64,
        message: usize,
    },
    Delete {
        by: u64,
        message: usize,
    },
    React {
        by: u64,
        message: usize,
        emoji: usize,
    },
    Unreact {
        by: u64,
        message: usize,
        emoji: usize,
        user: u64,
    },
    Clear {
        by: u64,
        message: usize,
        emoji: Option<usize>,
    },
    Pin {
        by: u64,
        message: usize,
        pinned: bool,
    },
    Bulk {
        by: u64,
        messages: Vec<usize>,
    },
    Join {
        by: u64,
    },
    Leave {
        by: u64,
        user: u64,
    },
    MakeChannel {
        by: u64,
    },
    DropChannel {
        by: u64,
        channel: usize,
    },
    Invite {
        by: u64,
        uses: u64,
    },
    Read {
        by: u64,
    },
    End {
        by: u64,
    },
    /// A row arrives, or the store says that it is away.
    Deliver {
        fails: bool,
    },
    Wait {
        ms: u64,
    },
    Crash,
}

fn op() -> impl Strategy<Value = Op> {
    let by = || 1..7u64;
    prop_oneof![
        10 => (by(), 0..4usize, proptest::option::of(0..3i64), any::<bool>())
            .prop_map(|(by, channel, nonce, enforce)| Op::Post { by, channel, nonce, enforce }),
        6 => (by(), any::<usize>()).prop_map(|(by, message)| Op::Edit { by, message }),
        4 => (by(), any::<usize>()).prop_map(|(by, message)| Op::Delete { by, message }),
        8 => (by(), any::<usize>(), 0..3usize)
            .prop_map(|(by, message, emoji)| Op::React { by, message, emoji }),
        4 => (by(), any::<usize>(), 0..3usize, by())
            .prop_map(|(by, message, emoji, user)| Op::Unreact { by, message, emoji, user }),
        2 => (by(), any::<usize>(), proptest::option::of(0..3usize))
            .prop_map(|(by, message, emoji)| Op::Clear { by, message, emoji }),
        3 => (by(), any::<usize>(), any::<bool>())
            .prop_map(|(by, message, pinned)| Op::Pin { by, message, pinned }),
        2 => (by(), proptest::collection::vec(any::<usize>(), 1..6))
            .prop_map(|(by, messages)| Op::Bulk { by, messages }),
        4 => by().prop_map(|by| Op::Join { by }),
        2 => (by(), by()).prop_map(|(by, user)| Op::Leave { by, user }),
        1 => by().prop_map(|by| Op::MakeChannel { by }),
        1 => (by(), any::<usize>()).prop_map(|(by, channel)| Op::DropChannel { by, channel }),
        2 => (by(), 0..3u64).prop_map(|(by, uses)| Op::Invite { by, uses }),
        1 => by().prop_map(|by| Op::Read { by }),
        1 => (1..30u64).prop_map(|by| Op::End { by }),
        5 => (0..8u8).prop_map(|n| Op::Deliver { fails: n == 0 }),
        3 => prop_oneof![Just(0), 1..50u64, Just(limits::NONCE_MS / 2)].prop_map(|ms| Op::Wait { ms }),
        2 => Just(Op::Crash),
    ]
}

/// What the model knows of a message.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    author: UserId,
    content: String,
    is_system: bool,
    nonce: Option<i64>,
    there: bool,
}

/// The group as it must look from outside.
#[derive(Debug, Default)]
struct Model {
    alive: bool,
    members: BTreeSet<UserId>,
    channels: BTreeSet<ChannelId>,
    messages: BTreeMap<(ChannelId, MessageId), Known>,
    /// Who reacted with what.
    reactions: BTreeSet<((ChannelId, MessageId), String, UserId)>,
    pins: BTreeSet<(ChannelId, MessageId)>,
    /// The newest id that was ever seen of a channel.
    last: BTreeMap<ChannelId, MessageId>,
}

/// What the ops react with: two that begin alike, and another.
const EMOJI: [&str; 3] = ["\u{1f44d}", "\u{1f44d}\u{1f3fd}", "\u{2764}\u{fe0f}"];

impl Model {
    /// A message is gone, with all that hangs on it.
    fn erase(&mut self, place: (ChannelId, MessageId)) {
        if let Some(known) = self.messages.get_mut(&place) {
            known.there = false;
        }
        self.reactions.retain(|(of, _, _)| *of != place);
        self.pins.remove(&place);
    }

    fn is_there(&self, place: (ChannelId, MessageId)) -> bool {
        self.messages.get(&place).is_some_and(|known| known.there)
    }

    /// Holds what an enforced nonce found against the messages that bear it. That of a deleted message is free; after
    /// a crash it may find an earlier twin that was sent without asking.
    fn check_nonce(&self, rig: &Rig<Group>, request: &PostMessage, found: Option<MessageId>) {
        let Some(Nonce::Number(nonce)) = request.nonce else {
            return assert_eq!(found, None);
        };
        let twins = self.messages.iter().rev().filter(|((channel, _), known)| {
            *channel == request.channel
                && known.author == request.by.id
                && known.nonce == Some(nonce)
        });
        let twins: Vec<_> = twins.collect();
        let fresh = |id: MessageId| rig.now.since(snowflake::created_at(id.0)) < limits::NONCE_MS;
        let newest_there = twins.iter().find(|(_, known)| known.there);
        let newest_there = newest_there.map(|((_, id), _)| *id).filter(|id| fresh(*id));
        let newest_is_there = twins.first().is_some_and(|(_, known)| known.there);
        if found.is_some() || newest_is_there {
            assert_eq!(found, newest_there);
        }
    }

    fn add(&mut self, row: &MessageRow) {
        let last = self.last.insert(row.channel, row.id);
        assert!(last < Some(row.id), "ids rise within a channel");
        let nonce = match row.nonce {
            Some(Nonce::Number(nonce)) => Some(nonce),
            _ => None,
        };
        let known = Known {
            author: row.author,
            content: row.content.clone(),
            is_system: row.kind.is_system(),
            nonce,
            there: true,
        };
        let before = self.messages.insert((row.channel, row.id), known);
        assert_eq!(before, None);
    }
}

struct Run {
    rig: Rig<Group>,
    model: Model,
    /// Commands that have no answer yet.
    asked: HashMap<ReplyTo, GroupCommand>,
    /// Every message ever made: what ops choose from.
    places: Vec<(ChannelId, MessageId)>,
    codes: Vec<String>,
}

impl Run {
    fn new() -> Self {
        let mut rig = community();
        rig.answers.clear();
        let mut model = Model {
            alive: true,
            members: BTreeSet::from([OWNER, ADA, BEN]),
            ..Model::default()
        };
        model
            .channels
            .extend(rig.live().document.channels.iter().map(|c| c.id));
        let mut rows: Vec<MessageRow> = rig
            .live()
            .recent
            .iter()
            .filter_map(|(_, row)| row.cloned())
            .collect();
        rows.sort_by_key(|row| row.id);
        for row in &rows {
            model.add(row);
        }
        Self {
            rig,
            model,
            asked: HashMap::new(),
            places: rows.iter().map(|row| (row.channel, row.id)).collect(),
            codes: vec!["open".to_owned()],
        }
    }

    fn ask(&mut self, command: impl Into<Command>) {
        let Command::Group(command) = command.into() else {
            panic!("a group's command");
        };
        // It may be answered in this step already.
        let reply = self.rig.next_reply();
        self.asked.insert(reply, command.clone());
        assert_eq!(self.rig.ask(command), reply);
        self.check();
    }

    fn channel(&self, n: usize) -> ChannelId {
        let channels: Vec<_> = self.model.channels.iter().copied().collect();
        channels
            .get(n % channels.len().max(1))
            .copied()
            .unwrap_or(ChannelId(1))
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Post {
                by,
                channel,
                nonce,
                enforce,
            } => {
                let content = format!("message {}", self.places.len());
                self.ask(PostMessage {
                    embeds: Vec::new(),
                    attachments: Vec::new(),
                    nonce: nonce.map(Nonce::Number),
                    enforce_nonce: enforce,
                    ..message(UserId(by), self.channel(channel), &content)
                });
            }
            Op::Edit { by, message } => {
                let (channel, message) = self.places[message % self.places.len()];
                let content = Some(format!("edited by {by}"));
                let by = profile(UserId(by));
                let (mentions, flags) = (Vec::new(), None);
                self.ask(EditMessage {
                    embeds: None,
                    keep: None,
                    attachments: Vec::new(),
                    by,
                    channel,
                    message,
                    content,
                    mentions: mentioning(mentions),
                    around: Surroundings::default(),
                    flags,
                });
            }
            Op::Delete { by, message } => {
                let (channel, message) = self.places[message % self.places.len()];
                let by = UserId(by);
                self.ask(DeleteMessage {
                    reason: None,
                    by,
                    channel,
                    message,
                });
            }
            Op::React { by, message, emoji } => {
                let (channel, message) = self.places[message % self.places.len()];
                let by = profile(UserId(by));
                let emoji = EMOJI[emoji].to_owned();
                self.ask(AddReaction {
                    by,
                    channel,
                    message,
                    emoji,
                });
            }
            Op::Unreact {
                by,
                message,
                emoji,
                user,
            } => {
                let (channel, message) = self.places[message % self.places.len()];
                self.ask(RemoveReaction {
                    by: UserId(by),
                    channel,
                    message,
                    emoji: EMOJI[emoji].to_owned(),
                    user: UserId(user),
                });
            }
            Op::Clear { by, message, emoji } => {
                let (channel, message) = self.places[message % self.places.len()];
                self.ask(ClearReactions {
                    by: UserId(by),
                    channel,
                    message,
                    emoji: emoji.map(|n| EMOJI[n].to_owned()),
                });
            }
            Op::Pin {
                by,
                message,
                pinned,
            } => {
                let (channel, message) = self.places[message % self.places.len()];
                self.ask(SetPinned {
                    by: profile(UserId(by)),
                    channel,
                    message,
                    pinned,
                    around: Surroundings::default(),
                    reason: None,
                });
            }
            Op::Bulk { by, messages } => {
                let places = messages.iter().map(|n| self.places[n % self.places.len()]);
                let places: Vec<_> = places.collect();
                self.ask(BulkDelete {
                    by: UserId(by),
                    channel: places[0].0,
                    messages: places.iter().map(|(_, message)| *message).collect(),
                    reason: None,
                    purge: false,
                });
            }
            Op::Join { by } => {
                let code = self.codes[self.codes.len() - 1].clone();
                self.ask(accept(UserId(by), &code));
            }
            Op::Leave { by, user } => {
                let user = profile(UserId(user));
                self.ask(RemoveMember {
                    reason: None,
                    by: UserId(by),
                    user,
                });
            }
            Op::MakeChannel { by } => {
                let patch = ChannelPatch {
                    name: Some("new".to_owned()),
                    ..ChannelPatch::default()
                };
                self.ask(CreateChannel {
                    reason: None,
                    by: UserId(by),
                    kind: ChannelKind::Text,
                    patch,
                });
            }
            Op::DropChannel { by, channel } => {
                let channel = self.channel(channel);
                self.ask(DeleteChannel {
                    reason: None,
                    by: UserId(by),
                    channel,
                });
            }
            Op::Invite { by, uses } => {
                let code = format!("code{}", self.codes.len());
                self.codes.push(code.clone());
                let channel = self.channel(self.places.len());
                self.ask(CreateInvite {
                    reason: None,
                    max_uses: uses,
                    ..invite(UserId(by), channel, &code)
                });
            }
            Op::Read { by } => self.ask(Subscribe { by: UserId(by) }),
            Op::End { by } => self.ask(DeleteGroup { by: UserId(by) }),
            Op::Deliver { fails } => {
                if fails {
                    self.rig.fail_fetch();
                } else {
                    self.rig.deliver();
                }
                self.check();
            }
            Op::Wait { ms } => self.rig.now = self.rig.now.plus(ms),
            Op::Crash => {
                self.rig.crash();
                self.asked.clear();
            }
        }
        assert_rebuilt(&self.rig);
        self.check_rows();
    }

    /// Holds every answer of the last step against the model, in the order they were given.
    fn check(&mut self) {
        let mut created = self.rig.take_events().into_iter().filter_map(|event| {
            let dispatch = dispatch(&event)?.clone();
            (dispatch.name == EventName::MessageCreate).then_some(dispatch.body)
        });
        while let Some((to, answer)) = self.rig.answers.pop_front() {
            let command = self.asked.remove(&to).expect("an answer to a question");
            let refused = answer.as_ref().err().map(|refusal| refusal.code);
            if matches!(refused, Some(ErrorCode::Unavailable)) {
                continue;
            }
            self.judge(command, answer.ok(), refused);
        }
        // A join says so in the system channel: the model learns of it from the event. One step may answer several
        // commands that waited for the same row, so what they made is known only now.
        let live = self.rig.core.live.as_ref();
        let news: Vec<MessageRow> = live
            .into_iter()
            .flat_map(|live| live.recent.iter().filter_map(|(_, row)| row.cloned()))
            .filter(|row| !self.model.messages.contains_key(&(row.channel, row.id)))
            .collect();
        for row in news {
            assert!(
                row.content.is_empty(),
                "only joins and pins are told of unasked"
            );
            self.model.add(&row);
            self.places.push((row.channel, row.id));
            assert!(created.next().is_some());
        }
    }

    fn judge(
        &mut self,
        command: GroupCommand,
        answer: Option<GroupReply>,
        refused: Option<ErrorCode>,
    ) {
        let may_post = |model: &Model, by: UserId, channel: ChannelId| {
            model.alive && model.members.contains(&by) && model.channels.contains(&channel)
        };
        let holds = |rig: &Rig<Group>, channel| {
            let live = rig.core.live.as_ref();
            live.and_then(|live| live.document.channel(channel))
                .is_some_and(|c| c.kind.holds_messages())
        };
        match command {
            GroupCommand::PostMessage(request) => {
                let ok = may_post(&self.model, request.by.id, request.channel)
                    && holds(&self.rig, request.channel);
                assert_eq!(answer.is_some(), ok, "{refused:?}");
                let Some(GroupReply::PostMessage(posted)) = answer else {
                    return;
                };
                let repeated = posted.repeated.then_some(posted.message.id);
                if request.enforce_nonce {
                    self.model.check_nonce(&self.rig, &request, repeated);
                } else {
                    assert_eq!(repeated, None);
                }
                if repeated.is_none() {
                    assert_eq!(posted.message.content, request.content);
                    self.places
                        .push((posted.message.channel, posted.message.id));
                    self.model.add(&posted.message);
                }
            }
            GroupCommand::EditMessage(request) => {
                let place = (request.channel, request.message);
                let may = may_post(&self.model, request.by.id, request.channel);
                let known = self.model.messages.get_mut(&place).expect("a known place");
                let ok = may && known.there && !known.is_system && known.author == request.by.id;
                assert_eq!(answer.is_some(), ok, "{refused:?}");
                if ok {
                    known.content = request.content.unwrap();
                }
            }
            GroupCommand::DeleteMessage(request) => {
                let place = (request.channel, request.message);
                let may = may_post(&self.model, request.by, request.channel);
                let known = self.model.messages.get_mut(&place).expect("a known place");
                let ok = may && known.there && (request.by == OWNER || known.author == request.by);
                assert_eq!(answer.is_some(), ok, "{refused:?}");
                if ok {
                    self.model.erase(place);
                }
            }
            GroupCommand::AddReaction(request) => {
                let place = (request.channel, request.message);
                let may = may_post(&self.model, request.by.id, request.channel);
                let ok = may && self.model.is_there(place);
                assert_eq!(answer.is_some(), ok, "{refused:?}");
                if ok {
                    let reaction = (place, request.emoji, request.by.id);
                    self.model.reactions.insert(reaction);
                }
            }
            GroupCommand::RemoveReaction(request) => {
                let place = (request.channel, request.message);
                let may = may_post(&self.model, request.by, request.channel)
                    && (request.by == OWNER || request.by == request.user);
                let ok = may && self.model.is_there(place);
                assert_eq!(answer.is_some(), ok, "{refused:?}");
                if ok {
                    let reaction = (place, request.emoji, request.user);
                    self.model.reactions.remove(&reaction);
                }
            }
            GroupCommand::ClearReactions(request) => {
                let place = (request.channel, request.message);
                let may = request.by == OWNER && may_post(&self.model, request.by, request.channel);
                let ok = may && self.model.is_there(place);
                assert_eq!(answer.is_some(), ok, "{refused:?}");
                if ok {
                    self.model.reactions.retain(|(of, emoji, _)| {
                        *of != place || request.emoji.as_ref().is_some_and(|one| one != emoji)
                    });
                }
            }
            GroupCommand::SetPinned(request) => {
                let place = (request.channel, request.message);
                let may = request.by.id == OWNER && may_post(&self.model, OWNER, request.channel);
                let known = &self.model.messages[&place];
                let ok = may && known.there && !known.is_system;
                assert_eq!(answer.is_some(), ok, "{refused:?}");
                if ok && request.pinned {
                    self.model.pins.insert(place);
                } else if ok {
                    self.model.pins.remove(&place);
                }
            }
            GroupCommand::BulkDelete(request) => {
                let ids: BTreeSet<_> = request.messages.iter().copied().collect();
                let may = request.by == OWNER && may_post(&self.model, request.by, request.channel);
                assert_eq!(answer.is_some(), may && ids.len() > 1, "{refused:?}");
                for id in ids.into_iter().filter(|_| answer.is_some()) {
                    self.model.erase((request.channel, id));
                }
            }
            GroupCommand::AcceptInvite(request) => {
                if answer.is_some() {
                    assert!(self.model.alive);
                    self.model.members.insert(request.by.id);
                }
            }
            GroupCommand::GetInvite(_) => {}
            other => {
                if answer.is_none() {
                    return;
                }
                assert!(self.model.alive);
                match other {
                    GroupCommand::RemoveMember(request) => {
                        assert!(self.model.members.contains(&request.by));
                        assert!(request.by == OWNER || request.by == request.user.id);
                        assert!(self.model.members.remove(&request.user.id));
                    }
                    GroupCommand::CreateChannel(request) => {
                        assert_eq!(request.by, OWNER);
                        let Some(GroupReply::CreateChannel(view)) = answer else {
                            panic!("another answer")
                        };
                        assert!(self.model.channels.insert(view.channel.id));
                    }
                    GroupCommand::DeleteChannel(request) => {
                        assert_eq!(request.by, OWNER);
                        assert!(self.model.channels.remove(&request.channel));
                    }
                    GroupCommand::CreateInvite(request) => {
                        assert!(self.model.members.contains(&request.by.id));
                    }
                    GroupCommand::Subscribe(request) => {
                        assert!(self.model.members.contains(&request.by));
                        let Some(GroupReply::Subscribe(picture)) = answer else {
                            panic!("another answer")
                        };
                        let users: BTreeSet<_> =
                            picture.members.iter().map(|row| row.user).collect();
                        assert_eq!(users, self.model.members);
                    }
                    GroupCommand::DeleteGroup(request) => {
                        assert_eq!(request.by, OWNER);
                        self.model.alive = false;
                    }
                    other => panic!("{} is not in the model", other.name()),
                }
            }
        }
    }

    /// The history is what the model says: nothing lost, doubled, or brought back.
    fn check_rows(&self) {
        let rows = self.rig.rows(TableId::Messages);
        let rows = rows
            .values()
            .map(|bytes| decode::<Messages>(bytes).unwrap());
        let stored: BTreeMap<_, _> = rows
            .map(|row| ((row.channel, row.id), row.content))
            .collect();
        let known = self.model.messages.iter().filter(|(_, known)| known.there);
        let known: BTreeMap<_, _> = known
            .map(|(place, known)| (*place, known.content.clone()))
            .collect();
        assert_eq!(stored, known);
        let rows = self.rig.rows(TableId::Messages);
        let rows = rows
            .values()
            .map(|bytes| decode::<Messages>(bytes).unwrap());
        let (mut counted, mut pinned) = (BTreeMap::new(), BTreeSet::new());
        for row in rows {
            let place = (row.channel, row.id);
            for count in row.reactions {
                counted.insert((place, count.emoji), count.count);
            }
            if row.pinned {
                pinned.insert(place);
            }
        }
        let mut known = BTreeMap::new();
        for (place, emoji, _) in &self.model.reactions {
            *known.entry((*place, emoji.clone())).or_default() += 1;
        }
        assert_eq!(counted, known);
        assert_eq!(pinned, self.model.pins);
    }

    fn finish(mut self) {
        while self.rig.deliver() {
            self.check();
        }
        assert_eq!(self.rig.unanswered(), 0, "every command is answered");
        assert!(!self.rig.core.is_in_use());
        assert_rebuilt(&self.rig);
    }
}

/// Found by the property below.
#[test]
fn a_nonce_counts_for_its_time_though_newer_ids_are_ahead_of_the_clock() {
    let post = |by, nonce| Op::Post {
        by,
        channel: 2,
        nonce,
        enforce: false,
    };
    let mut run = Run::new();
    run.apply(Op::Join { by: 6 });
    run.apply(post(1, Some(0)));
    run.apply(Op::Wait { ms: 300_000 });
    run.apply(Op::Wait { ms: 300_000 });
    run.apply(post(2, None));
    run.apply(Op::Join { by: 4 });
    run.apply(post(1, None));
    run.finish();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn a_group_keeps_to_its_model(ops in proptest::collection::vec(op(), 1..80)) {
        let mut run = Run::new();
        for op in ops {
            run.apply(op);
        }
        run.finish();
    }
}
