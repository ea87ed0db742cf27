//! What lanes and the gateway need of the node: entities, accounts and rows.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use rookery_actors::store::{self, Order, Scan};
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{
    GetGroup, GetMembers, GroupView, JoinVoice, LeaveVoice, ListMembers, SearchMembers, Subscribe,
    Subscribed,
};
use rookery_protocol::command::user::{Attach, Attached, Detach, GetAccount, Proof};
use rookery_protocol::document::{
    Events, MemberRow, MentionRow, Mentions, Part, ReadStateRow, ReadStates, Relation, Table,
    TableId,
};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::{Frame, FrameSeq};
use rookery_protocol::ids::{ChannelId, GroupId, UserId};
use rookery_protocol::limits;
use rookery_protocol::profile::Profile;
use rookery_protocol::voice::Said;

use crate::app::App;
use crate::auth::Caller;
use crate::contacts::Contacts;
use crate::fault;
use crate::presence::{Kin, Registry, Touched};

/// Events of one page when a gap is read from the event log.
const EVENTS_PAGE: usize = 512;

/// How far a user has read, and what mentions him that he has not.
#[derive(Debug, Default)]
pub struct Unread {
    /// At most [`limits::READ_STATES_PER_USER`].
    pub read: Vec<ReadStateRow>,
    /// At most [`limits::MENTIONS_PER_USER`].
    pub mentions: Vec<MentionRow>,
}

/// The node as lanes and the gateway see it.
#[async_trait]
pub trait World: Send + Sync + 'static {
    /// Who a token belongs to.
    async fn authenticate(&self, token: &str) -> Answer<Caller>;
    /// Whether a verified token still holds, as the user's entity has it.
    async fn admits(&self, user: UserId, proof: Proof) -> Answer<bool>;
    /// Attaches a session to its user.
    async fn attach(&self, user: UserId, request: Attach) -> Answer<Attached>;
    /// Tells the user that a session ended.
    async fn detach(&self, user: UserId, request: Detach) -> Answer<()>;
    /// The groups a user is in.
    async fn groups(&self, user: UserId) -> Answer<Vec<GroupId>>;
    /// The relationships and direct channels of a person.
    async fn contacts(&self, user: UserId) -> Answer<Contacts>;
    /// What READY says of what a user has read.
    async fn unread(&self, user: UserId) -> Answer<Unread>;
    /// Subscribes a member to a group.
    async fn subscribe(&self, group: GroupId, request: Subscribe) -> Answer<Subscribed>;
    /// A group's settings and counts, as a member sees them.
    async fn group(&self, group: GroupId, request: GetGroup) -> Answer<GroupView>;
    /// Some members of a group.
    async fn members(&self, group: GroupId, request: GetMembers) -> Answer<Vec<MemberRow>>;
    /// A page of a group's members.
    async fn list_members(&self, group: GroupId, request: ListMembers) -> Answer<Vec<MemberRow>>;
    /// Members of a group by name.
    async fn search_members(
        &self,
        group: GroupId,
        request: SearchMembers,
    ) -> Answer<Vec<MemberRow>>;
    /// How a user stands to others.
    async fn kin(&self, user: UserId) -> Answer<Kin>;
    /// Puts a session into a voice channel, or changes what it says there.
    async fn join_voice(
        &self,
        user: UserId,
        session: &str,
        group: GroupId,
        channel: ChannelId,
        said: Said,
    ) -> Answer<()>;
    /// Takes a session out of its voice channel.
    async fn leave_voice(&self, user: UserId, session: &str, group: GroupId) -> Answer<()>;
    /// Who is online.
    fn registry(&self) -> &Arc<dyn Registry>;
    /// What changed that presence and member lists depend on.
    fn touched(&self) -> &Arc<Touched>;
    /// Profiles for GUILD_CREATE.
    async fn profiles(&self, users: Vec<UserId>) -> Answer<HashMap<UserId, Profile>>;
    /// One page of an entity's events above `since`, in order.
    async fn events(&self, topic: EntityRef, since: u64) -> Answer<Vec<Frame>>;
}

#[async_trait]
impl World for App {
    async fn authenticate(&self, token: &str) -> Answer<Caller> {
        self.auth.authenticate(token).await
    }

