//! Listens to what entities publish: whose relationships changed, and which groups' members or roles did. What was lost on
//! its way here is noted when it is read from the event log.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use rookery_actors::entity::Publisher;
use rookery_protocol::entity::EntityKind;
use rookery_protocol::event::{Act, EventName, Frame};
use rookery_protocol::ids::{GroupId, UserId};

/// Users and groups noted at most: those who are looked after are taken out every second, the others are dropped.
const NOTED: usize = 65_536;

/// What changed since it was last looked at.
#[derive(Debug, Default)]
pub struct Touched {
    users: Mutex<HashSet<UserId>>,
    groups: Mutex<HashSet<GroupId>>,
}

impl Touched {
    /// Users whose relationships changed.
    pub fn take_users(&self) -> HashSet<UserId> {
        std::mem::take(&mut self.users.lock())
    }

    /// Groups whose members or roles changed.
    pub fn take_groups(&self) -> HashSet<GroupId> {
        std::mem::take(&mut self.groups.lock())
    }

    /// Notes users whose relationships are to be looked up.
    pub fn note_users(&self, noted: impl IntoIterator<Item = UserId>) {
        let mut users = self.users.lock();
        for user in noted {
            if users.len() < NOTED {
                users.insert(user);
            }
        }
    }

    /// Notes what an event changed.
    pub fn note(&self, frame: &Frame) {
        let (Act::Dispatch(dispatch) | Act::Farewell(dispatch)) = &frame.event.act else {
            return;
        };
        match (frame.topic.kind, dispatch.name) {
            (
                EntityKind::User,
                EventName::RelationshipAdd
                | EventName::RelationshipUpdate
                | EventName::RelationshipRemove,
            ) => self.note_users([UserId(frame.topic.id)]),
            (
                EntityKind::Group,
                EventName::GuildUpdate
                | EventName::GuildDelete
                | EventName::GuildMemberAdd
                | EventName::GuildMemberUpdate
                | EventName::GuildMemberRemove
                | EventName::GuildRoleCreate
                | EventName::GuildRoleUpdate
                | EventName::GuildRoleDelete,
            ) => {
                let mut groups = self.groups.lock();
                if groups.len() < NOTED {
                    groups.insert(GroupId(frame.topic.id));
                }
            }
            _ => {}
        }
    }
}

/// A publisher that is listened to.
pub struct Listener {
    /// Where everything goes on to.
    pub publisher: Arc<dyn Publisher>,
    /// Where it is noted.
    pub touched: Arc<Touched>,
}

impl Publisher for Listener {
    fn publish(&self, frame: Arc<Frame>) {
        self.touched.note(&frame);
        self.publisher.publish(frame);
    }
}

#[cfg(test)]
mod tests {
    use rookery_protocol::client;
    use rookery_protocol::entity::EntityRef;
    use rookery_protocol::event::{Audience, Dispatch, Event, FrameSeq};
    use rookery_protocol::intents::Intents;

    use super::*;

    const USER: UserId = UserId(1);
    const GROUP: GroupId = GroupId(2);

    fn frame(topic: impl Into<EntityRef>, name: EventName) -> Frame {
        let dispatch = Dispatch {
            name,
            body: client::encode(&()),
            intents: Intents::NONE,
            content_for: None,
            about: None,
        };
        Frame {
            topic: topic.into(),
            seq: FrameSeq::Logged(1),
            event: Event {
                audience: Audience::Everyone,
                act: Act::Dispatch(dispatch),
                access: None,
            },
        }
    }

    #[test]
    fn what_presence_and_lists_depend_on_is_noted_once() {
        let touched = Touched::default();
        touched.note(&frame(GROUP, EventName::MessageCreate));
        touched.note(&frame(USER, EventName::MessageCreate));
        assert!(touched.take_users().is_empty() && touched.take_groups().is_empty());
        for _ in 0..2 {
            touched.note(&frame(USER, EventName::RelationshipAdd));
            touched.note(&frame(GROUP, EventName::GuildMemberAdd));
        }
        assert_eq!(touched.take_users(), HashSet::from([USER]));
        assert_eq!(touched.take_groups(), HashSet::from([GROUP]));
        assert!(touched.take_users().is_empty() && touched.take_groups().is_empty());
    }

    #[test]
    fn who_is_noted_again_is_bounded_too() {
        let touched = Touched::default();
        touched.note_users((0..=NOTED as u64).map(UserId));
        touched.note(&frame(UserId(u64::MAX), EventName::RelationshipAdd));
        assert_eq!(touched.take_users().len(), NOTED);
        touched.note_users([USER]);
        assert_eq!(touched.take_users(), HashSet::from([USER]));
    }
}
