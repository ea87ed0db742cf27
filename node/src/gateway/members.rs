//! Answers a session's requests for members: one at a time, in chunks, each made when the last one is written.
//!
//! Source: <https://discord.com/developers/docs/events/gateway-events#request-guild-members>

use std::collections::HashMap;
use std::sync::Arc;

use rookery_actors::relay::{Identity, Input};
use rookery_protocol::client;
use rookery_protocol::client::events::{MembersChunk, rate_limited};
use rookery_protocol::client::gateway::RequestMembers;
use rookery_protocol::client::member::MemberJson;
use rookery_protocol::client::presence::PresenceJson;
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{GetGroup, GetMembers, ListMembers, SearchMembers};
use rookery_protocol::document::MemberRow;
use rookery_protocol::error::ApiError;
use rookery_protocol::event::{Dispatch, EventName};
use rookery_protocol::ids::{GroupId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::limits;
use rookery_protocol::time::Millis;
use serde::Serialize;
use tokio::sync::mpsc;

use super::Gateway;
use super::session::REQUEST;
use crate::presence::At;

/// Groups of which a session may remember when it asked for everybody.
const REMEMBERED: usize = 1_000;

/// Answers the requests of one session.
pub(super) struct Pager {
    gateway: Arc<Gateway>,
    at: At,
    identity: Identity,
    /// When it last asked for everybody of a group.
    asked_all: HashMap<GroupId, Millis>,
}

/// Where a chunk stands among the others.
struct Place<'a> {
    group: GroupId,
    index: usize,
    count: usize,
    not_found: &'a [UserId],
    request: &'a RequestMembers,
}

/// What the session was given is not written.
struct Unwritten;

pub(super) fn dispatch(name: EventName, body: &impl Serialize) -> Box<Dispatch> {
    Box::new(Dispatch {
        name,
        body: client::encode(body),
        intents: Intents::NONE,
        content_for: None,
        about: None,
    })
}

/// Tells a session that it asks too often.
pub(super) async fn limited(
    gateway: Arc<Gateway>,
    at: At,
    request: RequestMembers,
    retry_after_ms: u64,
) {
    let Some(&group) = request.guild_id.first() else {
        return;
    };
    let body = rate_limited(REQUEST, retry_after_ms, group, request.nonce.as_deref());
    let give = Input::Give {
        session: at.session,
        dispatch: dispatch(EventName::RateLimited, &body),
        paced: false,
    };
    gateway.hub.send(at.lane, give).await;
}

impl Pager {
    pub(super) fn new(gateway: Arc<Gateway>, at: At, identity: Identity) -> Self {
        Self {
            gateway,
            at,
            identity,
            asked_all: HashMap::new(),
        }
    }

    /// Answers requests until the socket is gone.
    pub(super) async fn run(mut self, mut requests: mpsc::Receiver<RequestMembers>) {
        while let Some(request) = requests.recv().await {
            let Some(&group) = request.guild_id.first() else {
                continue;
            };
            match Box::pin(self.answer(group, &request)).await {
                // The rest of what nobody reads is not made. When its session is over the task is ended.
                Ok(Ok(()) | Err(Unwritten)) => {}
                // Discord does not answer for a group one is not in, either.
                Err(refusal) => {
                    tracing::debug!(%group, code = refusal.code.code(), "a request for members is refused");
                }
            }
        }
    }

    fn has(&self, intents: Intents) -> bool {
        self.identity.intents.contains(intents)
    }

    async fn answer(
        &mut self,
        group: GroupId,
        request: &RequestMembers,
    ) -> Result<Result<(), Unwritten>, ApiError> {
        let by = self.identity.user;
        let place = |not_found| Place {
            group,
            index: 0,
            count: 1,
            not_found,
            request,
        };
        if let Some(wanted) = &request.user_ids {
            let mut users = wanted.clone();
            users.sort_unstable();
            users.dedup();
            let rows = self.members(group, users.clone()).await?;
            users.retain(|user| !rows.iter().any(|row| row.user == *user));
            return self.chunk(&rows, place(&users)).await;
        }
        let query = request.query.clone().unwrap_or_default();
        let limit = request.limit.unwrap_or(0);
        if query.is_empty() && !self.has(Intents::GUILD_MEMBERS) {
            let rows = self.members(group, vec![by]).await?;
            return self.chunk(&rows, place(&[])).await;
        }
        if query.is_empty() && limit == 0 {
            return self.everybody(group, request).await;
        }
        let most = if query.is_empty() {
            limits::MEMBERS_CHUNK as u64
        } else {
            limits::MEMBERS_REQUEST_QUERY
        };
        let limit = if limit == 0 { most } else { limit.min(most) };
        let search = SearchMembers {
            by,
            query,
            limit: usize::try_from(limit).unwrap_or(limits::MEMBERS_CHUNK),
        };
        let clerk = &self.gateway.clerk;
        let rows = clerk
            .persist(|| clerk.world().search_members(group, search.clone()))
            .await?;
        self.chunk(&rows, place(&[])).await
    }

