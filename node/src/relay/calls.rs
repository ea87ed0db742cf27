//! In which groups each session is in a voice channel, over all its sockets.

use std::collections::HashMap;

use parking_lot::Mutex;
use rookery_protocol::ids::GroupId;
use rookery_protocol::limits;

use crate::presence::At;

/// The voice channels of a session. It may have been taken out of some: whoever has it leave them does no harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// The session's id, as its client knows it.
    pub(super) session: String,
    /// The groups, at most [`limits::GROUPS_PER_BOT`]: the one that it joined last at the end.
    pub(super) groups: Vec<GroupId>,
}

/// Sessions that are in voice channels. There are never more than sessions: each goes with its session.
#[derive(Debug, Default)]
pub struct Calls(Mutex<HashMap<At, Call>>);

impl Calls {
    /// The group whose channel a session joined last, unless it has left it.
    pub fn of(&self, at: At) -> Option<GroupId> {
        self.0.lock().get(&at)?.groups.last().copied()
    }

    /// A session, which has that id, is in a channel of a group; nothing, and false, if it is over by now, which `is_there`
    /// says.
    pub fn joined(
        &self,
        at: At,
        session: &str,
        group: GroupId,
        is_there: impl FnOnce() -> bool,
    ) -> bool {
        let mut calls = self.0.lock();
        // Asked with the lock held: whoever ends after it is taken out behind this.
        if !is_there() {
            return false;
        }
        let call = calls.entry(at).or_insert_with(|| Call {
            session: session.to_owned(),
            groups: Vec::new(),
        });
        call.groups.retain(|other| *other != group);
        if call.groups.len() >= limits::GROUPS_PER_BOT {
            call.groups.remove(0);
        }
        call.groups.push(group);
        true
    }

    /// A session is in no channel of a group any more.
    pub fn left(&self, at: At, group: GroupId) {
        let mut calls = self.0.lock();
        if let Some(call) = calls.get_mut(&at) {
            call.groups.retain(|other| *other != group);
            if call.groups.is_empty() {
                calls.remove(&at);
            }
        }
    }

    /// A session is over. Called when it is not there any more; answers where it was.
    pub(super) fn ended(&self, at: At) -> Option<Call> {
        self.0.lock().remove(&at)
    }
}

#[cfg(test)]
mod tests {
    use rookery_actors::relay::SessionRef;

    use super::*;

    const AT: At = At {
        lane: 0,
        session: SessionRef {
            slot: 0,
            generation: 0,
        },
    };

    #[test]
    fn a_session_is_in_the_group_it_joined_last_until_it_leaves_or_ends() {
        let calls = Calls::default();
        let (one, other) = (GroupId(1), GroupId(2));
        calls.joined(AT, "s", one, || true);
        calls.joined(AT, "s", other, || true);
        calls.left(AT, one);
        assert_eq!(calls.of(AT), Some(other));
        calls.left(AT, other);
        assert_eq!(calls.of(AT), None);
        assert!(calls.joined(AT, "s", one, || true));
        assert!(calls.ended(AT).is_some());
        assert_eq!(calls.of(AT), None);
        // What is carried out when the session is over is not kept.
        assert!(!calls.joined(AT, "s", one, || false));
        assert_eq!(calls.of(AT), None);
        assert_eq!(calls.ended(AT), None);
    }

    #[test]
    fn a_bot_is_in_several_groups_and_each_is_known_when_it_ends() {
        let calls = Calls::default();
        for group in [1, 2, 3, 1] {
            calls.joined(AT, "s", GroupId(group), || true);
        }
        calls.left(AT, GroupId(2));
        assert_eq!(calls.of(AT), Some(GroupId(1)));
        let call = Call {
            session: "s".to_owned(),
            groups: vec![GroupId(3), GroupId(1)],
        };
        assert_eq!(calls.ended(AT), Some(call));
    }

    #[test]
    fn groups_that_were_never_left_do_not_pile_up() {
        let calls = Calls::default();
        for group in 0..limits::GROUPS_PER_BOT as u64 + 3 {
            calls.joined(AT, "s", GroupId(group), || true);
        }
        let call = calls.ended(AT).unwrap();
        assert_eq!(call.groups.len(), limits::GROUPS_PER_BOT);
        assert_eq!(call.groups[0], GroupId(3));
    }
}
