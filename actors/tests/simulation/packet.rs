//! What travels, and what is due later.

use rookery_protocol::command::{Notice, RequestId};
use rookery_protocol::document::{IncarnationId, ShardRow};
use rookery_protocol::entity::EntityRef;

use super::database::{Answer, Call};
use super::entity::{Command, Reply};
use super::listeners::Wake;
use super::network::Place;
use super::plan::Fault;
use super::tubes::Message;

/// What travels from one place to another.
#[derive(Debug, Clone)]
pub(crate) enum Packet {
    /// A process asks the database.
    Call {
        process: u64,
        id: u64,
        call: Call,
    },
    /// The database answers a process.
    Answer {
        process: u64,
        id: u64,
        answer: Answer,
    },
    /// A client asks a node.
    Ask {
        op: u64,
        entity: EntityRef,
        command: Command,
        request: RequestId,
    },
    /// A node answers a client.
    Told {
        op: u64,
        answer: Told,
    },
    /// A notice of an outbox.
    Notice {
        sender: EntityRef,
        seq: u64,
        to: EntityRef,
        notice: Notice,
    },
    /// It was taken.
    Taken {
        sender: EntityRef,
        seq: u64,
    },
    /// The entity asked for is not here.
    Elsewhere {
        shard: u16,
        row: ShardRow,
    },
    /// An incarnation wants a link with another.
    Dial {
        by: IncarnationId,
        to: IncarnationId,
        /// When: who dials waits only so long.
        at: u64,
    },
    /// There is no process: the machine refuses the connection. What is known by it is who was tried, not who runs when
    /// it is heard.
    Absent(IncarnationId),
    /// A node was refused a connection.
    Gossip {
        by: String,
        peer: IncarnationId,
    },
    Hint,
    /// A node has released shards, or claimed them.
    Moved(Vec<(u16, ShardRow)>),
}

/// What a client is told.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    Reply(Reply),
    /// Nothing was done, or it is not known what: ask again.
    Again,
    /// It is not here, but perhaps there.
    Elsewhere(Option<String>),
}

/// What a process wants to be reminded of.
#[derive(Debug, Clone)]
pub(crate) enum Timer {
    Tick,
    CallTimeout(u64),
    LaneAgain(u64),
    OpenLane(u64),
    Load(EntityRef, u64),
    Deliver(EntityRef, u64),
    Senders,
    /// A question of the clerk has waited for an answer so long.
    Ask(u64, u64),
    /// It goes on reading.
    Read(u64),
    /// A session is looked for again.
    LookAgain(u64),
    /// Who was asked for a session is silent.
    TakeTimeout(u64),
    /// Sessions that nobody has taken end.
    Shutdown,
}

/// What happens next.
#[derive(Debug)]
pub(crate) enum Event {
    Packet {
        from: Place,
        to: Place,
        packet: Packet,
    },
    Timer {
        node: usize,
        process: u64,
        timer: Timer,
    },
    /// A client begins its next operation.
    Begin(usize),
    /// A client asks again, unless it did meanwhile.
    Retry(usize, u64),
    /// A connection has something to give.
    Flow {
        tube: u64,
        way: usize,
    },
    /// It has given it.
    Arrived {
        process: u64,
        tube: u64,
        messages: Vec<Message>,
    },
    /// A listener, unless it has another socket by then.
    Wake {
        listener: usize,
        attempt: u64,
        wake: Wake,
    },
    Fault(Fault),
    /// A fault is over.
    Undo(Fault),
    Start(usize),
    /// Faults end.
    Heal,
    /// Is all well?
    Check,
}
