//! Starts the actor of an address.

use ractor::{ActorCell, ActorRuntime, SpawnErr};
use rookery_protocol::entity::EntityKind;

use super::kind::Kind;
use super::mailbox::Mailbox;
use super::shell::{Birth, Shell};
use crate::group::Group;
use crate::user::User;

/// Starts an actor; tests put cores of their own behind addresses.
pub(super) type Spawner = fn(Birth, ActorCell) -> Result<Mailbox, SpawnErr>;

pub(super) fn spawn_by_kind(birth: Birth, supervisor: ActorCell) -> Result<Mailbox, SpawnErr> {
    match birth.entity.kind {
        EntityKind::User => spawn::<User>(birth, supervisor),
        EntityKind::Group => spawn::<Group>(birth, supervisor),
    }
}

pub(super) fn spawn<C: Kind>(birth: Birth, supervisor: ActorCell) -> Result<Mailbox, SpawnErr> {
    let (actor, _) =
        ActorRuntime::<Shell<C>>::spawn_linked_instant(None, Shell::new(), birth, supervisor)?;
    Ok(actor)
}