    async fn admits(&self, user: UserId, proof: Proof) -> Answer<bool> {
        match self.directory.ask(user, GetAccount).await {
            Err(refusal) if refusal.code == ErrorCode::UnknownUser => Ok(false),
            account => Ok(account?.admits(proof)),
        }
    }

    async fn attach(&self, user: UserId, request: Attach) -> Answer<Attached> {
        self.directory.ask(user, request).await
    }

    async fn detach(&self, user: UserId, request: Detach) -> Answer<()> {
        self.directory.ask(user, request).await
    }

    async fn groups(&self, user: UserId) -> Answer<Vec<GroupId>> {
        self.index.groups_of(user).await
    }

    async fn contacts(&self, user: UserId) -> Answer<Contacts> {
        Contacts::of(self, user).await
    }

    async fn unread(&self, user: UserId) -> Answer<Unread> {
        Ok(Unread {
            read: rows::<ReadStates>(self, user, limits::READ_STATES_PER_USER).await?,
            mentions: rows::<Mentions>(self, user, limits::MENTIONS_PER_USER).await?,
        })
    }

    async fn subscribe(&self, group: GroupId, request: Subscribe) -> Answer<Subscribed> {
        self.directory.ask(group, request).await
    }

    async fn group(&self, group: GroupId, request: GetGroup) -> Answer<GroupView> {
        self.directory.ask(group, request).await
    }

    async fn members(&self, group: GroupId, request: GetMembers) -> Answer<Vec<MemberRow>> {
        self.directory.ask(group, request).await
    }

    async fn list_members(&self, group: GroupId, request: ListMembers) -> Answer<Vec<MemberRow>> {
        self.directory.ask(group, request).await
    }

    async fn search_members(
        &self,
        group: GroupId,
        request: SearchMembers,
    ) -> Answer<Vec<MemberRow>> {
        self.directory.ask(group, request).await
    }

    async fn kin(&self, user: UserId) -> Answer<Kin> {
        let mut kin = Kin::default();
        for (other, relation) in self.index.relations_of(user).await? {
            match relation {
                Relation::Friend => kin.friends.push(other),
                Relation::Blocked => kin.blocked.push(other),
                Relation::None | Relation::Incoming | Relation::Outgoing => {}
            }
        }
        Ok(kin)
    }

    async fn join_voice(
        &self,
        user: UserId,
        session: &str,
        group: GroupId,
        channel: ChannelId,
        said: Said,
    ) -> Answer<()> {
        let request = JoinVoice {
            by: self.accounts.profile(user).await?,
            session: session.to_owned(),
            channel,
            said,
            at: self.voice.place(),
        };
        self.directory.ask(group, request).await
    }

    async fn leave_voice(&self, user: UserId, session: &str, group: GroupId) -> Answer<()> {
        let request = LeaveVoice {
            by: user,
            session: session.to_owned(),
        };
        self.directory.ask(group, request).await
    }

    fn registry(&self) -> &Arc<dyn Registry> {
        &self.presence
    }

    fn touched(&self) -> &Arc<Touched> {
        &self.touched
    }

    async fn profiles(&self, users: Vec<UserId>) -> Answer<HashMap<UserId, Profile>> {
        self.accounts.profiles(users).await
    }

    async fn events(&self, topic: EntityRef, since: u64) -> Answer<Vec<Frame>> {
        let scan = Scan {
            table: TableId::Events,
            partition: topic.into(),
            above: Some(Part::Num(since)),
            below: None,
            order: Order::Ascending,
            limit: EVENTS_PAGE,
        };
        let rows = store::scan::<Events>(self.store.as_ref(), scan).await;
        let rows = rows.map_err(fault::read_failed)?;
        let frames = rows.into_iter().filter_map(|(key, row)| match key.sort {
            Part::Num(gseq) => Some(Frame {
                topic,
                seq: FrameSeq::Logged(gseq),
                event: row.event,
            }),
            Part::Text(_) => None,
        });
        Ok(frames.collect())
    }
}

/// A user's rows of a table.
async fn rows<T: Table>(app: &App, user: UserId, limit: usize) -> Answer<Vec<T::Row>> {
    let scan = Scan {
        table: T::ID,
        partition: user.into(),
        above: None,
        below: None,
        order: Order::Ascending,
        limit,
    };
    let rows = store::scan::<T>(app.store.as_ref(), scan).await;
    let rows = rows.map_err(fault::read_failed)?;
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}
