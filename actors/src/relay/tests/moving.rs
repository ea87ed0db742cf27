//! Sessions that move: between two lanes with a world each, and what of them is exact.

use std::sync::Arc;

use rookery_protocol::document::IncarnationId;
use rookery_protocol::entity::{EntityKind, EntityRef};
use rookery_protocol::event::{AccessChange, Audience, EventName, FrameSeq, SharedFrame};
use rookery_protocol::ids::{ChannelId, GroupId, RoleId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::permissions::{Overwrite, OverwriteTarget, Permissions};
use rookery_protocol::session::{Claim, Parcel, SessionKey};

use super::bench::{Bench, text};
use super::groups::CHANNEL;
use super::{GROUP, USER, community, names};
use crate::relay::{Again, Config, Input, Lane, Lost, Refusal, Secret, SessionRef, Viewpoint};

impl Bench {
    /// What a client says when it resumes as if the last `back` events had not arrived.
    pub(super) fn claim(&self, client: usize, back: usize) -> Claim {
        let client = &self.clients[client];
        let seq = client.received.len().saturating_sub(back) as u64;
        Claim {
            key: SessionKey {
                run: IncarnationId {
                    node: "a".into(),
                    number: 1,
                },
                lane: 0,
                slot: 0,
                generation: 0,
            },
            user: client.identity.user,
            secret: client.identity.secret,
            seq,
        }
    }

    /// A client's session is taken out of the lane.
    fn take(&mut self, client: usize, claim: &Claim) -> Result<Box<Parcel>, Refusal> {
        let session = self.clients[client].session.ok_or(Refusal::Unknown)?;
        let mut effects = Vec::new();
        let taken = self.lane.take(self.now, session, claim, &mut effects);
        if taken.is_ok() {
            // It is not over: it goes on.
            self.inside.retain(|(inside, _)| *inside != session);
            self.clients[client].session = None;
        }
        self.run(effects);
        taken
    }

    /// It goes on in the lane as it is now.
    fn adopt(&mut self, client: usize, parcel: Box<Parcel>, back: usize) {
        self.rewind(client, back);
        self.clients[client].has_moved = true;
        let wire = self.socket(client);
        self.step(Input::Adopt { parcel, wire });
    }

    /// A client resumes at another node, as if the last `back` events had not arrived. The other node is the same lane.
    pub(super) fn move_client(&mut self, client: usize, back: usize) -> Option<Refusal> {
        let claim = self.claim(client, back);
        match self.take(client, &claim) {
            Err(refusal) => Some(refusal),
            Ok(parcel) => {
                self.adopt(client, parcel, back);
                None
            }
        }
    }

    /// The same to a lane that knows nothing yet; nobody else may have a session.
    fn move_away(&mut self, client: usize, back: usize) {
        let claim = self.claim(client, back);
        let parcel = self.take(client, &claim).unwrap();
        self.new_node();
        self.adopt(client, parcel, back);
    }

    pub(super) fn new_node(&mut self) {
        self.lane = Lane::new(Config::default());
        self.watched.clear();
        self.inside.clear();
        self.questions.clear();
    }

    /// The world answers what a session asks that goes on with a topic; `seen` is how far it had come.
    pub(super) fn answer_rejoin(
        &mut self,
        session: SessionRef,
        user: UserId,
        topic: EntityRef,
        since: u64,
        seen: u64,
    ) {
        let trimmed = self.trimmed.get(&topic).copied().unwrap_or(0);
        // A page may hold a little more than what was asked for.
        let until = self.gseq(topic).min(seen + 2);
        let log = self.logs.get(&topic).map_or(&[][..], Vec::as_slice);
        let page: Vec<SharedFrame> = log[since as usize..until as usize].to_vec();
        let group = GroupId(topic.id);
        let again = (topic.kind == EntityKind::Group).then(|| {
            let then = self.past(group, seen);
            let is_changed = page.iter().any(|frame| {
                frame.event.access.is_some()
                    && matches!(frame.seq, FrameSeq::Logged(gseq) if gseq <= seen)
            });
            let id = format!("{group}:{seen}");
            let body = text(EventName::GuildCreate, &id, Intents::NONE, false);
            Again {
                gseq: seen,
                view: Viewpoint {
                    access: Arc::new(then.picture()),
                    roles: then.holders.get(&user).cloned().unwrap_or_default(),
                },
                body: is_changed.then(|| Box::new(body)),
            }
        });
        let is_lost = since < trimmed && since < until;
        self.step(Input::Rejoined {
            session,
            topic,
            since,
            events: if is_lost { Err(Lost) } else { Ok(page) },
            again,
        });
    }
}

#[test]
fn a_session_that_moves_keeps_its_numbers_and_misses_nothing() {
    let (mut bench, client) = community();
    bench.message(GROUP, false);
    bench.flush();
    bench.hangup(client, false);
    bench.message(GROUP, false);
    bench.message(GROUP, false);
    bench.flush();
    bench.move_away(client, 1);
    bench.flush();
    use EventName::{GuildCreate, MessageCreate, Ready, Resumed};
    let before = [
        Ready,
        GuildCreate,
        MessageCreate,
        MessageCreate,
        MessageCreate,
        Resumed,
    ];
    assert_eq!(names(&bench, client), before);
    // What comes while it is on its way to its topics.
    bench.message(GROUP, true);
    bench.message(GROUP, false);
    bench.answer_all();
    bench.message(GROUP, false);
    bench.flush();
    assert_eq!(names(&bench, client)[6..], [MessageCreate; 3]);
    bench.check();
}

#[test]
fn a_session_moves_on_before_it_has_rejoined_its_topics() {
    let (mut bench, client) = community();
    bench.move_away(client, 0);
    bench.message(GROUP, false);
    bench.flush();
    bench.move_away(client, 1);
    bench.message(GROUP, true);
    bench.answer_all();
    bench.flush();
    let messages = names(&bench, client);
    let messages = messages
        .iter()
        .filter(|name| **name == EventName::MessageCreate);
    assert_eq!(messages.count(), 2);
    bench.check();
}

#[test]
fn a_session_moves_with_the_groups_that_have_not_answered() {
    let mut bench = Bench::new(Config::default());
    bench.members.insert((GROUP, USER));
    let client = bench.client(USER.0, Intents::ALL);
    bench.answer(0);
    bench.answer(0);
    bench.flush();
    bench.message(GROUP, false);
    bench.move_away(client, 0);
    bench.answer_all();
    bench.message(GROUP, false);
    bench.flush();
    use EventName::{GuildCreate, MessageCreate, Ready, Resumed};
    assert_eq!(
        names(&bench, client),
        [Ready, Resumed, GuildCreate, MessageCreate]
    );
    bench.check();
}

#[test]
fn who_does_not_see_content_does_not_see_it_after_a_move() {
    let mut bench = Bench::new(Config::default());
    bench.members.insert((GROUP, UserId(2)));
    let client = bench.client(2, Intents::GUILDS | Intents::GUILD_MESSAGES);
    bench.answer_all();
    bench.flush();
    bench.hangup(client, false);
    bench.message(GROUP, false);
    bench.flush();
    bench.move_away(client, 0);
    bench.message(GROUP, false);
    bench.answer_all();
    bench.flush();
    bench.check();
}

#[test]
fn only_who_knows_the_secret_takes_a_session_and_only_once() {
    let (mut bench, client) = community();
    let claim = bench.claim(client, 0);
    let session = bench.clients[client].session;
    let refused = [
        (
            Claim {
                secret: Secret([9; 16]),
                ..claim.clone()
            },
            Refusal::InvalidSession,
        ),
        (
            Claim {
                user: UserId(9),
                ..claim.clone()
            },
            Refusal::InvalidSession,
        ),
        (
            Claim {
                seq: claim.seq + 1,
                ..claim.clone()
            },
            Refusal::InvalidSeq,
        ),
    ];
    for (claim, refusal) in refused {
        assert_eq!(bench.take(client, &claim).unwrap_err(), refusal);
    }
    assert!(bench.take(client, &claim).is_ok());
    bench.clients[client].session = session;
    assert_eq!(bench.take(client, &claim).unwrap_err(), Refusal::Unknown);
    assert_eq!(bench.lane.census().sessions, 0);
    assert!(bench.watched.is_empty() && bench.inside.is_empty());
}

#[test]
fn a_group_that_was_left_meanwhile_is_taken_leave_of() {
    let (mut bench, client) = community();
    bench.move_away(client, 0);
    bench.leave_group(USER, GROUP, true);
    bench.answer_all();
    bench.flush();
    assert_eq!(names(&bench, client).last(), Some(&EventName::GuildDelete));
    assert!(bench.inside.is_empty());
}

#[test]
fn who_left_and_came_back_meanwhile_is_in_the_group() {
    let (mut bench, client) = community();
    bench.move_away(client, 0);
    bench.leave_group(USER, GROUP, true);
    bench.join_group(USER, GROUP, true);
    bench.notify(0, true);
    bench.reveal();
    bench.answer_all();
    bench.message(GROUP, false);
    bench.flush();
    bench.check();
}

#[test]
fn a_channel_that_was_hidden_on_the_way_stays_hidden() {
    let (mut bench, client) = community();
    bench.move_away(client, 0);
    let hidden = Overwrite {
        target: OverwriteTarget::Role(GROUP.everyone()),
        allow: Permissions::NONE,
        deny: Permissions::VIEW_CHANNEL,
    };
    bench.message_to(GROUP, Audience::Channel(CHANNEL), true);
    bench.set_channel(GROUP, CHANNEL, Some(vec![hidden]), true);
    bench.answer_all();
    bench.message_to(GROUP, Audience::Channel(CHANNEL), false);
    bench.message(GROUP, false);
    bench.flush();
    use EventName::{GuildCreate, MessageCreate, Ready, Resumed};
    assert_eq!(
        names(&bench, client),
        [Ready, GuildCreate, Resumed, GuildCreate, MessageCreate]
    );
    bench.check();
}

#[test]
fn a_change_behind_the_picture_is_told_as_a_change() {
    let (mut bench, client) = community();
    bench.move_away(client, 0);
    // The group's answer is on its way.
    for question in 0..bench.questions.len() {
        bench.answer(question);
    }
    let change = AccessChange::Role(RoleId(GROUP.0), Some(Permissions::NONE));
    bench.change(GROUP, change, true);
    bench.message_to(GROUP, Audience::Channel(ChannelId(1)), true);
    bench.answer_all();
    bench.reveal();
    bench.answer_all();
    bench.flush();
    use EventName::{ChannelDelete, GuildCreate, GuildRoleUpdate, Ready, Resumed};
    assert_eq!(
        names(&bench, client),
        [Ready, GuildCreate, Resumed, GuildRoleUpdate, ChannelDelete]
    );
    bench.check();
}

#[test]
fn beyond_the_event_log_a_session_ends() {
    let (mut bench, client) = community();
    bench.move_away(client, 0);
    bench.message(GROUP, true);
    bench.trimmed.insert(GROUP.into(), 1);
    bench.answer_all();
    assert!(bench.clients[client].is_over);
}
