//! What a core's handlers write their effects to: one step's context.

use rookery_protocol::client;
use rookery_protocol::command::{Answer, Notice};
use rookery_protocol::document::{Key, Table};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::event::{AccessChange, Act, Audience, Dispatch, Event, EventName};
use rookery_protocol::intents::Intents;
use rookery_protocol::time::Millis;
use serde::Serialize;

use crate::entity::{Effect, ReplyTo};
use crate::store;

/// One step of a core. A handler that refuses has pushed nothing before it does.
pub(crate) struct Turn<'a, R> {
    /// The time of the step.
    pub(crate) now: Millis,
    /// The entity's last event before the step.
    pub(crate) gseq: u64,
    /// What is to be done.
    pub(crate) out: &'a mut Vec<Effect<R>>,
}

impl<R> Turn<'_, R> {
    /// Answers.
    pub(crate) fn reply(&mut self, to: ReplyTo, answer: Answer<R>) {
        self.out.push(Effect::Reply { to, answer });
    }

    /// Inserts or replaces a row.
    pub(crate) fn put<T: Table>(&mut self, key: Key, row: &T::Row) {
        self.out.push(Effect::Write(store::put::<T>(key, row)));
    }

    /// Writes a row that is new.
    pub(crate) fn insert<T: Table>(&mut self, key: Key, row: &T::Row) {
        self.out.push(Effect::Write(store::insert::<T>(key, row)));
    }

    /// Deletes a row.
    pub(crate) fn delete<T: Table>(&mut self, key: Key) {
        self.out.push(Effect::Write(store::delete::<T>(key)));
    }

    /// Sends an intent to another entity.
    pub(crate) fn send(&mut self, to: impl Into<EntityRef>, notice: Notice) {
        self.out.push(Effect::Send {
            to: to.into(),
            notice,
        });
    }

    /// Emits an act for everybody subscribed.
    pub(crate) fn act(&mut self, act: Act) {
        self.act_for(Audience::Everyone, act, None);
    }

    /// Emits an act for an audience, with what it changes of who sees what.
    pub(crate) fn act_for(&mut self, audience: Audience, act: Act, access: Option<AccessChange>) {
        let event = Event {
            audience,
            act,
            access,
        };
        self.out.push(Effect::Emit(event));
    }

    /// Emits a dispatch to an audience, with what it changes of who sees what.
    pub(crate) fn emit_for(
        &mut self,
        audience: Audience,
        dispatch: Dispatch,
        access: Option<AccessChange>,
    ) {
        self.act_for(audience, Act::Dispatch(dispatch), access);
    }

    /// Emits a dispatch to everybody subscribed.
    pub(crate) fn emit(&mut self, name: EventName, intents: Intents, body: &impl Serialize) {
        self.act(Act::Dispatch(dispatch(name, intents, body)));
    }

    /// Emits the last dispatch that the audience gets of this entity.
    pub(crate) fn farewell(&mut self, audience: Audience, last: Dispatch) {
        self.act_for(audience, Act::Farewell(last), None);
    }

    /// Publishes a value that is not in the log.
    pub(crate) fn signal(&mut self, audience: Audience, dispatch: Dispatch) {
        self.out.push(Effect::Signal(Event {
            audience,
            act: Act::Dispatch(dispatch),
            access: None,
        }));
    }
}

/// A dispatch whose body does not depend on MESSAGE_CONTENT.
pub(crate) fn dispatch(name: EventName, intents: Intents, body: &impl Serialize) -> Dispatch {
    Dispatch {
        name,
        body: client::encode(body),
        intents,
        content_for: None,
        about: None,
    }
}
