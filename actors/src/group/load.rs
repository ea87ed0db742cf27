//! Building a group from its rows.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use rookery_protocol::document::{
    Bans, ChannelDocument, GroupDocument, Groups, Invites, Key, MemberRow, Members, MessageRow,
    Messages, Part, Pins, Table, Users,
};
use rookery_protocol::ids::{ChannelId, GroupId, MessageId, RoleId, UserId};
use rookery_protocol::limits;
use rookery_protocol::profile::Profile;
use rookery_protocol::snowflake;
use rookery_protocol::time::Millis;

use super::Live;
use super::direct::People;
use super::nonces::{Nonces, Rebuild};
use super::slow::{self, Pace};
use crate::entity::{Kit, LoadError};
use crate::snapshot;
use crate::store::{self, Order, Scan, Store, StoreError};

/// Rows read at once.
const PAGE: usize = 1_000;

/// The group at `id`, if there is one.
pub(super) async fn load(
    id: GroupId,
    kit: &Kit,
    store: &dyn Store,
) -> Result<Option<Live>, LoadError> {
    let known = GroupDocument::SCHEMA;
    let Some(document) = snapshot::load::<Groups>(store, &Key::single(id), known).await? else {
        return Ok(None);
    };
    let members = store::scan_all::<Members>(store, id, PAGE).await?;
    let people = people(&document, &members, store).await?;
    let invites = store::scan_all::<Invites>(store, id, PAGE).await?;
    let banned = banned(id, store).await?;
    let last_messages = last_messages(&document, store).await?;
    if let Some(last) = last_messages.values().max() {
        kit.ids.see(last.0);
    }
    let nonces = nonces(&last_messages, store).await?;
    let pins = pins(&document, store).await?;
    let pace = pace(&document, &last_messages, store).await?;
    let voices = super::voice::load(id, store).await?;
    let roles: HashSet<RoleId> = document.roles.iter().map(|role| role.id).collect();
    let member = |(_, mut row): (Key, MemberRow)| {
        // Rows may name roles that are gone: see `roles`.
        row.roles.retain(|role| roles.contains(role));
        (row.user, row)
    };
    Ok(Some(Live {
        members: members.into_iter().map(member).collect(),
        people,
        invites: invites
            .into_iter()
            .map(|(_, row)| (row.code.clone(), row))
            .collect(),
        banned,
        last_messages,
        pins,
        nonces,
        pace,
        voices,
        ..Live::new(document, kit.clone())
    }))
}

/// The profiles of a direct channel's people; of a community's members none are held.
async fn people(
    document: &GroupDocument,
    members: &[(Key, MemberRow)],
    store: &dyn Store,
) -> Result<People, StoreError> {
    let mut people = People::new();
    if document.direct.is_none() {
        return Ok(people);
    }
    for (_, member) in members {
        let user = store::get::<Users>(store, &Key::single(member.user)).await?;
        let profile = user.map_or_else(|| Profile::deleted(member.user), |user| user.profile);
        people.insert(member.user, profile);
    }
    Ok(people)
}

/// Who is banned. The key of a ban says it: the rows are not decoded.
async fn banned(id: GroupId, store: &dyn Store) -> Result<BTreeSet<UserId>, StoreError> {
    let mut banned = BTreeSet::new();
    loop {
        let scan = Scan {
            table: Bans::ID,
            partition: id.into(),
            above: banned.last().copied().map(Part::from),
            below: None,
            order: Order::Ascending,
            limit: PAGE,
        };
        let rows = store.scan(&scan).await?;
        let is_last = rows.len() < PAGE;
        banned.extend(rows.iter().filter_map(|(key, _)| match key.sort {
            Part::Num(user) => Some(UserId(user)),
            Part::Text(_) => None,
        }));
        if is_last {
            return Ok(banned);
        }
    }
}

/// The newest message that each channel still has.
async fn last_messages(
    document: &GroupDocument,
    store: &dyn Store,
) -> Result<BTreeMap<ChannelId, MessageId>, StoreError> {
    let mut last = BTreeMap::new();
    let holders = document.channels.iter();
    for channel in holders.filter(|channel| channel.kind.holds_messages()) {
        let newest = newest_below(channel.id, None, None, 1, store).await?;
        if let Some(row) = newest.first() {
            last.insert(channel.id, row.id);
        }
    }
    Ok(last)
}

