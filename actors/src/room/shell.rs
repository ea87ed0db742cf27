//! The ractor shell of a room: carries out what its core decides. A handler never waits: questions to the group and
//! answers to offers come back as messages.

#![allow(
    clippy::disallowed_methods,
    reason = "the shell is where questions and answers become tasks; each ends by itself or with its actor"
)]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use rookery_protocol::command::group::BeatRoom;
use rookery_protocol::limits;
use rookery_protocol::time::Millis;
use rookery_protocol::voice::RoomId;

use super::core::{Effect, Input, Room};
use super::ports::{Media, MediaEvent, SocketId, VoicePort};
use super::rooms::{Rooms, Tally};
use crate::entity::Timed;

/// What a room's mailbox holds.
pub(super) enum Message {
    /// A socket that is about to say something.
    Opened(SocketId, Arc<dyn VoicePort>),
    /// Something happened.
    Input(Input),
}

impl Message {
    fn name(&self) -> &'static str {
        match self {
            Self::Opened(..) => "Opened",
            Self::Input(input) => match input {
                Input::Identify { .. } => "Identify",
                Input::Resume { .. } => "Resume",
                Input::Offer(..) => "Offer",
                Input::Streams(..) => "Streams",
                Input::Wants(..) => "Wants",
                Input::Closed(..) => "Closed",
                Input::Answered(..) => "Answered",
                Input::Media(_) => "Media",
                Input::Orders(_) => "Orders",
                Input::Nudge => "Nudge",
                Input::Tick => "Tick",
            },
        }
    }

    /// Whether it is taken however many wait. Without it a room would wait for ever, or keep who is gone; and there is but
    /// one for each question, offer, socket or room.
    fn is_owed(&self) -> bool {
        let Self::Input(input) = self else {
            return false;
        };
        matches!(
            input,
            Input::Orders(_)
                | Input::Answered(..)
                | Input::Closed(..)
                | Input::Media(MediaEvent::Ended)
        )
    }
}

/// What an actor is started with.
pub(super) struct Birth {
    pub(super) id: RoomId,
    pub(super) rooms: Rooms,
    pub(super) tally: Arc<Tally>,
}

/// A room's life. Its sockets close and its media ends when it is dropped.
pub(super) struct Life {
    birth: Birth,
    room: Room,
    began: Millis,
    ports: HashMap<SocketId, Arc<dyn VoicePort>>,
    media: Arc<dyn Media>,
    effects: Vec<Effect>,
}

/// The actor; its state is [`Life`].
pub(super) struct Shell;

impl Actor for Shell {
    type Msg = Timed<Message>;
    type State = Life;
    type Arguments = Birth;

    async fn pre_start(
        &self,
        me: ActorRef<Timed<Message>>,
        birth: Birth,
    ) -> Result<Life, ActorProcessingErr> {
        let (mailbox, tally) = (me.clone(), Arc::clone(&birth.tally));
        let events = move |event| {
            let _ = post(&mailbox, &tally, Message::Input(Input::Media(event)));
        };
        let maker = birth.rooms.media().ok_or("the node ends")?;
        let media = maker.open(birth.id, Box::new(events));
        let (mailbox, tally) = (me, Arc::clone(&birth.tally));
        tokio::spawn(async move {
            let mut beat = tokio::time::interval(Duration::from_millis(limits::ROOM_LOOK_MS));
            loop {
                beat.tick().await;
                if post(&mailbox, &tally, Message::Input(Input::Tick)) == Posted::Gone {
                    return;
                }
            }
        });
        let now = birth.rooms.clock().now();
        Ok(Life {
            room: Room::new(birth.id, now),
            began: now,
            birth,
            ports: HashMap::new(),
            media: Arc::from(media),
            effects: Vec::new(),
        })
    }

    async fn handle(
        &self,
        me: ActorRef<Timed<Message>>,
        timed: Timed<Message>,
        life: &mut Life,
    ) -> Result<(), ActorProcessingErr> {
        let clock = Arc::clone(life.birth.rooms.clock());
        let (put_ns, message) = (timed.at_ns(), timed.message);
        let (kind, taken_ns) = (message.name(), life.birth.tally.now_ns());
        let is_tick = matches!(message, Message::Input(Input::Tick));
        match message {
            Message::Opened(socket, port) => {
                life.ports.insert(socket, port);
            }
            Message::Input(input) => {
                if let Input::Closed(socket, _) = &input {
                    life.ports.remove(socket);
                }
                life.room.step(clock.now(), input, &mut life.effects);
                life.carry_out(&me);
            }
        }
        life.birth.tally.handle(kind, put_ns, taken_ns);
        life.birth.tally.serve(life.room.served());
        if is_tick {
            life.birth.tally.look(life.room.peers());
        }
        Ok(())
    }
}

impl Life {
    fn carry_out(&mut self, me: &ActorRef<Timed<Message>>) {
        let mut effects = std::mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::Send(sockets, frame) => {
                    let frame = frame.encode();
                    for socket in sockets {
                        if let Some(port) = self.ports.get(&socket) {
                            port.send(frame.clone());
                        }
                    }
                }
                Effect::Close(socket, code) => {
                    if let Some(port) = self.ports.remove(&socket) {
                        port.close(code);
                    }
                }
                Effect::Answer {
                    peer,
                    user,
                    rights,
                    offer,
                } => {
                    let (mailbox, tally) = (me.clone(), Arc::clone(&self.birth.tally));
                    let media = Arc::clone(&self.media);
                    tokio::spawn(async move {
                        let answer = media.answer(peer, user, rights, offer).await;
                        let answered = Input::Answered(peer, answer);
                        let _ = post(&mailbox, &tally, Message::Input(answered));
                    });
                }
                Effect::Allow(peer, rights) => self.media.allow(peer, rights),
                Effect::Streams(peer, streams) => self.media.streams(peer, streams),
                Effect::Want(peer, wants) => self.media.want(peer, wants),
                Effect::Slots(peer) => self.media.slots(peer),
                Effect::Leave(peer) => self.media.leave(peer),
                Effect::Ask { present, gone } => {
                    let room = self.birth.id;
                    let request = BeatRoom {
                        room,
                        node: self.birth.rooms.node().clone(),
                        runs_ms: self.birth.rooms.clock().now().since(self.began),
                        present,
                        gone,
                    };
                    let (mailbox, tally) = (me.clone(), Arc::clone(&self.birth.tally));
                    let rooms = self.birth.rooms.clone();
                    tokio::spawn(async move {
                        let answer = rooms.ask(room.group, request).await;
                        let _ = post(&mailbox, &tally, Message::Input(Input::Orders(answer)));
                    });
                }
                Effect::End => {
                    self.birth.rooms.forget(&self.birth.id, me.get_id());
                    me.stop(Some("over".to_owned()));
                }
            }
        }
        self.effects = effects;
    }
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Posted {
    Taken,
    /// Too many wait.
    Full,
    /// The room is over.
    Gone,
}

/// Puts a message into a room's mailbox.
pub(super) fn post(mailbox: &ActorRef<Timed<Message>>, tally: &Tally, message: Message) -> Posted {
    if tally.depth() >= limits::ROOM_MAILBOX && !message.is_owed() {
        return Posted::Full;
    }
    match mailbox.cast(tally.enqueue(message)) {
        Ok(()) => Posted::Taken,
        Err(_) => Posted::Gone,
    }
}
