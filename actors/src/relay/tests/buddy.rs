//! What a lane tells its buddy, and how a session goes on from that when its node is dead.

use rookery_protocol::document::IncarnationId;
use rookery_protocol::event::EventName;
use rookery_protocol::ids::{GroupId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::limits::{CHECKPOINT_BYTES, RESUME_MS, STALE_COPY_MS};
use rookery_protocol::session::{Checkpoint, Claim, SessionKey, Taken};

use super::bench::Bench;
use super::{GROUP, USER, community, names};
use crate::relay::{Config, Keeper, Secret};

fn node() -> IncarnationId {
    IncarnationId {
        node: "a".into(),
        number: 1,
    }
}

impl Bench {
    fn tell(&mut self, keeper: &mut Keeper, anew: bool) {
        let checkpoint = self.lane.checkpoint(anew, CHECKPOINT_BYTES);
        keeper.take(&node(), 0, checkpoint);
    }

    /// As a client resumes whose node is dead.
    fn orphan(&self, client: usize, back: usize) -> Claim {
        let session = self.clients[client].session.unwrap();
        Claim {
            key: SessionKey {
                run: node(),
                lane: 0,
                slot: session.slot,
                generation: session.generation,
            },
            ..self.claim(client, back)
        }
    }

    /// The node dies; the client goes on at another one with a copy.
    fn survive(&mut self, keeper: &mut Keeper, client: usize, back: usize) {
        let claim = self.orphan(client, back);
        keeper.over(&node());
        let Taken::Handed(parcel) = keeper.hand_over(&claim) else {
            panic!("no copy of {claim:?}");
        };
        assert_eq!(parcel.seq, claim.seq);
        self.new_node();
        let number = client;
        let client = &mut self.clients[client];
        client.session = None;
        client.received.truncate(claim.seq as usize);
        client.has_moved = true;
        let wire = self.socket(number);
        self.step(crate::relay::Input::Adopt { parcel, wire });
    }
}

fn messages(bench: &Bench, client: usize) -> Vec<String> {
    let received = bench.names(client).into_iter();
    received
        .filter(|(name, _)| *name == EventName::MessageCreate)
        .map(|(_, id)| id)
        .collect()
}

#[test]
fn a_session_goes_on_from_the_last_checkpoint_that_its_client_has_reached() {
    let (mut bench, client) = community();
    let mut keeper = Keeper::default();
    bench.tell(&mut keeper, true);
    for _ in 0..5 {
        bench.message(GROUP, false);
        bench.flush();
        bench.tell(&mut keeper, false);
    }
    let all = messages(&bench, client);
    // Two of them have not arrived; one more was on its way when the node died.
    bench.message(GROUP, false);
    bench.survive(&mut keeper, client, 2);
    bench.answer_all();
    bench.flush();
    let now = messages(&bench, client);
    assert_eq!(now[..5], all[..]);
    assert_eq!(
        now.len(),
        6,
        "nothing comes again: each checkpoint was one event"
    );
    bench.message(GROUP, false);
    bench.flush();
    assert_eq!(messages(&bench, client).len(), 7);
}

#[test]
fn what_came_since_the_checkpoint_comes_again() {
    let (mut bench, client) = community();
    let mut keeper = Keeper::default();
    bench.message(GROUP, false);
    bench.flush();
    bench.tell(&mut keeper, true);
    for _ in 0..3 {
        bench.message(GROUP, false);
    }
    bench.flush();
    let before = messages(&bench, client);
    bench.survive(&mut keeper, client, 0);
    bench.answer_all();
    bench.flush();
    let now = messages(&bench, client);
    assert_eq!(now[..4], before[..]);
    assert_eq!(now[4..], before[1..], "these came since");
}

#[test]
fn an_idle_or_detached_session_goes_on_without_a_repetition() {
    let (mut bench, client) = community();
    let mut keeper = Keeper::default();
    bench.tell(&mut keeper, true);
    bench.hangup(client, false);
    for _ in 0..60 {
        bench.message(GROUP, false);
        bench.message(GROUP, false);
        bench.tell(&mut keeper, false);
    }
    bench.survive(&mut keeper, client, 0);
    bench.answer_all();
    bench.flush();
    assert_eq!(messages(&bench, client).len(), 120);
    let (mut bench, client) = community();
    bench.tell(&mut keeper, true);
    for _ in 0..500 {
        bench.tell(&mut keeper, false);
    }
    bench.survive(&mut keeper, client, 0);
}

#[test]
fn a_copy_knows_the_topics_of_its_checkpoint() {
    let mut bench = Bench::new(Config::default());
    bench.members.insert((GROUP, USER));
    let client = bench.client(USER.0, Intents::ALL);
    bench.answer(0);
    bench.answer(0);
    bench.flush();
    let mut keeper = Keeper::default();
    // READY has come, the group has not.
    bench.tell(&mut keeper, true);
    bench.answer_all();
    bench.flush();
    bench.message(GROUP, false);
    let other = GroupId(11);
    bench.join_group(USER, other, false);
    bench.notify(0, false);
    bench.answer_all();
    bench.flush();
    assert_eq!(names(&bench, client).len(), 4);
    bench.tell(&mut keeper, false);
    bench.leave_group(USER, GROUP, false);
    bench.flush();
    bench.tell(&mut keeper, false);
    // As if nothing but READY had come: the groups are asked for, and one of them is over.
    bench.survive(&mut keeper, client, 4);
    bench.answer_all();
    bench.flush();
    let names = names(&bench, client);
    assert!(names.contains(&EventName::GuildDelete), "{names:?}");
    assert!(bench.inside.iter().any(|(_, group)| *group == other));
}

#[test]
fn a_copy_is_given_once_and_only_to_whom_it_belongs() {
    let (mut bench, client) = community();
    let mut keeper = Keeper::default();
    bench.tell(&mut keeper, true);
    let claim = bench.orphan(client, 0);
    let forged = Claim {
        secret: Secret([9; 16]),
        ..claim.clone()
    };
    assert_eq!(keeper.hand_over(&forged), Taken::Invalid);
    let foreign = Claim {
        user: UserId(9),
        ..claim.clone()
    };
    assert_eq!(keeper.hand_over(&foreign), Taken::Invalid);
    // Its node may have it.
    assert_eq!(keeper.hand_over(&claim), Taken::Alive);
    keeper.linked(&node(), false);
    assert_eq!(keeper.hand_over(&claim), Taken::Alive);
    keeper.over(&node());
    assert_eq!(
        keeper.hand_over(&Claim {
            seq: 0,
            ..claim.clone()
        }),
        Taken::Invalid
    );
    assert!(matches!(keeper.hand_over(&claim), Taken::Handed(_)));
    assert_eq!(keeper.hand_over(&claim), Taken::Unknown);
    assert_eq!(keeper.sessions(), 0);
}

#[test]
fn copies_go_with_their_sessions_and_some_time_after_their_nodes() {
    let (mut bench, client) = community();
    let mut keeper = Keeper::default();
    bench.tell(&mut keeper, true);
    assert_eq!(keeper.sessions(), 1);
    bench.hangup(client, true);
    bench.tell(&mut keeper, false);
    assert_eq!(keeper.sessions(), 0);
    let (mut bench, client) = community();
    keeper.tick(bench.now);
    bench.tell(&mut keeper, true);
    keeper.linked(&node(), false);
    keeper.tick(bench.now.plus(RESUME_MS));
    keeper.linked(&node(), true);
    keeper.tick(bench.now.plus(RESUME_MS + 1));
    assert_eq!(keeper.sessions(), 1, "it was linked again");
    keeper.linked(&node(), false);
    keeper.tick(bench.now.plus(2 * RESUME_MS + 1));
    assert_eq!(keeper.sessions(), 1);
    keeper.tick(bench.now.plus(2 * RESUME_MS + 2));
    assert_eq!(keeper.sessions(), 0);
    assert_eq!(keeper.hand_over(&bench.orphan(client, 0)), Taken::Unknown);
}

/// Found by simulation: one buddy keeps copies for both nodes, and hears of the end at the old one last.
#[test]
fn a_copy_stays_when_its_session_has_ended_where_it_was_before() {
    let (mut bench, client) = community();
    let mut keeper = Keeper::default();
    bench.tell(&mut keeper, true);
    let claim = bench.orphan(client, 0);
    let elsewhere = IncarnationId {
        node: "b".into(),
        number: 1,
    };
    let mut told = bench.lane.checkpoint(true, CHECKPOINT_BYTES);
    told.opened[0].key = Some(claim.key.clone());
    keeper.take(&elsewhere, 0, told);
    let ended = bench.lane.checkpoint(true, CHECKPOINT_BYTES).opened[0].at;
    let end = Checkpoint {
        tick: 2,
        ended: vec![ended],
        ..Checkpoint::default()
    };
    keeper.take(&node(), 0, end);
    keeper.over(&elsewhere);
    assert!(matches!(keeper.hand_over(&claim), Taken::Handed(_)));
}

/// Found by simulation: its node had had another buddy before, whose copy knows numbers that now mean other events.
#[test]
fn a_copy_is_void_when_the_session_goes_on_from_another() {
    let (mut bench, client) = community();
    let (mut one, mut other) = (Keeper::default(), Keeper::default());
    bench.tell(&mut one, true);
    bench.tell(&mut other, true);
    let claim = bench.orphan(client, 0);
    one.over(&node());
    other.over(&node());
    assert!(matches!(one.hand_over(&claim), Taken::Handed(_)));
    let by = IncarnationId {
        node: "b".into(),
        number: 1,
    };
    // What the one that goes on with it has told itself stays.
    other.forget(&node(), &claim.key);
    assert_eq!(other.sessions(), 1);
    other.forget(&by, &claim.key);
    assert_eq!(other.hand_over(&claim), Taken::Unknown);
    assert_eq!(other.sessions(), 0);
}

/// Its node has another buddy by now, which knows how the sessions stand.
#[test]
fn copies_of_a_node_that_is_linked_and_tells_nothing_more_are_dropped() {
    let (mut bench, _) = community();
    let mut keeper = Keeper::default();
    keeper.tick(bench.now);
    keeper.linked(&node(), true);
    bench.tell(&mut keeper, true);
    keeper.tick(bench.now.plus(STALE_COPY_MS));
    assert_eq!(keeper.sessions(), 1);
    bench.tell(&mut keeper, false);
    keeper.tick(bench.now.plus(2 * STALE_COPY_MS));
    assert_eq!(keeper.sessions(), 1);
    keeper.tick(bench.now.plus(2 * STALE_COPY_MS + 1));
    assert_eq!(keeper.sessions(), 0);
}

#[test]
fn a_checkpoint_behind_a_gap_is_not_taken() {
    let (mut bench, client) = community();
    let mut keeper = Keeper::default();
    bench.tell(&mut keeper, true);
    bench.message(GROUP, false);
    bench.flush();
    let _lost = bench.lane.checkpoint(false, CHECKPOINT_BYTES);
    bench.message(GROUP, false);
    bench.flush();
    bench.tell(&mut keeper, false);
    bench.survive(&mut keeper, client, 0);
    bench.answer_all();
    bench.flush();
    assert_eq!(messages(&bench, client).len(), 4, "both come again");
}
