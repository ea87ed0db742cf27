//! The room's core: who gets a place, who loses it, and what others see of that.

mod mailbox;

use rookery_protocol::client::voice::{
    MediaRights, Participant, ServerFrame, Slot, Stats, Streams, VoiceClose,
};
use rookery_protocol::ids::{ChannelId, GroupId, UserId};
use rookery_protocol::limits;
use rookery_protocol::time::Millis;
use rookery_protocol::voice::{Present, RoomId, RoomMember, RoomOrders};

use super::{Effect, Input, MediaEvent, PeerId, Room, SocketId};

const ADA: UserId = UserId(1);
const BEN: UserId = UserId(2);
const ALL: MediaRights = MediaRights {
    speak: true,
    stream: true,
    hear: true,
};

fn who(user: UserId, session: &str) -> Present {
    Present {
        user,
        session: session.to_owned(),
    }
}

fn member(user: UserId, session: &str, rights: MediaRights) -> RoomMember {
    RoomMember {
        who: who(user, session),
        rights,
    }
}

/// A room under test, and what it did since one last looked.
struct Bench {
    room: Room,
    now: Millis,
    done: Vec<Effect>,
}

impl Bench {
    fn new() -> Self {
        let id = RoomId {
            group: GroupId(10),
            channel: ChannelId(11),
            life: 12,
        };
        let now = Millis(1_000_000);
        Self {
            room: Room::new(id, now),
            now,
            done: Vec::new(),
        }
    }

    fn step(&mut self, input: Input) {
        self.room.step(self.now, input, &mut self.done);
    }

    fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.done)
    }

    fn wait(&mut self, ms: u64) {
        let until = self.now.0 + ms;
        while self.now.0 < until {
            self.now.0 = (self.now.0 + limits::ROOM_LOOK_MS).min(until);
            self.step(Input::Tick);
        }
    }

    fn identify(&mut self, socket: u64, user: UserId, session: &str) {
        self.step(Input::Identify {
            socket: SocketId(socket),
            who: who(user, session),
            ice_servers: Vec::new(),
        });
    }

    fn go(&mut self, members: Vec<RoomMember>) {
        self.step(Input::Orders(Some(RoomOrders::Go(members))));
    }

    /// Ada at socket 1 and Ben at socket 2, both with their place.
    fn two() -> Self {
        let mut bench = Self::new();
        bench.identify(1, ADA, "a");
        bench.identify(2, BEN, "b");
        bench.go(vec![member(ADA, "a", ALL), member(BEN, "b", ALL)]);
        bench.go(vec![member(ADA, "a", ALL), member(BEN, "b", ALL)]);
        bench.take();
        bench
    }

    fn frames(&mut self, socket: u64) -> Vec<ServerFrame> {
        let done = self.take();
        let to = |effect| match effect {
            Effect::Send(sockets, frame) if sockets.contains(&SocketId(socket)) => Some(frame),
            _ => None,
        };
        done.into_iter().filter_map(to).collect()
    }
}

fn closes(done: &[Effect]) -> Vec<(u64, VoiceClose)> {
    let close = |effect: &Effect| match effect {
        Effect::Close(socket, code) => Some((socket.0, *code)),
        _ => None,
    };
    done.iter().filter_map(close).collect()
}

#[test]
fn a_client_gets_its_place_when_the_group_says_so() {
    let mut bench = Bench::new();
    bench.identify(1, ADA, "a");
    let asked = bench.take();
    let [Effect::Ask { present, gone }] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert_eq!(present, &[who(ADA, "a")]);
    assert!(gone.is_empty());
    bench.go(vec![member(ADA, "a", ALL)]);
    let frames = bench.frames(1);
    let [ServerFrame::Ready { clients, .. }] = &frames[..] else {
        panic!("{frames:?}");
    };
    assert_eq!(clients[0].user_id, ADA);
}

