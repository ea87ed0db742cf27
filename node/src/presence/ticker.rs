//! Once a second: shows what changed, and looks up relationships that did.

use std::sync::{Arc, Weak};
use std::time::Duration;

use rookery_actors::entity::Publisher;
use rookery_actors::relay::Input;
use rookery_protocol::client;
use rookery_protocol::client::presence::PresenceJson;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::{Act, Audience, Dispatch, Event, EventName, Frame, FrameSeq};
use rookery_protocol::ids::GroupId;
use rookery_protocol::intents::Intents;

use super::{Scope, Shown};
use crate::relay::{Hub, World};

/// How long changes are gathered.
const BEAT: Duration = Duration::from_secs(1);

/// Shows what changed.
pub struct Ticker {
    hub: Weak<Hub>,
    world: Arc<dyn World>,
}

impl Ticker {
    /// Starts it; it ends with the hub. Must be called within a tokio runtime.
    pub fn start(hub: &Arc<Hub>, world: Arc<dyn World>) {
        let ticker = Self {
            hub: Arc::downgrade(hub),
            world,
        };
        tokio::spawn(async move {
            let mut beat = tokio::time::interval(BEAT);
            beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                beat.tick().await;
                let Some(hub) = ticker.hub.upgrade() else {
                    return;
                };
                ticker.tick(&hub).await;
            }
        });
    }

    async fn tick(&self, hub: &Hub) {
        self.relate().await;
        for shown in self.world.registry().take() {
            show(hub, shown).await;
        }
    }

    /// Looks up relationships that changed.
    async fn relate(&self) {
        let (registry, touched) = (self.world.registry(), self.world.touched());
        let mut users = touched.take_users().into_iter();
        while let Some(user) = users.next() {
            if !registry.knows(user) {
                continue;
            }
            match self.world.kin(user).await {
                Ok(kin) => registry.relate(user, kin),
                // The store is away: it is asked again with the next beat, of the others, too.
                Err(refusal) if refusal.code == ErrorCode::Unavailable => {
                    return touched.note_users(users.chain([user]));
                }
                Err(refusal) => {
                    tracing::warn!(%user, code = refusal.code.code(), "relationships could not be read");
                }
            }
        }
    }
}

async fn show(hub: &Hub, shown: Shown) {
    let body = |group: Option<GroupId>| Dispatch {
        name: EventName::PresenceUpdate,
        body: client::encode(&PresenceJson::new(
            shown.user,
            group,
            shown.presence.as_deref(),
        )),
        intents: Intents::GUILD_PRESENCES,
        content_for: None,
        about: None,
    };
    match shown.scope {
        Scope::Group(group, hidden) => {
            let audience = if hidden.is_empty() {
                Audience::Everyone
            } else {
                Audience::Except(hidden)
            };
            publish(hub, group.into(), audience, body(Some(group)));
        }
        Scope::Friend(friend) => publish(hub, friend.into(), Audience::Everyone, body(None)),
        Scope::Session(at, group) => {
            let give = Input::Give {
                session: at.session,
                dispatch: Box::new(body(Some(group))),
                paced: false,
            };
            hub.send(at.lane, give).await;
        }
    }
}

/// A value has no place in the topic's log.
fn publish(hub: &Hub, topic: EntityRef, audience: Audience, dispatch: Dispatch) {
    let frame = Frame {
        topic,
        seq: FrameSeq::Value(0),
        event: Event {
            audience,
            act: Act::Dispatch(dispatch),
            access: None,
        },
    };
    hub.publish(Arc::new(frame));
}
