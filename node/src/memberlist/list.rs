//! The rows of a group's member list: hoisted roles from the highest, then who is online, then who is not; each under
//! its heading and by name.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rookery_protocol::document::{MemberRow, RoleDocument};
use rookery_protocol::ids::{RoleId, UserId};

/// What a heading is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Section {
    /// Online members whose highest hoisted role this is.
    Role(RoleId),
    /// Online members without one.
    Online,
    /// Everybody else.
    Offline,
}

impl Section {
    /// Its `id` on the client wire.
    pub fn id(self) -> String {
        match self {
            Self::Role(role) => role.to_string(),
            Self::Online => "online".to_owned(),
            Self::Offline => "offline".to_owned(),
        }
    }
}

/// A row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// A heading with how many are under it.
    Heading(Section, u32),
    /// A member, by his place among those the list was built from.
    Member(usize),
}

/// A member list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct List {
    /// The headings.
    pub sections: Vec<(Section, u32)>,
    /// All rows.
    pub rows: Vec<Row>,
    /// How many are online.
    pub online: u32,
}

/// Where a member stands: sections in the order of the list.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Hoisted(Reverse<u32>, u64),
    Online,
    Offline,
}

impl List {
    /// The list of `members`. Who is not online is left out unless `with_offline`.
    pub fn build(
        roles: &[RoleDocument],
        members: &[MemberRow],
        is_online: impl Fn(UserId) -> bool,
        with_offline: bool,
    ) -> Self {
        let hoisted: BTreeMap<RoleId, u32> = roles
            .iter()
            .filter(|role| role.hoist)
            .map(|role| (role.id, role.position))
            .collect();
        let rank = |member: &MemberRow| {
            if !is_online(member.user) {
                return Rank::Offline;
            }
            let held = member.roles.iter().filter_map(|role| {
                let position = hoisted.get(role)?;
                Some(Rank::Hoisted(Reverse(*position), role.0))
            });
            held.min().unwrap_or(Rank::Online)
        };
        let mut order: Vec<(Rank, String, UserId, usize)> = members
            .iter()
            .enumerate()
            .map(|(at, member)| {
                (
                    rank(member),
                    member.display_name().to_lowercase(),
                    member.user,
                    at,
                )
            })
            .filter(|(rank, ..)| with_offline || *rank != Rank::Offline)
            .collect();
        order.sort_unstable();
        let mut list = Self::default();
        for block in order.chunk_by(|a, b| a.0 == b.0) {
            let Some((rank, ..)) = block.first() else {
                continue;
            };
            let count = u32::try_from(block.len()).unwrap_or(u32::MAX);
            let section = match rank {
                Rank::Hoisted(_, role) => Section::Role(RoleId(*role)),
                Rank::Online => Section::Online,
                Rank::Offline => Section::Offline,
            };
            if section != Section::Offline {
                list.online += count;
            }
            list.sections.push((section, count));
            list.rows.push(Row::Heading(section, count));
            list.rows
                .extend(block.iter().map(|(.., at)| Row::Member(*at)));
        }
        list
    }

    /// The rows from `first` to `last`, both included, as far as there are any.
    pub fn range(&self, [first, last]: [u32; 2]) -> &[Row] {
        let first = (first as usize).min(self.rows.len());
        let last = (last as usize).saturating_add(1).min(self.rows.len());
        self.rows.get(first..last).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_protocol::ids::GroupId;
    use rookery_protocol::permissions::Permissions;
    use rookery_protocol::time::Millis;

    fn role(id: u64, position: u32, hoist: bool) -> RoleDocument {
        RoleDocument {
            id: RoleId(id),
            name: String::new(),
            color: 0,
            hoist,
            position,
            permissions: Permissions::NONE,
            mentionable: false,
            bot: None,
        }
    }

    fn member(id: u64, name: &str, roles: &[u64]) -> MemberRow {
        MemberRow {
            user: UserId(id),
            nick: None,
            roles: roles.iter().map(|id| RoleId(*id)).collect(),
            joined_at: Millis(0),
            username: name.to_owned(),
            global_name: None,
            timeout_until: None,
            mute: false,
            deaf: false,
        }
    }

    /// Rows as text: `#heading count` or the member's name.
    fn rows(list: &List, members: &[MemberRow], range: [u32; 2]) -> Vec<String> {
        let rows = list.range(range).iter();
        rows.map(|row| match row {
            Row::Heading(section, count) => format!("#{} {count}", section.id()),
            Row::Member(at) => members[*at].display_name().to_owned(),
        })
        .collect()
    }

    #[test]
    fn rows_stand_by_section_and_name() {
        let roles = [
            role(GroupId(1).0, 0, false),
            role(10, 1, true),
            role(11, 2, true),
            role(12, 3, false),
        ];
        let mut members = vec![
            member(1, "zoe", &[]),
            member(2, "Bob", &[]),
            member(3, "carl", &[10]),
            member(4, "dora", &[10, 11]),
            member(5, "emil", &[12]),
            member(6, "fay", &[11]),
            member(7, "gus", &[10]),
        ];
        members[0].nick = Some("Anna".to_owned());
        let away = [UserId(5), UserId(7)];
        let is_online = |user| !away.contains(&user);
        let list = List::build(&roles, &members, is_online, true);
        assert_eq!(
            rows(&list, &members, [0, 99]),
            [
                "#11 2",
                "dora",
                "fay",
                "#10 1",
                "carl",
                "#online 2",
                "Anna",
                "Bob",
                "#offline 2",
                "emil",
                "gus"
            ]
        );
        assert_eq!(list.online, 5);
        assert_eq!(rows(&list, &members, [4, 6]), ["carl", "#online 2", "Anna"]);
        let list = List::build(&roles, &members, is_online, false);
        assert_eq!(list.rows.len(), 8);
        assert_eq!(list.sections.len(), 3);
    }

    #[test]
    fn ranges_beyond_the_end_are_short_or_empty() {
        let members = [member(1, "a", &[])];
        let list = List::build(&[], &members, |_| true, true);
        let table = [
            ([0, 0], 1),
            ([0, 1], 2),
            ([1, 99], 1),
            ([2, 99], 0),
            ([u32::MAX - 1, u32::MAX], 0),
        ];
        for (range, expected) in table {
            assert_eq!(list.range(range).len(), expected, "{range:?}");
        }
        assert_eq!(List::build(&[], &[], |_| true, true), List::default());
    }
}