#[test]
fn who_is_not_in_the_channel_is_sent_away_by_the_first_answer_to_a_question_that_named_him() {
    let mut bench = Bench::new();
    bench.identify(1, ADA, "a");
    // Ben comes while the first question is under way, which cannot know of him.
    bench.identify(2, BEN, "b");
    bench.go(vec![member(ADA, "a", ALL)]);
    assert!(closes(&bench.take()).is_empty());
    bench.go(vec![member(ADA, "a", ALL)]);
    assert_eq!(closes(&bench.take()), [(2, VoiceClose::Disconnected)]);
}

#[test]
fn another_client_of_the_same_person_takes_his_place() {
    let mut bench = Bench::two();
    bench.identify(3, ADA, "c");
    bench.go(vec![member(ADA, "c", ALL), member(BEN, "b", ALL)]);
    let done = bench.take();
    assert_eq!(closes(&done), [(1, VoiceClose::Disconnected)]);
    assert!(done.contains(&Effect::Leave(PeerId(1))));
    let ready = done.iter().any(|effect| {
        matches!(effect, Effect::Send(to, ServerFrame::Ready { .. }) if to[..] == [SocketId(3)])
    });
    assert!(ready, "{done:?}");
}

#[test]
fn rights_that_change_reach_the_media_and_end_what_is_not_allowed_any_more() {
    let mut bench = Bench::two();
    let camera = Streams {
        camera: true,
        screen: false,
    };
    bench.step(Input::Streams(SocketId(1), camera));
    assert!(bench.take().contains(&Effect::Streams(PeerId(1), camera)));
    let muted = MediaRights {
        speak: false,
        stream: false,
        hear: true,
    };
    bench.go(vec![member(ADA, "a", muted), member(BEN, "b", ALL)]);
    let done = bench.take();
    assert!(done.contains(&Effect::Allow(PeerId(1), muted)));
    assert!(done.contains(&Effect::Streams(PeerId(1), Streams::default())));
    let off = ServerFrame::Streams(Participant {
        user_id: ADA,
        streams: Streams::default(),
    });
    assert!(done.contains(&Effect::Send(vec![SocketId(1), SocketId(2)], off)));
    // What is not allowed does not begin.
    bench.step(Input::Streams(SocketId(1), camera));
    assert_eq!(bench.take(), []);
}

#[test]
fn who_is_taken_out_of_the_channel_loses_socket_and_media() {
    let mut bench = Bench::two();
    bench.go(vec![member(BEN, "b", ALL)]);
    let done = bench.take();
    assert_eq!(closes(&done), [(1, VoiceClose::Disconnected)]);
    assert!(done.contains(&Effect::Leave(PeerId(1))));
    let left = ServerFrame::ClientDisconnect { user_id: ADA };
    assert!(done.contains(&Effect::Send(vec![SocketId(2)], left)));
}

#[test]
fn an_offer_is_answered_and_the_last_of_those_that_came_meanwhile() {
    let mut bench = Bench::two();
    for offer in ["one", "two", "three"] {
        bench.step(Input::Offer(SocketId(1), offer.to_owned()));
    }
    let offers = |done: Vec<Effect>| -> Vec<String> {
        let offer = |effect| match effect {
            Effect::Answer { offer, .. } => Some(offer),
            _ => None,
        };
        done.into_iter().filter_map(offer).collect()
    };
    assert_eq!(offers(bench.take()), ["one"]);
    bench.step(Input::Answered(PeerId(1), Ok("first".to_owned())));
    assert_eq!(offers(bench.take()), ["three"]);
    bench.step(Input::Answered(PeerId(1), Ok("third".to_owned())));
    let frames = bench.frames(1);
    assert!(
        matches!(&frames[..], [ServerFrame::SessionDescription { sdp, .. }] if sdp == "third"),
        "{frames:?}"
    );
    bench.step(Input::Offer(SocketId(1), "bad".to_owned()));
    bench.step(Input::Answered(PeerId(1), Err(VoiceClose::BadRequest)));
    assert_eq!(closes(&bench.take()), [(1, VoiceClose::BadRequest)]);
}

