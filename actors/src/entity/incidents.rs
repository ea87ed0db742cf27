//! What went wrong with entities a moment ago: handlers that took too long, and crashes. A bounded list that whoever warns
//! takes from.

use std::collections::VecDeque;

use parking_lot::Mutex;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::limits;

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// With which entity.
    pub entity: EntityRef,
    /// What.
    pub what: Trouble,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Handling a message took longer than [`limits::SLOW_HANDLER_NS`].
    Slow {
        /// Its kind.
        kind: &'static str,
        /// How long.
        ns: u64,
    },
    /// It crashed.
    Crashed {
        /// Of what.
        error: String,
        /// How often since the node was started.
        restarts: u64,
    },
}

#[derive(Debug, Default)]
pub(super) struct Incidents(Mutex<VecDeque<Incident>>);

impl Incidents {
    pub(super) fn add(&self, entity: EntityRef, what: Trouble) {
        let mut incidents = self.0.lock();
        if incidents.len() >= limits::INCIDENTS {
            incidents.pop_front();
        }
        incidents.push_back(Incident { entity, what });
    }

    pub(super) fn take(&self) -> Vec<Incident> {
        std::mem::take(&mut *self.0.lock()).into()
    }
}