    async fn members(&self, group: GroupId, users: Vec<UserId>) -> Answer<Vec<MemberRow>> {
        let by = self.identity.user;
        let request = GetMembers { by, users };
        let clerk = &self.gateway.clerk;
        clerk
            .persist(|| clerk.world().members(group, request.clone()))
            .await
    }

    /// All members, a page of the group's at a time. How many chunks there are is said with the first: who comes
    /// meanwhile is told as an event.
    async fn everybody(
        &mut self,
        group: GroupId,
        request: &RequestMembers,
    ) -> Result<Result<(), Unwritten>, ApiError> {
        let now = self.gateway.clock.now();
        self.asked_all
            .retain(|_, at| now.since(*at) < limits::MEMBERS_REQUEST_ALL_MS);
        let asked = self.asked_all.get(&group).copied();
        if asked.is_some() || self.asked_all.len() >= REMEMBERED {
            let ago = asked.map_or(0, |at| now.since(at));
            let wait = limits::MEMBERS_REQUEST_ALL_MS - ago;
            limited(self.gateway.clone(), self.at, request.clone(), wait).await;
            return Ok(Ok(()));
        }
        let by = self.identity.user;
        let gateway = self.gateway.clone();
        let clerk = &gateway.clerk;
        let view = clerk
            .persist(|| clerk.world().group(group, GetGroup { by }))
            .await?;
        self.asked_all.insert(group, now);
        let members = usize::try_from(view.member_count).unwrap_or(usize::MAX);
        let count = members.div_ceil(limits::MEMBERS_CHUNK).max(1);
        let mut after = None;
        for index in 0..count {
            let list = ListMembers {
                by,
                after,
                limit: limits::MEMBERS_CHUNK,
            };
            let rows = clerk
                .persist(|| clerk.world().list_members(group, list.clone()))
                .await?;
            after = rows.last().map(|row| row.user).or(after);
            let place = Place {
                group,
                index,
                count,
                not_found: &[],
                request,
            };
            if self.chunk(&rows, place).await?.is_err() {
                // It may ask for what it has not got.
                self.asked_all.remove(&group);
                return Ok(Err(Unwritten));
            }
        }
        Ok(Ok(()))
    }

    /// Gives the session a chunk and waits until it is written.
    async fn chunk(
        &self,
        rows: &[MemberRow],
        place: Place<'_>,
    ) -> Result<Result<(), Unwritten>, ApiError> {
        let gateway = &self.gateway;
        let world = gateway.clerk.world();
        let users: Vec<UserId> = rows.iter().map(|row| row.user).collect();
        let wants_presences = place.request.presences.unwrap_or(false);
        let presences = (wants_presences && self.has(Intents::GUILD_PRESENCES)).then(|| {
            world
                .registry()
                .among(self.identity.user, place.group, &users)
        });
        let profiles = world.profiles(users).await?;
        let members = rows.iter().filter_map(|row| {
            let profile = profiles.get(&row.user)?;
            Some(MemberJson::full(row, profile))
        });
        let body = MembersChunk {
            guild_id: place.group,
            members: members.collect(),
            chunk_index: place.index,
            chunk_count: place.count,
            not_found: place.not_found,
            presences: presences.as_ref().map(|present| {
                let objects = present.iter();
                objects
                    .map(|(user, presence)| {
                        PresenceJson::new(*user, Some(place.group), Some(presence))
                    })
                    .collect()
            }),
            nonce: place.request.nonce.as_deref(),
        };
        let dispatch = dispatch(EventName::GuildMembersChunk, &body);
        let written = gateway.clerk.pace().wait(self.at);
        let give = Input::Give {
            session: self.at.session,
            dispatch,
            paced: true,
        };
        gateway.hub.send(self.at.lane, give).await;
        Ok(written.await.map_err(|_| Unwritten))
    }
}