#[test]
fn a_lost_socket_is_resumed_as_long_as_media_goes_on() {
    let mut bench = Bench::two();
    bench.step(Input::Media(MediaEvent::Connected(PeerId(1))));
    bench.step(Input::Closed(SocketId(1), false));
    bench.go(vec![member(ADA, "a", ALL), member(BEN, "b", ALL)]);
    bench.wait(limits::VOICE_RESUME_MS - 1);
    bench.take();
    bench.step(Input::Resume {
        socket: SocketId(3),
        who: who(ADA, "a"),
    });
    let done = bench.take();
    assert!(
        matches!(&done[..], [Effect::Send(to, ServerFrame::Resumed { .. }), Effect::Slots(PeerId(1))] if to[..] == [SocketId(3)]),
        "{done:?}"
    );
    bench.step(Input::Closed(SocketId(3), false));
    bench.wait(limits::VOICE_RESUME_MS);
    assert!(bench.take().contains(&Effect::Leave(PeerId(1))));
    bench.step(Input::Resume {
        socket: SocketId(4),
        who: who(ADA, "a"),
    });
    assert_eq!(closes(&bench.take()), [(4, VoiceClose::SessionInvalid)]);
}

#[test]
fn without_media_a_lost_socket_is_waited_for_only_briefly() {
    let mut bench = Bench::two();
    bench.step(Input::Closed(SocketId(1), false));
    bench.wait(limits::VOICE_LOST_MS);
    assert!(bench.take().contains(&Effect::Leave(PeerId(1))));
}

#[test]
fn who_goes_is_told_to_the_group_until_it_has_heard() {
    let mut bench = Bench::two();
    bench.step(Input::Closed(SocketId(1), true));
    let gone = |done: &[Effect]| {
        let gone = |effect: &Effect| match effect {
            Effect::Ask { gone, .. } => Some(gone.clone()),
            _ => None,
        };
        done.iter().find_map(gone)
    };
    assert_eq!(gone(&bench.take()), Some(vec![who(ADA, "a")]));
    // The group could not be asked.
    bench.step(Input::Orders(None));
    bench.wait(limits::ROOM_BEAT_MS);
    assert_eq!(gone(&bench.take()), Some(vec![who(ADA, "a")]));
    bench.go(vec![member(BEN, "b", ALL)]);
    bench.take();
    bench.wait(limits::ROOM_BEAT_MS);
    assert_eq!(gone(&bench.take()), Some(Vec::new()));
}

#[test]
fn a_room_that_is_elsewhere_lets_its_clients_follow() {
    let mut bench = Bench::two();
    bench.step(Input::Orders(Some(RoomOrders::Close)));
    let done = bench.take();
    let crashed = VoiceClose::ServerCrashed;
    assert_eq!(closes(&done), [(1, crashed), (2, crashed)]);
    assert_eq!(done.last(), Some(&Effect::End));
    bench.identify(5, ADA, "a");
    assert_eq!(closes(&bench.take()), [(5, crashed)]);
}

#[test]
fn a_room_that_nobody_comes_to_ends() {
    let mut bench = Bench::new();
    bench.wait(limits::VOICE_ABSENT_MS);
    assert_eq!(bench.take().last(), Some(&Effect::End));
}

#[test]
fn an_empty_room_goes_on_while_the_group_says_that_somebody_may_come() {
    let waiting = || {
        let mut bench = Bench::new();
        for _ in 0..2 * limits::VOICE_ABSENT_MS / limits::ROOM_BEAT_MS {
            bench.wait(limits::ROOM_BEAT_MS);
            bench.go(vec![member(ADA, "a", ALL)]);
        }
        assert!(!bench.take().contains(&Effect::End));
        bench
    };
    let mut told = waiting();
    told.step(Input::Orders(Some(RoomOrders::Close)));
    assert_eq!(told.take().last(), Some(&Effect::End));
    let mut silent = waiting();
    silent.wait(limits::VOICE_ABSENT_MS);
    assert_eq!(silent.take().last(), Some(&Effect::End));
}

