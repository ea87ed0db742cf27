//! Random sequences of commands, crashes and late rows, against a model that knows only members, messages and nonces.

mod judge;
mod model;
mod op;

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;
use rookery_protocol::command::group::*;
use rookery_protocol::document::{ChannelKind, Nonce};
use rookery_protocol::ids::MessageId;

use self::model::Model;
use self::op::{Op, op};
use super::load::assert_rebuilt;
use super::*;
use crate::entity::{Core, ReplyTo};

/// What the ops react with: two that begin alike, and another.
const EMOJI: [&str; 3] = ["\u{1f44d}", "\u{1f44d}\u{1f3fd}", "\u{2764}\u{fe0f}"];

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
