//! How far a peer knows which topics this node wants to hear of.

use rookery_protocol::entity::EntityRef;

/// What a peer was told.
#[derive(Debug, Default)]
pub enum Told {
    /// It may know anything: it is to be told everything.
    #[default]
    Nothing,
    /// It is being told everything; these changes came meanwhile.
    Some(Vec<(EntityRef, bool)>),
    /// It knows it, or what is on the way says it.
    All,
}

impl Told {
    /// Whether it is to be told everything. From now on it is being told.
    pub fn begin(&mut self) -> bool {
        let begins = matches!(self, Self::Nothing);
        if begins {
            *self = Self::Some(Vec::new());
        }
        begins
    }

    /// What changed while it was told everything; when nothing did it knows all.
    pub fn go_on(&mut self) -> Vec<(EntityRef, bool)> {
        match self {
            Self::Some(changes) if !changes.is_empty() => std::mem::take(changes),
            Self::Some(_) => {
                *self = Self::All;
                Vec::new()
            }
            Self::Nothing | Self::All => Vec::new(),
        }
    }

    /// Something that it should have been told found no room.
    pub fn anew(&mut self) {
        *self = Self::Nothing;
    }

    /// Whether it hears everything that is wanted here: what is found in the event log from now on is not missed.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// A topic is wanted or not. Whether to say so at once; if that finds no room, [`Told::anew`].
    pub fn changed(&mut self, topic: EntityRef, is_wanted: bool) -> bool {
        if let Self::Some(changes) = self {
            changes.push((topic, is_wanted));
        }
        self.is_all()
    }
}
