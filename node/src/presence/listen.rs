//! Listens to what entities publish: whose relationships changed, and which groups' members or roles did.

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

    fn note(&self, frame: &Frame) {
        let (Act::Dispatch(dispatch) | Act::Farewell(dispatch)) = &frame.event.act else {
            return;
        };
        match (frame.topic.kind, dispatch.name) {
            (
                EntityKind::User,
                EventName::RelationshipAdd
                | EventName::RelationshipUpdate
                | EventName::RelationshipRemove,
            ) => {
                let mut users = self.users.lock();
                if users.len() < NOTED {
                    users.insert(UserId(frame.topic.id));
                }
            }
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
