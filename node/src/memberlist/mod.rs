//! Member lists of groups for those who look at a range of one: the list is built from the group's rows and from who is
//! online, only while somebody looks, and at most once in [`AGE`]. A session is sent a range when its content changed.

mod list;
mod looker;
mod picture;

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::StreamExt;
use parking_lot::Mutex;
use rookery_actors::relay::Input;
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{GetGroup, GetMembers, ListMembers};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::{Dispatch, EventName};
use rookery_protocol::ids::{GroupId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::limits;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

pub use self::list::{List, Row, Section};
pub use self::looker::{Looker, Range};
use self::picture::{Material, Picture};
use crate::presence::At;
use crate::relay::{Clerk, Hub};

/// How old a list is at least before it is built again.
const AGE: Duration = Duration::from_secs(2);
/// Groups whose lists are built at the same time.
const AT_ONCE: usize = 8;

/// A session that looks.
#[derive(Debug)]
struct Viewer {
    user: UserId,
    looker: Looker,
    /// It has not been sent what it looks at.
    is_new: bool,
    /// What it was sent last is not yet written.
    writing: Option<oneshot::Receiver<()>>,
}

/// A group that somebody looks at.
#[derive(Default)]
struct Watched {
    viewers: HashMap<At, Viewer>,
    built: Option<(Arc<Picture>, Instant)>,
    /// Of presence, when it was built.
    version: u64,
    /// Members or roles changed since.
    is_touched: bool,
}

#[derive(Default)]
struct Views {
    groups: HashMap<GroupId, Watched>,
    /// Which group a session looks at, one at a time, and by which of its sockets.
    sessions: HashMap<At, (GroupId, u32)>,
}

/// The lists of a node.
pub struct MemberLists {
    hub: Weak<Hub>,
    clerk: Arc<Clerk>,
    views: Mutex<Views>,
    wake: Notify,
}

impl MemberLists {
    /// Starts its task, which ends with the hub. Must be called within a tokio runtime.
    pub fn start(hub: &Arc<Hub>, clerk: &Arc<Clerk>) -> Arc<Self> {
        let lists = Arc::new(Self {
            hub: Arc::downgrade(hub),
            clerk: Arc::clone(clerk),
            views: Mutex::default(),
            wake: Notify::new(),
        });
        let task = Arc::downgrade(&lists);
        tokio::spawn(async move {
            let mut beat = tokio::time::interval(AGE);
            beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                let Some(lists) = task.upgrade() else { return };
                tokio::select! {
                    _ = beat.tick() => {}
                    () = lists.wake.notified() => {}
                }
                let Some(hub) = lists.hub.upgrade() else {
                    return;
                };
                lists.round(&hub).await;
            }
        });
        lists
    }

    /// A session looks, through its how-manieth socket, at ranges of a group's list, and no longer at another's; without
    /// ranges at nothing.
    pub fn look(&self, (at, attach): (At, u32), user: UserId, group: GroupId, ranges: &[Range]) {
        let is_inside = self.clerk.world().registry().is_inside(at, user, group);
        let mut views = self.views.lock();
        let before = views.sessions.get(&at).copied();
        if before.is_some_and(|(before, _)| before != group) || ranges.is_empty() || !is_inside {
            views.forget(at);
        }
        if ranges.is_empty() || !is_inside {
            return;
        }
        views.sessions.insert(at, (group, attach));
        let watched = views.groups.entry(group).or_default();
        let viewer = watched.viewers.entry(at).or_insert_with(|| Viewer {
            user,
            looker: Looker::default(),
            is_new: true,
            writing: None,
        });
        viewer.looker.look(ranges);
        viewer.is_new = true;
        drop(views);
        self.wake.notify_one();
    }

    /// A session's how-manieth socket is gone.
    pub fn close(&self, at: At, attach: u32) {
        let mut views = self.views.lock();
        if views.sessions.get(&at).is_some_and(|(_, of)| *of == attach) {
            views.forget(at);
        }
    }

    /// Brings everybody up to date.
    async fn round(&self, hub: &Hub) {
        let touched = self.clerk.world().touched().take_groups();
        let groups: Vec<GroupId> = {
            let mut views = self.views.lock();
            for group in touched {
                if let Some(watched) = views.groups.get_mut(&group) {
                    watched.is_touched = true;
                }
            }
            views.groups.keys().copied().collect()
        };
        futures_util::stream::iter(groups)
            .for_each_concurrent(AT_ONCE, |group| Box::pin(self.serve(hub, group)))
            .await;
    }

    /// Builds a group's list again if it is time, and sends what is due.
    async fn serve(&self, hub: &Hub, group: GroupId) {
        let registry = self.clerk.world().registry();
        let version = registry.version(group);
        let (by, picture) = {
            let mut views = self.views.lock();
            let Some(watched) = views.groups.get_mut(&group) else {
                return;
            };
            let is_changed = watched.is_touched || watched.version != version;
            let is_kept = |(_, at): &(Arc<Picture>, Instant)| !is_changed || at.elapsed() < AGE;
            let picture = watched.built.clone().filter(is_kept);
            if picture.is_none() {
                watched.is_touched = false;
                watched.version = version;
            } else if watched.viewers.values().all(|viewer| !viewer.is_new) {
                return;
            }
            let gone: Vec<At> = watched
                .viewers
                .iter()
                .filter(|(at, viewer)| !registry.is_inside(**at, viewer.user, group))
                .map(|(at, _)| *at)
                .collect();
            for at in gone {
                views.forget(at);
            }
            let Some(watched) = views.groups.get(&group) else {
                return;
            };
            let Some(by) = watched.viewers.values().map(|viewer| viewer.user).next() else {
                return;
            };
            (by, picture)
        };
        let is_built = picture.is_some();
        let picture = match picture {
            Some((picture, _)) => picture,
            None => match self.build(group, by).await {
                Ok(picture) => Arc::new(picture),
                Err(refusal) => {
                    tracing::debug!(%group, code = refusal.code.code(), "a member list could not be built");
                    return self.touch(group);
                }
            },
        };
        if !is_built && let Some(watched) = self.views.lock().groups.get_mut(&group) {
            watched.built = Some((Arc::clone(&picture), Instant::now()));
        }
        let viewers: Vec<(At, UserId, Vec<Range>)> = {
            let views = self.views.lock();
            let watched = views.groups.get(&group);
            let viewers = watched.into_iter().flat_map(|watched| &watched.viewers);
            viewers
                .filter(|(_, viewer)| !is_built || viewer.is_new)
                .map(|(at, viewer)| (*at, viewer.user, viewer.looker.ranges().collect()))
                .collect()
        };
        for (at, user, ranges) in viewers {
            let picture = self.as_seen_by(user, &picture);
            for range in ranges {
                if picture
                    .encode(range, self.clerk.world().as_ref())
                    .await
                    .is_err()
                {
                    return self.touch(group);
                }
            }
            self.send(hub, group, at, &picture).await;
        }
    }

    /// Try again.
    fn touch(&self, group: GroupId) {
        if let Some(watched) = self.views.lock().groups.get_mut(&group) {
            watched.is_touched = true;
        }
    }

    /// The list as somebody sees it who does not see everybody.
    fn as_seen_by(&self, user: UserId, picture: &Arc<Picture>) -> Arc<Picture> {
        let registry = self.clerk.world().registry();
        if !registry.is_kept_from(user) {
            return Arc::clone(picture);
        }
        let material = picture.material();
        let present = registry.online(Some(user), material.group);
        if present.len() == picture.online() {
            return Arc::clone(picture);
        }
        Arc::new(Picture::new(Arc::clone(material), present))
    }

    async fn build(&self, group: GroupId, by: UserId) -> Answer<Picture> {
        let clerk = &self.clerk;
        let world = clerk.world();
        let view = world.group(group, GetGroup { by }).await?;
        let present = world.registry().online(None, group);
        let with_offline = view.member_count <= limits::MEMBERS_CHUNK as u64;
        let members = if with_offline {
            let list = ListMembers {
                by,
                after: None,
                limit: limits::MEMBERS_CHUNK,
            };
            world.list_members(group, list).await?
        } else {
            let users = present.iter().map(|(user, _)| *user).collect();
            world.members(group, GetMembers { by, users }).await?
        };
        let material = Material {
            group,
            roles: view.group.roles,
            members,
            member_count: view.member_count,
            with_offline,
        };
        let built = move || Picture::new(Arc::new(material), present);
        let built = tokio::task::spawn_blocking(built).await;
        built.map_err(|_| ErrorCode::Internal.into())
    }

    /// Sends a session what is due, unless it still has to read what it was sent last.
    async fn send(&self, hub: &Hub, group: GroupId, at: At, picture: &Picture) {
        let body = {
            let mut views = self.views.lock();
            let watched = views.groups.get_mut(&group);
            let Some(viewer) = watched.and_then(|watched| watched.viewers.get_mut(&at)) else {
                return;
            };
            let is_writing = viewer.writing.as_mut().is_some_and(|writing| {
                writing.try_recv() == Err(oneshot::error::TryRecvError::Empty)
            });
            if is_writing {
                viewer.is_new = true;
                return;
            }
            viewer.is_new = false;
            let mark = |range| picture.mark(range);
            let Some(due) = viewer.looker.due(picture.head(), mark) else {
                return;
            };
            viewer.writing = Some(self.clerk.pace().wait(at));
            picture.update(&due)
        };
        let dispatch = Dispatch {
            name: EventName::GuildMemberListUpdate,
            body,
            intents: Intents::NONE,
            content_for: None,
            about: None,
        };
        let give = Input::Give {
            session: at.session,
            dispatch: Box::new(dispatch),
            paced: true,
        };
        hub.send(at.lane, give).await;
    }
}

impl Views {
    /// A session does not look any more.
    fn forget(&mut self, at: At) {
        let Some((group, _)) = self.sessions.remove(&at) else {
            return;
        };
        if let Some(watched) = self.groups.get_mut(&group) {
            watched.viewers.remove(&at);
            if watched.viewers.is_empty() {
                self.groups.remove(&group);
            }
        }
    }
}
