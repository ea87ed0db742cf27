//! The entity of the simulation: counts, tells others to count, and says how far it is. Each change is an event that
//! names what caused it and the id that was minted for it.

use async_trait::async_trait;
use bytes::Bytes;
use rookery_actors::entity::{Core, Effect, Input, Kit, LoadError, SharedMinter};
use rookery_actors::store::{Store, StoreError, Write};
use rookery_protocol::command::Notice;
use rookery_protocol::document::{Key, TableId};
use rookery_protocol::entity::{EntityKind, EntityRef};
use rookery_protocol::event::{AccessChange, Act, Audience, Dispatch, Event, EventName};
use rookery_protocol::ids::{GroupId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::time::Millis;
use serde::{Deserialize, Serialize};

/// What it is asked. Operations have numbers that no two have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Command {
    /// Count.
    Add(u64),
    /// Count, and tell another to count too.
    Send(u64, EntityRef),
    /// How far is it?
    Read,
}

/// What it answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// It is now at `count`; the id is new.
    Counted { count: u64, id: u64 },
    /// It is at this.
    At(u64),
}

/// What is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) count: u64,
    pub(crate) last_id: u64,
}

/// Where it is stored.
pub(crate) const TABLE: TableId = TableId::Applications;

/// Somebody without sessions.
const STRANGER: UserId = UserId(9_999);

#[derive(Debug)]
pub(crate) struct Counter {
    entity: EntityRef,
    row: Row,
    ids: SharedMinter,
}

/// The cause of an event and its id, as the event carries them.
pub(crate) fn told(event: &Event) -> (String, u64) {
    let Act::Dispatch(dispatch) = &event.act else {
        panic!("the counter only dispatches")
    };
    let text = std::str::from_utf8(&dispatch.body).unwrap();
    let mut words = text.split(' ');
    let mut word = || words.next().unwrap();
    (word().to_owned(), word().parse().unwrap())
}

/// Whose event it is and the how-manieth, as a client sees it.
pub(crate) fn told_as(text: &str) -> (EntityRef, u64) {
    let mut words = text.split(' ').skip(2);
    let mut word = || words.next().unwrap();
    (word().parse().unwrap(), word().parse().unwrap())
}

impl Counter {
    pub(crate) fn new(entity: EntityRef, row: Option<Vec<u8>>, ids: SharedMinter) -> Self {
        let row = row.map_or_else(Row::default, |row| {
            bson::deserialize_from_slice(&row).unwrap()
        });
        ids.see(row.last_id);
        Self { entity, row, ids }
    }

    fn count(&mut self, now: Millis, cause: &str, out: &mut Vec<Effect<Reply>>) -> Reply {
        let id = self.ids.mint_above(now, self.row.last_id);
        self.row = Row {
            count: self.row.count + 1,
            last_id: id,
        };
        out.push(Effect::Write(Write::Put {
            table: TABLE,
            key: Key::single(self.entity.id),
            row: bson::serialize_to_vec(&self.row).unwrap(),
        }));
        let (entity, count) = (self.entity, self.row.count);
        // Now and then one that could change who sees what.
        let changes = entity.kind == EntityKind::Group && count.is_multiple_of(7);
        out.push(Effect::Emit(Event {
            audience: Audience::Everyone,
            act: Act::Dispatch(Dispatch {
                name: EventName::MessageCreate,
                body: Bytes::from(format!("{cause} {id} {entity} {count}")),
                intents: Intents::default(),
                content_for: None,
                about: None,
            }),
            access: changes.then(|| AccessChange::Member(STRANGER, Vec::new())),
        }));
        Reply::Counted {
            count: self.row.count,
            id,
        }
    }
}

#[async_trait]
impl Core for Counter {
    type Command = Command;
    type Reply = Reply;

    async fn load(id: u64, kit: &Kit, store: &dyn Store) -> Result<Self, LoadError> {
        let row: Result<_, StoreError> = store.get(TABLE, &Key::single(id)).await;
        Ok(Self::new(GroupId(id).into(), row?, kit.ids.clone()))
    }

    fn step(&mut self, now: Millis, _: u64, input: Input<Command>, out: &mut Vec<Effect<Reply>>) {
        match input {
            Input::Command { command, reply } => {
                let answer = match command {
                    Command::Add(op) => self.count(now, &op.to_string(), out),
                    Command::Send(op, to) => {
                        let notice = Notice::Joined(GroupId(op));
                        out.push(Effect::Send { to, notice });
                        self.count(now, &op.to_string(), out)
                    }
                    Command::Read => Reply::At(self.row.count),
                };
                out.push(Effect::Reply {
                    to: reply,
                    answer: Ok(answer),
                });
            }
            Input::Notice { notice, .. } => {
                let Notice::Joined(GroupId(op)) = notice else {
                    panic!("counters send nothing else")
                };
                self.count(now, &format!("n{op}"), out);
            }
            Input::Fetched { .. } => {}
        }
    }
}