#[test]
fn what_is_heard_of_media_goes_to_whom_it_concerns() {
    let mut bench = Bench::two();
    bench.step(Input::Media(MediaEvent::Speaking(ADA, true)));
    bench.step(Input::Media(MediaEvent::Stats(PeerId(2), Stats::default())));
    let slot = Slot {
        mid: "4".to_owned(),
        user_id: Some(ADA),
        stream: None,
        rid: None,
        paused: false,
    };
    bench.step(Input::Media(MediaEvent::Slots(PeerId(1), vec![slot])));
    let done = bench.take();
    let to: Vec<_> = done
        .iter()
        .map(|effect| match effect {
            Effect::Send(to, frame) => (to.iter().map(|to| to.0).collect::<Vec<_>>(), frame.op()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(to, [(vec![1, 2], 5), (vec![2], 41), (vec![1], 40)]);
}

#[test]
fn a_question_without_an_answer_is_asked_again() {
    let mut bench = Bench::new();
    bench.identify(1, ADA, "a");
    bench.identify(2, BEN, "b");
    bench.take();
    bench.wait(limits::ROOM_ANSWER_MS - 1);
    assert_eq!(bench.take(), []);
    bench.wait(1);
    let asked = bench.take();
    assert!(matches!(&asked[..], [Effect::Ask { .. }]), "{asked:?}");
    // The first question, which did not name Ben, is answered after all.
    bench.go(vec![member(ADA, "a", ALL)]);
    assert_eq!(closes(&bench.take()), []);
    bench.go(vec![member(ADA, "a", ALL)]);
    assert_eq!(closes(&bench.take()), [(2, VoiceClose::Disconnected)]);
}

#[test]
fn media_that_is_ready_when_its_client_has_left_ends() {
    let mut bench = Bench::two();
    bench.step(Input::Offer(SocketId(1), "offer".to_owned()));
    bench.step(Input::Closed(SocketId(1), true));
    bench.take();
    bench.step(Input::Answered(PeerId(1), Ok("answer".to_owned())));
    assert_eq!(bench.take(), [Effect::Leave(PeerId(1))]);
}

#[test]
fn a_room_whose_media_failed_ends_so_that_its_clients_make_a_new_one() {
    let mut bench = Bench::two();
    bench.step(Input::Media(MediaEvent::Ended));
    let done = bench.take();
    let crashed = VoiceClose::ServerCrashed;
    assert_eq!(closes(&done), [(1, crashed), (2, crashed)]);
    assert_eq!(done.last(), Some(&Effect::End));
}

#[test]
fn streams_that_change_often_are_told_once_in_a_while() {
    let mut bench = Bench::two();
    let switch = |bench: &mut Bench, camera| {
        let streams = Streams {
            camera,
            screen: false,
        };
        bench.step(Input::Streams(SocketId(1), streams));
    };
    let told = |bench: &mut Bench| -> Vec<bool> {
        let camera = |frame| match frame {
            ServerFrame::Streams(participant) => Some(participant.streams.camera),
            _ => None,
        };
        bench.frames(2).into_iter().filter_map(camera).collect()
    };
    for _ in 0..limits::VOICE_FRAMES / 2 {
        switch(&mut bench, true);
        switch(&mut bench, false);
    }
    assert_eq!(told(&mut bench), [true], "the first at once");
    bench.wait(limits::ROOM_LOOK_MS);
    assert_eq!(told(&mut bench), [false], "the newest");
    switch(&mut bench, true);
    assert!(told(&mut bench).is_empty());
    bench.wait(limits::ROOM_LOOK_MS);
    assert_eq!(told(&mut bench), [true]);
    bench.wait(limits::ROOM_LOOK_MS);
    assert!(told(&mut bench).is_empty());
    switch(&mut bench, false);
    assert_eq!(told(&mut bench), [false], "after a pause at once");
}

#[test]
fn who_is_back_before_the_group_has_heard_that_he_went_is_not_gone() {
    let mut bench = Bench::two();
    bench.step(Input::Closed(SocketId(1), true));
    bench.step(Input::Orders(None));
    bench.take();
    bench.identify(3, ADA, "a");
    let asked = bench.take();
    let [Effect::Ask { present, gone }] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert_eq!(present, &[who(BEN, "b"), who(ADA, "a")]);
    assert!(gone.is_empty());
}
