//! The supervisor: hears of every entity that ends and tells the directory, which starts the crashed again.

use std::collections::HashMap;

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use rookery_protocol::entity::EntityRef;

use super::directory::WeakDirectory;

/// What the supervisor is told.
pub(super) enum Message {
    /// An actor was started under it.
    Started(ActorId, EntityRef),
}

/// Never crosses nodes.
impl ractor::Message for Message {}

/// The actor; its state is who it watches.
pub(super) struct Supervisor;

/// Who is watched.
pub(super) struct Watched {
    directory: WeakDirectory,
    entities: HashMap<ActorId, EntityRef>,
    /// Ended before [`Message::Started`] was read.
    early: HashMap<ActorId, Option<String>>,
}

impl Actor for Supervisor {
    type Msg = Message;
    type State = Watched;
    type Arguments = WeakDirectory;

    async fn pre_start(
        &self,
        _: ActorRef<Message>,
        directory: WeakDirectory,
    ) -> Result<Watched, ActorProcessingErr> {
        Ok(Watched {
            directory,
            entities: HashMap::new(),
            early: HashMap::new(),
        })
    }

    async fn handle(
        &self,
        _: ActorRef<Message>,
        Message::Started(actor, entity): Message,
        watched: &mut Watched,
    ) -> Result<(), ActorProcessingErr> {
        match watched.early.remove(&actor) {
            Some(crash) => watched.ended(entity, actor, crash),
            None => {
                watched.entities.insert(actor, entity);
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Message>,
        event: SupervisionEvent,
        watched: &mut Watched,
    ) -> Result<(), ActorProcessingErr> {
        let (actor, crash) = match event {
            SupervisionEvent::ActorTerminated(who, _, _) => (who.get_id(), None),
            SupervisionEvent::ActorFailed(who, error) => (who.get_id(), Some(error.to_string())),
            _ => return Ok(()),
        };
        match watched.entities.remove(&actor) {
            Some(entity) => watched.ended(entity, actor, crash),
            None => {
                watched.early.insert(actor, crash);
            }
        }
        Ok(())
    }
}

impl Watched {
    fn ended(&self, entity: EntityRef, actor: ActorId, crash: Option<String>) {
        let Some(directory) = self.directory.upgrade() else {
            return;
        };
        match crash {
            Some(error) => directory.crashed(entity, actor, &error),
            None => directory.forget(entity, actor),
        }
    }
}
