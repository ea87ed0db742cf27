//! Carries out what a session says of voice channels, in order.

use std::sync::Arc;

use rookery_actors::relay::{Identity, Input};
use rookery_protocol::client::events::VoiceRefused;
use rookery_protocol::client::gateway::VoiceForm;
use rookery_protocol::command::Answer;
use rookery_protocol::command::user::Proof;
use rookery_protocol::event::EventName;
use rookery_protocol::ids::{GroupId, UserId};
use tokio::sync::mpsc;

use super::Gateway;
use super::members::dispatch;
use crate::presence::At;

/// Who carries it out for one session.
pub(super) struct Errand {
    gateway: Arc<Gateway>,
    at: At,
    user: UserId,
    /// What its token says.
    proof: Proof,
    /// The session's id, as its client knows it.
    session: String,
}

impl Errand {
    pub(super) fn new(gateway: Arc<Gateway>, at: At, who: &Identity, session: String) -> Self {
        Self {
            gateway,
            at,
            user: who.user,
            proof: who.proof,
            session,
        }
    }

    /// Carries out what is said until the socket is gone.
    pub(super) async fn run(self, mut forms: mpsc::Receiver<VoiceForm>) {
        while let Some(form) = forms.recv().await {
            let Some(group) = form.guild_id else { continue };
            let Err(refusal) = Box::pin(self.carry_out(group, &form)).await else {
                continue;
            };
            tracing::debug!(%group, code = refusal.code.code(), "a voice state is refused");
            let body = VoiceRefused {
                guild_id: group,
                channel_id: form.channel_id,
                code: refusal.code.code(),
                message: refusal.code.message(),
            };
            let give = Input::Give {
                session: self.at.session,
                dispatch: dispatch(EventName::VoiceRefused, &body),
                paced: false,
            };
            self.gateway.hub.send(self.at.lane, give).await;
        }
    }

    async fn carry_out(&self, group: GroupId, form: &VoiceForm) -> Answer<()> {
        let clerk = &self.gateway.clerk;
        let (world, calls) = (clerk.world(), clerk.calls());
        let Some(channel) = form.channel_id else {
            let left = world.leave_voice(self.user, &self.session, group).await;
            if left.is_ok() {
                calls.left(self.at, group);
            }
            return left;
        };
        // A person is in one channel at a time, a bot in one of each group.
        if let Some(other) = calls.of(self.at).filter(|other| *other != group) {
            let profiles = world.profiles(vec![self.user]).await?;
            if profiles.get(&self.user).is_none_or(|profile| !profile.bot) {
                world.leave_voice(self.user, &self.session, other).await?;
                calls.left(self.at, other);
            }
        }
        let said = form.said;
        world
            .join_voice(self.user, &self.session, group, channel, said)
            .await?;
        let is_there = || world.registry().said(self.at, self.user).is_some();
        if calls.joined(self.at, &self.session, group, is_there) {
            return Ok(());
        }
        // It is over, or at another node by now. If it was locked out, that may have come before this.
        let admits = || world.admits(self.user, self.proof);
        if !clerk.persist(admits).await? {
            let leave = || world.leave_voice(self.user, &self.session, group);
            clerk.persist(leave).await?;
        }
        Ok(())
    }
}