/// Milliseconds that the newest id is ahead of the clock at most, but after a clock that was set back: whoever mints many at once
/// borrows from the future.
const AHEAD_MS: u64 = 1_000;

/// The nonces of the last [`limits::NONCE_MS`] before the newest message, and of as long before as that message's id may be
/// ahead of the clock: none older can matter any more. Reads at most [`limits::NONCES_PER_GROUP`] rows of a channel.
async fn nonces(
    last: &BTreeMap<ChannelId, MessageId>,
    store: &dyn Store,
) -> Result<Nonces, StoreError> {
    let mut rebuild = Rebuild::default();
    let Some(newest) = last.values().max() else {
        return Ok(rebuild.finish());
    };
    let newest = snowflake::created_at(newest.0);
    let oldest = newest.0.saturating_sub(limits::NONCE_MS + AHEAD_MS);
    let horizon = snowflake::floor(Millis(oldest));
    for (&channel, message) in last {
        let (mut below, mut read) = (None, 0);
        let mut goes_on = message.0 >= horizon;
        while goes_on && read < limits::NONCES_PER_GROUP {
            let above = horizon.checked_sub(1).map(Part::Num);
            let rows = newest_below(channel, above, below, PAGE, store).await?;
            read += rows.len();
            below = rows.last().map(|row| row.id);
            goes_on = rows.iter().all(|row| rebuild.take(row)) && rows.len() == PAGE;
        }
    }
    Ok(rebuild.finish())
}

/// How many pins each channel has that ever had one.
async fn pins(
    document: &GroupDocument,
    store: &dyn Store,
) -> Result<BTreeMap<ChannelId, usize>, StoreError> {
    let mut pins = BTreeMap::new();
    let channels = document.channels.iter();
    for channel in channels.filter(|channel| channel.last_pin_at.is_some()) {
        let rows = store::scan_all::<Pins>(store, channel.id, PAGE).await?;
        if !rows.is_empty() {
            pins.insert(channel.id, rows.len());
        }
    }
    Ok(pins)
}

/// Who wrote last in the channels with slow mode, as long before their newest message as somebody waits there. Reads at most
/// [`limits::SLOW_AUTHORS_PER_GROUP`] rows in all.
async fn pace(
    document: &GroupDocument,
    last: &BTreeMap<ChannelId, MessageId>,
    store: &dyn Store,
) -> Result<Pace, StoreError> {
    let mut rebuild = slow::Rebuild::default();
    let mut left = limits::SLOW_AUTHORS_PER_GROUP;
    let newest = |channel: &ChannelDocument| last.get(&channel.id).copied();
    let mut channels: Vec<_> = document.channels.iter().collect();
    channels.retain(|channel| slow::pause_ms(channel) > 0 && newest(channel).is_some());
    // The one with the newest message first.
    channels.sort_by_key(|channel| std::cmp::Reverse(newest(channel)));
    for channel in channels {
        let newest = newest(channel).map_or(0, |id| snowflake::created_at(id.0).0);
        let horizon = snowflake::floor(Millis(newest.saturating_sub(slow::pause_ms(channel))));
        let mut below = None;
        while left > 0 {
            let above = horizon.checked_sub(1).map(Part::Num);
            let limit = PAGE.min(left);
            let rows = newest_below(channel.id, above, below, limit, store).await?;
            rows.iter().for_each(|row| rebuild.take(row));
            left -= rows.len();
            below = rows.last().map(|row| row.id);
            if rows.len() < limit {
                break;
            }
        }
    }
    Ok(rebuild.finish())
}

/// The newest messages of a channel, newest first.
async fn newest_below(
    channel: ChannelId,
    above: Option<Part>,
    below: Option<MessageId>,
    limit: usize,
    store: &dyn Store,
) -> Result<Vec<MessageRow>, StoreError> {
    let scan = Scan {
        table: Messages::ID,
        partition: channel.into(),
        above,
        below: below.map(Part::from),
        order: Order::Descending,
        limit,
    };
    let rows = store::scan::<Messages>(store, scan).await?;
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}
