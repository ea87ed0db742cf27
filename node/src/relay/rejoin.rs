//! The clerk puts sessions that have moved here on their topics again.

use std::sync::Arc;

use futures_util::StreamExt;
use rookery_actors::relay::{
    Again, Identity, Input, Lost, Reading, SessionRef, Since, Viewpoint, is_shown_anew,
};
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{Subscribe, Subscribed};
use rookery_protocol::entity::{EntityKind, EntityRef};
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::event::SharedFrame;
use rookery_protocol::ids::GroupId;
use rookery_protocol::intents::Intents;

use super::clerk::{Clerk, GROUPS_AT_ONCE, is_passing};
use super::ready;
use super::session_id::SessionId;
use crate::presence::At;

/// A session that rejoins.
#[derive(Debug, Clone, Copy)]
struct Comer {
    at: At,
    identity: Identity,
}

impl Clerk {
    /// Puts a session on topics again, each from an event on.
    pub(super) async fn rejoin(
        self: Arc<Self>,
        lane: u16,
        session: SessionRef,
        identity: Identity,
        topics: Vec<(EntityRef, u64)>,
    ) {
        let at = At { lane, session };
        let comer = Comer { at, identity };
        futures_util::stream::iter(topics)
            .for_each_concurrent(GROUPS_AT_ONCE, |(topic, since)| {
                Box::pin(self.rejoin_one(comer, topic, since))
            })
            .await;
    }

    async fn rejoin_one(&self, comer: Comer, topic: EntityRef, since: u64) {
        let session = comer.at.session;
        let answer = match topic.kind {
            EntityKind::User => self.rejoin_user(comer, since).await,
            EntityKind::Group => self.rejoin_group(comer, GroupId(topic.id), since).await,
        };
        let input = match answer {
            Ok((events, again)) => Input::Rejoined {
                session,
                topic,
                since,
                events,
                again,
            },
            Err(refusal) if is_passing(&refusal) || topic.kind == EntityKind::User => {
                return self.expel(comer.at.lane, session, &refusal).await;
            }
            Err(_) => Input::NotJoined {
                session,
                topic,
                farewell: ready::guild_delete(GroupId(topic.id)),
                again: true,
            },
        };
        self.hub().send(comer.at.lane, input).await;
    }

    /// Attaches the session to its user, which checks that its login is still open.
    async fn rejoin_user(&self, comer: Comer, since: u64) -> Answer<(Events, Option<Again>)> {
        let At { lane, session } = comer.at;
        let user = comer.identity.user;
        let request = self.attaching(lane, session, &comer.identity);
        let attached = self
            .persist(|| self.world().attach(user, request.clone()))
            .await?;
        let kin = self.persist(|| self.world().kin(user)).await?;
        self.world().registry().relate(user, kin);
        let events = self.since(user.into(), since, attached.gseq).await?;
        Ok((events, None))
    }

    async fn rejoin_group(
        &self,
        comer: Comer,
        group: GroupId,
        since: u64,
    ) -> Answer<(Events, Option<Again>)> {
        let by = comer.identity.user;
        let picture = self
            .persist(|| self.world().subscribe(group, Subscribe { by }))
            .await?;
        self.recall(comer, group, &picture);
        let gseq = picture.gseq;
        let events = self.since(group.into(), since, gseq).await?;
        let is_shown_anew = events
            .as_ref()
            .is_ok_and(|events| is_shown_anew(events, gseq));
        let view = Viewpoint {
            access: Arc::clone(&picture.access),
            roles: picture.me.roles.clone(),
        };
        let body = if is_shown_anew {
            let shown = || self.shown(comer, picture.clone());
            Some(self.persist(shown).await?)
        } else {
            None
        };
        Ok((events, Some(Again { gseq, view, body })))
    }

    /// Notes that a session is in a voice channel, which only the node knew that it comes from.
    fn recall(&self, comer: Comer, group: GroupId, picture: &Subscribed) {
        let (at, user) = (comer.at, comer.identity.user);
        let Some(state) = picture.voice.iter().find(|state| state.row.user == user) else {
            return;
        };
        let session = &state.row.session;
        let key = SessionId::parse(session).map(|id| id.key());
        if key.is_some() && key == self.hub().moves().name(at) {
            let is_there = || self.world().registry().said(at, user).is_some();
            self.calls().joined(at, session, group, is_there);
        }
    }

    /// GUILD_CREATE of a picture, for a session.
    async fn shown(
        &self,
        comer: Comer,
        mut picture: Subscribed,
    ) -> Answer<Box<rookery_protocol::event::Dispatch>> {
        let present = if comer.identity.intents.contains(Intents::GUILD_PRESENCES) {
            self.present(comer.at, &mut picture).await?
        } else {
            Vec::new()
        };
        self.guild_create(&picture, &present).await
    }

    /// The topic's events above `since`, at least up to `until`.
    async fn since(&self, topic: EntityRef, since: u64, until: u64) -> Answer<Events> {
        let mut reading = Since::new(since, until);
        let mut next = reading.go_on();
        loop {
            let above = match next {
                Reading::Whole(events) => return Ok(events),
                Reading::Above(above) => above,
            };
            let page = self
                .persist(|| async {
                    let page = self.world().events(topic, above).await?;
                    // What the entity has told of is in the log; a reader that does not see it yet looks again.
                    let is_there = !page.is_empty();
                    is_there
                        .then_some(page)
                        .ok_or(ApiError::from(ErrorCode::Unavailable))
                })
                .await?;
            next = reading.page(page);
        }
    }
}

/// Events without a gap, or that there is one.
type Events = Result<Vec<SharedFrame>, Lost>;
