//! A member list as it was built last, with its ranges encoded once for everybody who looks at them.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use rookery_protocol::client;
use rookery_protocol::client::member::MemberJson;
use rookery_protocol::client::presence::{Presence, PresenceJson};
use rookery_protocol::command::Answer;
use rookery_protocol::document::{MemberRow, RoleDocument};
use rookery_protocol::ids::{GroupId, UserId};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::list::{List, Row};
use super::looker::Range;
use crate::presence::Present;
use crate::relay::World;

/// What lists of one group are built from.
pub(super) struct Material {
    pub(super) group: GroupId,
    pub(super) roles: Vec<RoleDocument>,
    pub(super) members: Vec<MemberRow>,
    pub(super) member_count: u64,
    /// Whether `members` holds everybody.
    pub(super) with_offline: bool,
}

/// Encoded rows and the mark of their content.
type Encoded = (u64, Arc<RawValue>);

/// A list.
pub(super) struct Picture {
    material: Arc<Material>,
    presences: HashMap<UserId, Arc<Presence>>,
    list: List,
    ranges: Mutex<HashMap<Range, Encoded>>,
}

/// A row on the client wire.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Item<'a> {
    Group { id: String, count: u32 },
    Member(Box<MemberItem<'a>>),
}

#[derive(Serialize)]
struct MemberItem<'a> {
    #[serde(flatten)]
    member: MemberJson<'a>,
    presence: PresenceJson<'a>,
}

/// The rows of one range, all of them.
#[derive(Serialize)]
struct Sync<'a> {
    op: &'static str,
    range: Range,
    items: &'a RawValue,
}

/// GUILD_MEMBER_LIST_UPDATE, as the community documents it.
#[derive(Serialize)]
struct Update<'a> {
    id: &'static str,
    guild_id: GroupId,
    member_count: u64,
    online_count: u32,
    groups: Value,
    ops: Vec<Sync<'a>>,
}

fn mark(content: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}

impl Picture {
    /// The list of some people, of whom these are there.
    pub(super) fn new(material: Arc<Material>, present: Present) -> Self {
        let presences: HashMap<UserId, Arc<Presence>> = present.into_iter().collect();
        let is_online = |user| presences.contains_key(&user);
        let list = List::build(
            &material.roles,
            &material.members,
            is_online,
            material.with_offline,
        );
        Self {
            material,
            presences,
            list,
            ranges: Mutex::default(),
        }
    }

    pub(super) fn material(&self) -> &Arc<Material> {
        &self.material
    }

    /// How many it shows as online.
    pub(super) fn online(&self) -> usize {
        self.presences.len()
    }

    /// Tells its headings and counts from others.
    pub(super) fn head(&self) -> u64 {
        mark(&(
            &self.list.sections,
            self.list.online,
            self.material.member_count,
        ))
    }

    /// Tells the content of an encoded range from others.
    pub(super) fn mark(&self, range: Range) -> u64 {
        let ranges = self.ranges.lock();
        ranges.get(&range).map_or(0, |(mark, _)| *mark)
    }

    /// Encodes a range, if nobody has yet.
    pub(super) async fn encode(&self, range: Range, world: &dyn World) -> Answer<()> {
        if self.ranges.lock().contains_key(&range) {
            return Ok(());
        }
        let rows = self.list.range(range);
        let members = rows.iter().filter_map(|row| match row {
            Row::Member(at) => self.material.members.get(*at),
            Row::Heading(..) => None,
        });
        let profiles = world
            .profiles(members.map(|row| row.user).collect())
            .await?;
        let items: Vec<Item<'_>> = rows
            .iter()
            .filter_map(|row| match row {
                Row::Heading(section, count) => Some(Item::Group {
                    id: section.id(),
                    count: *count,
                }),
                Row::Member(at) => {
                    let row = self.material.members.get(*at)?;
                    let presence = self.presences.get(&row.user);
                    let member = MemberItem {
                        member: MemberJson::full(row, profiles.get(&row.user)?),
                        presence: PresenceJson::new(row.user, None, presence.map(Arc::as_ref)),
                    };
                    Some(Item::Member(Box::new(member)))
                }
            })
            .collect();
        if let Ok(encoded) = serde_json::value::to_raw_value(&items) {
            let encoded = (mark(&encoded.get()), Arc::from(encoded));
            self.ranges.lock().insert(range, encoded);
        }
        Ok(())
    }

    /// The body of the event that carries these ranges, which are encoded.
    pub(super) fn update(&self, due: &[Range]) -> Bytes {
        let encoded: Vec<(Range, Arc<RawValue>)> = {
            let ranges = self.ranges.lock();
            let rows = due.iter().filter_map(|range| {
                let (_, items) = ranges.get(range)?;
                Some((*range, Arc::clone(items)))
            });
            rows.collect()
        };
        let groups = self.list.sections.iter();
        client::encode(&Update {
            id: "everyone",
            guild_id: self.material.group,
            member_count: self.material.member_count,
            online_count: self.list.online,
            groups: groups
                .map(|(section, count)| json!({ "id": section.id(), "count": count }))
                .collect(),
            ops: encoded
                .iter()
                .map(|(range, items)| Sync {
                    op: "SYNC",
                    range: *range,
                    items,
                })
                .collect(),
        })
    }
}
