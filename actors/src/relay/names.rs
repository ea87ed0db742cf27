//! Sessions that identified at another node, or earlier at this one, and are here now: by what they are called.

use std::collections::HashMap;
use std::hash::Hash;

use rookery_protocol::document::IncarnationId;
use rookery_protocol::session::SessionKey;

use super::wire::SessionRef;

/// The sessions that have moved to a node. `At` is a place of it.
#[derive(Debug)]
pub struct Names<At> {
    places: HashMap<SessionKey, At>,
    names: HashMap<At, SessionKey>,
}

impl<At> Default for Names<At> {
    fn default() -> Self {
        Self {
            places: HashMap::new(),
            names: HashMap::new(),
        }
    }
}

impl<At: Copy + Eq + Hash> Names<At> {
    /// Where a session is, if it is at this node: it came from another one, or it was born here, where `born` is a place of
    /// that lane. A session that is here no more may be found, too.
    pub fn place_of(
        &self,
        key: &SessionKey,
        me: &IncarnationId,
        born: impl FnOnce(u16, SessionRef) -> Option<At>,
    ) -> Option<At> {
        let (slot, generation) = (key.slot, key.generation);
        self.places.get(key).copied().or_else(|| {
            let is_mine = key.run == *me;
            is_mine.then(|| born(key.lane, SessionRef { slot, generation }))?
        })
    }

    /// What a session is called that has moved here.
    pub fn name(&self, at: At) -> Option<SessionKey> {
        self.names.get(&at).cloned()
    }

    /// A session has come.
    pub fn came(&mut self, key: SessionKey, at: At) {
        self.names.insert(at, key.clone());
        if let Some(before) = self.places.insert(key, at) {
            self.names.remove(&before);
        }
    }

    /// It is not here any more.
    pub fn went(&mut self, at: At) {
        if let Some(key) = self.names.remove(&at) {
            self.places.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_found_by_its_name_until_it_goes() {
        let run = |number| IncarnationId {
            node: "a".to_owned(),
            number,
        };
        let key = |slot| SessionKey {
            run: run(1),
            lane: 0,
            slot,
            generation: 0,
        };
        let mut names = Names::default();
        let find = |names: &Names<u32>, me, slot| {
            let born = |_: u16, session: SessionRef| Some(100 + session.slot);
            names.place_of(&key(slot), &run(me), born)
        };
        names.came(key(1), 5);
        assert_eq!(find(&names, 2, 1), Some(5));
        assert_eq!(names.name(5), Some(key(1)));
        // It came again before its old place was seen to go.
        names.came(key(1), 6);
        names.went(5);
        assert_eq!(find(&names, 2, 1), Some(6));
        names.went(6);
        assert_eq!(find(&names, 2, 1), None);
        assert_eq!(names.name(6), None);
        // Where it was born it may be, without a name.
        assert_eq!(find(&names, 1, 1), Some(101));
    }
}
