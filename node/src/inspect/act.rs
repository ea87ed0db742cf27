//! What an operator has this node do.

use rookery_actors::ownership::shard_of;
use rookery_protocol::command::user::{SetPassword, Suspend};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::ids::{ChannelId, UserId};
use rookery_protocol::inspect::{Act, Acted, ActorId, Said};

use super::{ACTOR_PATIENCE, Inspector};
use crate::{lockout, random};

/// Characters of a password that is made for somebody.
const PASSWORD_CHARS: usize = 20;

fn done(what: String) -> Said {
    Said::Acted(Acted { what, secret: None })
}

fn refused(why: impl Into<String>) -> Said {
    Said::Refused(why.into())
}

impl Inspector {
    pub(super) async fn act(&self, act: Act) -> Said {
        match act {
            Act::Restart { actor } => self.restart(actor),
            Act::Passivate { actor } => self.passivate(actor).await,
            Act::Migrate { actor, to } => self.migrate(actor, to).await,
            Act::Drain { stay, .. } => self.drain(stay).await,
            Act::Undrain { .. } => self.undrain().await,
            Act::Suspend { user, undo } => self.suspend(&user, !undo).await,
            Act::ResetPassword { user } => self.reset_password(&user).await,
            // The admin API does that itself.
            Act::MakeOperator { .. }
            | Act::MakeToken { .. }
            | Act::RevokeToken { .. }
            | Act::Backup { .. } => refused("this is not for a node"),
        }
    }

    fn restart(&self, actor: ActorId) -> Said {
        let app = &self.parts.app;
        let is_here = match actor.entity() {
            Some(entity) => app.directory.restart(entity),
            None => app.voice.restart(ChannelId(actor.id)),
        };
        if is_here {
            done(format!("{actor} is restarted at {}", self.node()))
        } else {
            Said::Elsewhere
        }
    }

    async fn passivate(&self, actor: ActorId) -> Said {
        let Some(entity) = actor.entity() else {
            return refused("a room ends by itself when nobody is in it");
        };
        let directory = &self.parts.app.directory;
        if directory.look(entity).is_none() {
            return Said::Elsewhere;
        }
        match directory.passivate(entity, ACTOR_PATIENCE).await {
            Some(true) => done(format!("{actor} sleeps; the next message wakes it")),
            Some(false) => refused(format!("{actor} is not idle: something is under way")),
            None => refused(format!("{actor} is busy, or is being loaded")),
        }
    }

    async fn migrate(&self, actor: ActorId, to: Option<String>) -> Said {
        let Some(entity) = actor.entity() else {
            let channel = ChannelId(actor.id);
            let app = &self.parts.app;
            if !app
                .voice
                .rooms()
                .iter()
                .any(|room| room.id.channel == channel)
            {
                return Said::Elsewhere;
            }
            return match app.voice.give(channel, to.as_deref()).await {
                Ok(node) => done(format!(
                    "{actor} moves to {node}; its people follow by themselves"
                )),
                Err(why) => refused(why),
            };
        };
        self.pin(entity, to).await
    }

    async fn pin(&self, entity: EntityRef, to: Option<String>) -> Said {
        let Some(cluster) = &self.parts.cluster else {
            return refused("there is no other node");
        };
        let shard = shard_of(entity);
        if !cluster.pin(shard, to.clone()).await {
            return refused("the node ends");
        }
        done(match to {
            Some(node) => {
                format!("{entity} moves to {node}, with all of shard {shard}, and stays there")
            }
            None => format!("{entity} moves to where it belongs, with all of shard {shard}"),
        })
    }

    async fn drain(&self, stay: bool) -> Said {
        let node = self.node();
        if !stay {
            self.parts.app.drain.cancel();
            return done(format!("{node} gives everything away and ends"));
        }
        let Some(cluster) = &self.parts.cluster else {
            return refused(format!("{node} is alone: nobody could take what it has"));
        };
        if !cluster.view().nodes.iter().any(|other| {
            other.id != self.parts.id && other.state == rookery_protocol::document::NodeState::Up
        }) {
            return refused(format!(
                "no other node is up: nobody could take what {node} has"
            ));
        }
        if !cluster.give_way(true).await {
            return refused("the node ends");
        }
        let voice = std::sync::Arc::clone(&self.parts.app.voice);
        tokio::spawn(async move { voice.give_away().await });
        done(format!(
            "{node} gives its entities and rooms away and stays; sessions stay, too"
        ))
    }

    async fn undrain(&self) -> Said {
        let node = self.node();
        let Some(cluster) = &self.parts.cluster else {
            return refused(format!("{node} is alone, and was not drained"));
        };
        if self.parts.app.drain.is_cancelled() {
            return refused(format!("{node} ends: it cannot be kept"));
        }
        if !cluster.give_way(false).await {
            return refused("the node ends");
        }
        done(format!("{node} takes its share again"))
    }

    async fn suspend(&self, user: &str, suspended: bool) -> Said {
        let Ok(id) = user.parse::<UserId>() else {
            return refused(format!("`{user}` is no id of a user"));
        };
        match self
            .parts
            .app
            .directory
            .ask(id, Suspend { suspended })
            .await
        {
            Ok(()) if suspended => {
                lockout::end_calls(&self.parts.app, id);
                done(format!(
                    "user {id} is locked out, and its sockets are closed"
                ))
            }
            Ok(()) => done(format!("user {id} may come in again")),
            Err(refusal) => refused(refusal.to_string()),
        }
    }

    async fn reset_password(&self, user: &str) -> Said {
        let Ok(id) = user.parse::<UserId>() else {
            return refused(format!("`{user}` is no id of a user"));
        };
        let app = &self.parts.app;
        let password = random::code(PASSWORD_CHARS);
        let password_hash = match app.passwords.hash(password.clone()).await {
            Ok(hash) => hash,
            Err(refusal) => return refused(refusal.to_string()),
        };
        match app.directory.ask(id, SetPassword { password_hash }).await {
            Ok(()) => {
                lockout::end_calls(app, id);
                Said::Acted(Acted {
                    what: format!("user {id} has a new password, and was logged out everywhere"),
                    secret: Some(password),
                })
            }
            Err(refusal) => refused(refusal.to_string()),
        }
    }
}
