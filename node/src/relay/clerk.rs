//! The clerk: asks entities and the store on a lane's behalf, in tasks, and puts the answers into the lane's inbox.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use rookery_actors::relay::{Identity, Input, Lost, SessionRef, Viewpoint, page_above};
use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::client::group::guild_create;
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{GetMembers, Subscribe, Subscribed};
use rookery_protocol::command::user::{Attach, Attached, Detach};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::event::Dispatch;
use rookery_protocol::ids::{GroupId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::limits;
use tokio::sync::Semaphore;

use super::calls::{Call, Calls};
use super::hub::Hub;
use super::pace::Pace;
use super::ready;
use super::session_id::SessionId;
use super::world::{Unread, World};
use crate::contacts::Contacts;
use crate::presence::{At, Present};

/// Groups of one session that are asked at the same time.
pub(super) const GROUPS_AT_ONCE: usize = 8;
/// Questions of all sessions that are open at the same time: the entities' mailboxes are bounded, too.
const QUESTIONS: usize = 256;
/// How often an entity that does not answer is asked again.
const TRIES: u32 = 8;
/// The first pause before that, in milliseconds; it doubles up to the last one.
const PAUSE_MS: u64 = 100;
/// The longest pause, in milliseconds.
const LAST_PAUSE_MS: u64 = 5_000;

/// What READY says of the node.
#[derive(Debug, Clone)]
pub struct NodeName {
    /// Its configured name.
    pub node: String,
    /// Which run of it.
    pub incarnation: u64,
}

/// The clerk.
pub struct Clerk {
    hub: Arc<Hub>,
    world: Arc<dyn World>,
    name: NodeName,
    questions: Semaphore,
    pace: Pace,
    calls: Calls,
}

/// Whether asking again may help.
pub(super) fn is_passing(refusal: &ApiError) -> bool {
    matches!(
        refusal.code,
        ErrorCode::Busy | ErrorCode::Unavailable | ErrorCode::Internal | ErrorCode::RateLimited
    )
}

impl Clerk {
    /// A clerk who answers to the lanes of `hub`.
    pub fn new(hub: Arc<Hub>, world: Arc<dyn World>, name: NodeName) -> Arc<Self> {
        Arc::new(Self {
            hub,
            world,
            name,
            questions: Semaphore::new(QUESTIONS),
            pace: Pace::default(),
            calls: Calls::default(),
        })
    }

    /// The node as the gateway sees it.
    pub fn world(&self) -> &Arc<dyn World> {
        &self.world
    }

    pub(super) fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Who waits for which session to be written.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Which session is in voice channels of which groups.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// A session's user has left a group.
    pub(super) fn left(&self, at: At, user: UserId, group: GroupId) {
        self.world.registry().leave(at, user, group);
        self.calls.left(at, group);
    }

    /// A session is over; answers the voice channels that it was in.
    pub(super) fn ended(&self, at: At, user: UserId) -> Option<Call> {
        self.pace.unwritten(at);
        self.hub.moves.went(at);
        self.world.registry().close(at, user);
        self.calls.ended(at)
    }

    /// The node's name.
    pub fn name(&self) -> &NodeName {
        &self.name
    }

    fn session_id(&self, lane: u16, session: SessionRef, identity: &Identity) -> SessionId {
        SessionId {
            user: identity.user,
            node: self.name.node.clone(),
            incarnation: self.name.incarnation,
            lane,
            session,
            secret: identity.secret,
        }
    }

    /// The id of a session that was born here, as READY has it.
    pub fn session_id_of(&self, lane: u16, session: SessionRef, identity: &Identity) -> String {
        self.session_id(lane, session, identity).to_string()
    }

    /// What the user's entity knows a session by: no secret in it.
    fn session_name(&self, lane: u16, session: SessionRef) -> String {
        let (node, incarnation) = (&self.name.node, self.name.incarnation);
        let (slot, generation) = (session.slot, session.generation);
        format!("{node}/{incarnation}/{lane}/{slot}/{generation}")
    }

    /// What attaches a session to its user.
    pub(super) fn attaching(&self, lane: u16, session: SessionRef, identity: &Identity) -> Attach {
        Attach {
            session: self.session_name(lane, session),
            proof: identity.proof,
        }
    }

    /// Asks until there is an answer or a lasting refusal.
    pub(crate) async fn persist<T, F>(&self, mut ask: impl FnMut() -> F) -> Answer<T>
    where
        F: Future<Output = Answer<T>>,
    {
        let mut pause = PAUSE_MS;
        for _ in 1..TRIES {
            let answer = {
                let Ok(_permit) = self.questions.acquire().await else {
                    return Err(ErrorCode::Unavailable.into());
                };
                ask().await
            };
            match answer {
                Err(refusal) if is_passing(&refusal) => {
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    pause = (pause * 2).min(LAST_PAUSE_MS);
                }
                answer => return answer,
            }
        }
        ask().await
    }

    pub(super) async fn expel(&self, lane: u16, session: SessionRef, refusal: &ApiError) {
        let code = if is_passing(refusal) {
            CloseCode::UnknownError
        } else {
            CloseCode::AuthenticationFailed
        };
        self.hub.send(lane, Input::Expel { session, code }).await;
    }

    /// Attaches a session to its user and makes READY.
    pub(super) async fn attach(
        self: Arc<Self>,
        lane: u16,
        session: SessionRef,
        identity: Identity,
        origin: Box<str>,
    ) {
        let user = identity.user;
        let request = self.attaching(lane, session, &identity);
        let attached = self
            .persist(|| self.world.attach(user, request.clone()))
            .await;
        // Read after the user has answered: what comes later is an event above `gseq`.
        let answer = match attached {
            Ok(attached) => self.lists(user, attached).await,
            Err(refusal) => Err(refusal),
        };
        let (attached, groups, mut contacts, unread) = match answer {
            Ok(answer) => answer,
            Err(refusal) => return self.expel(lane, session, &refusal).await,
        };
        let friends = match self.persist(|| self.world.kin(user)).await {
            Ok(kin) => {
                self.world.registry().relate(user, kin);
                self.world.registry().friends(user)
            }
            Err(refusal) => return self.expel(lane, session, &refusal).await,
        };
        let id = self.session_id(lane, session, &identity).to_string();
        contacts.presences = ready::presences(&friends, None);
        let account = &attached.account;
        let read_state = ready::read_state(&unread, attached.gseq);
        let shard = identity.shard;
        let body = ready::ready(account, &groups, &contacts, read_state, &id, &origin, shard);
        let joined = Input::Joined {
            session,
            topic: user.into(),
            gseq: attached.gseq,
            body,
            groups,
            view: None,
        };
        self.hub.send(lane, joined).await;
    }

    /// What READY lists: the groups of everybody, and the contacts of people and what they have not read.
    async fn lists(
        &self,
        user: UserId,
        attached: Attached,
    ) -> Answer<(Attached, Vec<GroupId>, Contacts, Unread)> {
        let groups = self.persist(|| self.world.groups(user)).await?;
        let (contacts, unread) = match attached.account.application {
            Some(_) => (Contacts::default(), Unread::default()),
            None => (
                self.persist(|| self.world.contacts(user)).await?,
                self.persist(|| self.world.unread(user)).await?,
            ),
        };
        Ok((attached, groups, contacts, unread))
    }

    /// Attaches a session to its restarted user.
    pub(super) async fn reattach(
        self: Arc<Self>,
        lane: u16,
        session: SessionRef,
        identity: Identity,
    ) {
        let request = self.attaching(lane, session, &identity);
        let attached = self
            .persist(|| self.world.attach(identity.user, request.clone()))
            .await;
        if let Err(refusal) = attached {
            self.expel(lane, session, &refusal).await;
        }
    }

    /// Tells the user that a session ended.
    pub(super) async fn detach(self: Arc<Self>, lane: u16, session: SessionRef, user: UserId) {
        let request = Detach {
            session: self.session_name(lane, session),
        };
        let told = self
            .persist(|| self.world.detach(user, request.clone()))
            .await;
        if let Err(refusal) = told {
            tracing::warn!(%user, code = refusal.code.code(), "a user was not told that a session ended");
        }
    }

    /// Takes a session that must not go on out of its voice channels.
    pub(super) async fn hang_up(self: Arc<Self>, user: UserId, call: Call) {
        let Call { session, groups } = call;
        futures_util::stream::iter(groups)
            .for_each_concurrent(GROUPS_AT_ONCE, |group| {
                Box::pin(self.leave_voice(user, &session, group))
            })
            .await;
    }

    async fn leave_voice(&self, user: UserId, session: &str, group: GroupId) {
        let left = self
            .persist(|| self.world.leave_voice(user, session, group))
            .await;
        if let Err(refusal) = left {
            tracing::warn!(%user, %group, code = refusal.code.code(), "a session that was closed may still be in a voice channel");
        }
    }

    /// Subscribes a session to groups and makes their GUILD_CREATEs.
    pub(super) async fn subscribe(
        self: Arc<Self>,
        lane: u16,
        session: SessionRef,
        identity: Identity,
        groups: Vec<GroupId>,
    ) {
        futures_util::stream::iter(groups)
            .for_each_concurrent(GROUPS_AT_ONCE, |group| {
                Box::pin(self.subscribe_one(lane, session, identity, group))
            })
            .await;
    }

    async fn subscribe_one(
        &self,
        lane: u16,
        session: SessionRef,
        identity: Identity,
        group: GroupId,
    ) {
        let (at, by) = (At { lane, session }, identity.user);
        let sees_presence = identity.intents.contains(Intents::GUILD_PRESENCES);
        let picture = self
            .persist(|| async {
                let mut picture = self.world.subscribe(group, Subscribe { by }).await?;
                let present = if sees_presence {
                    self.present(at, &mut picture).await?
                } else {
                    Vec::new()
                };
                let body = self.guild_create(&picture, &present).await?;
                let view = Viewpoint {
                    access: picture.access,
                    roles: picture.me.roles,
                };
                Ok((picture.gseq, body, view))
            })
            .await;
        let topic = group.into();
        let input = match picture {
            Ok((gseq, body, view)) => Input::Joined {
                session,
                topic,
                gseq,
                body,
                groups: Vec::new(),
                view: Some(view),
            },
            // Without this group's events the session would not be whole: the client starts a new one.
            Err(refusal) if is_passing(&refusal) => {
                return self.expel(lane, session, &refusal).await;
            }
            Err(_) => Input::NotJoined {
                session,
                topic,
                farewell: ready::guild_delete(group),
                again: false,
            },
        };
        self.hub.send(lane, input).await;
    }

    /// Who is online in a group; in a large one those are added to the picture's members, unless it is so large that
    /// libraries expect nobody.
    pub(super) async fn present(&self, at: At, picture: &mut Subscribed) -> Answer<Present> {
        let (by, group) = (picture.me.user, picture.view.group.id);
        let count = usize::try_from(picture.view.member_count).unwrap_or(usize::MAX);
        let registry = self.world.registry();
        if count > limits::GUILD_CREATE_MEMBERS {
            return Ok(Vec::new());
        }
        let present = registry.picture(at, by, group, limits::GUILD_CREATE_ONLINE);
        if count > limits::LARGE_GROUP_MEMBERS {
            let users = present.iter().map(|(user, _)| *user);
            let users = users.filter(|user| *user != by).collect();
            let members = self.world.members(group, GetMembers { by, users }).await?;
            picture.members.extend(members);
        }
        Ok(present)
    }

    pub(super) async fn guild_create(
        &self,
        picture: &Subscribed,
        present: &Present,
    ) -> Answer<Box<Dispatch>> {
        let users = picture.members.iter().map(|member| member.user).collect();
        let profiles = self.world.profiles(users).await?;
        let mut body = guild_create(picture, |user| profiles.get(&user));
        body["presences"] = ready::presences(present, Some(picture.view.group.id)).into();
        Ok(ready::guild_create(&body))
    }

    /// Reads what a lane missed of a topic.
    pub(super) async fn heal(self: Arc<Self>, lane: u16, topic: EntityRef, since: u64) {
        let page = self.persist(|| self.world.events(topic, since)).await;
        let events = match page {
            Ok(frames) => {
                // What was lost on its way has not been noted, either.
                for frame in &frames {
                    self.world.touched().note(frame);
                }
                page_above(since, frames)
            }
            Err(refusal) => {
                tracing::warn!(%topic, code = refusal.code.code(), "the event log could not be read");
                Err(Lost)
            }
        };
        let healed = Input::Healed {
            topic,
            since,
            events,
        };
        self.hub.send(lane, healed).await;
    }
}
