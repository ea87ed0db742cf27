//! A room's mailbox when it is full.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use rookery_protocol::client::voice::VoiceClose;
use rookery_protocol::command::group::BeatRoom;
use rookery_protocol::document::IncarnationId;
use rookery_protocol::ids::{ChannelId, GroupId, UserId};
use rookery_protocol::time::Millis;
use rookery_protocol::voice::{Present, RoomId, RoomOrders};

use crate::entity::Clock;
use crate::ownership::Boot;
use crate::room::{
    Busy, Input, MediaEvent, MediaMaker, PeerId, RoomWorld, Rooms, SocketId, VoicePort,
};

/// A clock that stands still.
struct Still;

impl Clock for Still {
    fn now(&self) -> Millis {
        Millis(1_000_000)
    }

    fn monotonic_ns(&self) -> u64 {
        0
    }

    fn boot(&self) -> Boot {
        Boot(0)
    }
}

/// A node without media or groups.
struct Alone {
    node: IncarnationId,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl RoomWorld for Alone {
    fn node(&self) -> &IncarnationId {
        &self.node
    }

    fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    fn media(&self) -> Option<Arc<dyn MediaMaker>> {
        None
    }

    async fn ask(&self, _: GroupId, _: BeatRoom) -> Option<RoomOrders> {
        None
    }
}

/// A socket that nobody reads.
struct Unread;

impl VoicePort for Unread {
    fn send(&self, _: Bytes) {}

    fn close(&self, _: VoiceClose) {}
}

#[tokio::test]
async fn answers_and_ends_are_taken_however_many_wait() {
    let world = Alone {
        node: IncarnationId {
            node: "here".to_owned(),
            number: 1,
        },
        clock: Arc::new(Still),
    };
    let rooms = Rooms::start(Arc::new(world)).await.unwrap();
    let id = RoomId {
        group: GroupId(10),
        channel: ChannelId(11),
        life: 12,
    };
    let socket = SocketId(1);
    let identify = Input::Identify {
        socket,
        who: Present {
            user: UserId(1),
            session: "a".to_owned(),
        },
        ice_servers: Vec::new(),
    };
    rooms.open(id, socket, Arc::new(Unread), identify).unwrap();
    // The room's task has its turn when this one waits, which it does not do any more.
    while rooms.tell(&id, Input::Tick).is_ok() {}
    let owed = [
        Input::Orders(None),
        Input::Answered(PeerId(1), Err(VoiceClose::BadRequest)),
        Input::Closed(socket, true),
        Input::Media(MediaEvent::Ended),
    ];
    for input in owed {
        assert_eq!(rooms.tell(&id, input.clone()), Ok(()), "{input:?}");
    }
    let offer = Input::Offer(socket, String::new());
    assert_eq!(rooms.tell(&id, offer), Err(Busy));
}
