//! Deleting what an ended group, or a removed channel, left. The commit that ends it writes one row ([`EndedGroups`])
//! that says so, whatever the number of its members and messages; the node's janitor then finds what there is and asks
//! for it to be deleted piece by piece, here, so that an entity's rows have one writer.
//!
//! A piece may come twice, or after a crash: deleting what is not there does nothing, and what did not end is not
//! touched. Reactions are kept by message, whose channel only the janitor has read; ids of messages are a node's, so a
//! message found in an ended channel is in no other.

use std::collections::BTreeMap;

use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{Reap, ReapPiece};
use rookery_protocol::document::{
    AuditLog, Channels, Directs, EndedGroup, EndedGroups, Groups, InviteCodes, Key, Memberships,
    Part, Purges, TableId,
};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::{ChannelId, GroupId};
use rookery_protocol::limits;
use rookery_protocol::snowflake;
use rookery_protocol::time::Millis;

use super::{Live, Turn};
use crate::entity::Effect;
use crate::store::{self, Store, StoreError, Write};

/// Rows read at once.
const PAGE: usize = 1_000;

/// The place of a group's own row among those of its channels.
const WHOLE: u64 = 0;

/// What of a group ended and is not reaped yet, by the place of its row.
pub(super) type Ended = BTreeMap<u64, EndedGroup>;

/// What ended of a group.
pub(super) async fn load(id: GroupId, store: &dyn Store) -> Result<Ended, StoreError> {
    let rows = store::scan_all::<EndedGroups>(store, id, PAGE).await?;
    let place = |key: Key| match key.sort {
        Part::Num(place) => Some(place),
        Part::Text(_) => None,
    };
    let rows = rows.into_iter();
    Ok(rows
        .filter_map(|(key, row)| Some((place(key)?, row)))
        .collect())
}

impl Live {
    /// Ends the group in a small unit: the snapshot goes, and a row says that the rest is to be deleted. The caller says
    /// farewell to its sessions.
    pub(super) fn end(&mut self, turn: &mut Turn<'_>) {
        let id = self.document.id;
        let channels = self.document.channels.iter().map(|channel| channel.id);
        let channels = channels.collect();
        turn.delete::<Groups>(Key::single(id));
        // Its messages go all of them.
        let purges = store::delete_up_to::<Purges>(id, i64::MAX.cast_unsigned());
        turn.out.push(Effect::Write(purges));
        self.leave_to_janitor(turn, WHOLE, channels);
        self.deleted = true;
    }

    /// Leaves what a removed channel holds to be deleted.
    pub(super) fn end_channel(&mut self, turn: &mut Turn<'_>, channel: ChannelId) {
        self.leave_to_janitor(turn, channel.0, vec![channel]);
    }

    fn leave_to_janitor(&mut self, turn: &mut Turn<'_>, place: u64, channels: Vec<ChannelId>) {
        let row = EndedGroup {
            channels,
            at: turn.now,
        };
        turn.put::<EndedGroups>(Key::new(self.document.id, place), &row);
        self.ended.insert(place, row);
    }

    /// Deletes old entries of the audit log, and invites that cannot be taken any more.
    fn expire(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now;
        let oldest = Millis(now.0.saturating_sub(limits::AUDIT_MS));
        let last = Part::Num(snowflake::floor(oldest));
        let entries = store::delete_up_to::<AuditLog>(self.document.id, last);
        turn.out.push(Effect::Write(entries));
        self.remove_invites(turn, |invite| !invite.is_open(now));
    }
}

/// Deletes a piece.
pub(super) fn reap(
    turn: &mut Turn<'_>,
    id: GroupId,
    live: Option<&mut Live>,
    ended: &mut Ended,
    request: Reap,
) -> Answer<()> {
    let (table, keys) = match (request.piece, live) {
        (ReapPiece::Expired, live) => {
            live.ok_or(ErrorCode::UnknownGuild)?.expire(turn);
            return Ok(());
        }
        // Its row says that it ended; nothing of a living group may go.
        (_, Some(_)) if request.channel.is_none() => return Err(ErrorCode::Internal.into()),
        (ReapPiece::Rows { table, keys }, _) => (Some(table), keys),
        (ReapPiece::Rest, _) => (None, Vec::new()),
    };
    let place = request.channel.map_or(WHOLE, |channel| channel.0);
    let what = ended.get(&place).ok_or(ErrorCode::UnknownGuild)?;
    let Some(table) = table else {
        for &channel in &what.channels {
            turn.delete::<Channels>(Key::single(channel));
        }
        turn.delete::<EndedGroups>(Key::new(id, place));
        ended.remove(&place);
        return Ok(());
    };
    for key in keys {
        if !is_of(id, place == WHOLE, what, table, &key) {
            tracing::warn!(%id, %table, "asked to reap a row that is not of what ended");
            continue;
        }
        match (table, &key.sort) {
            (TableId::Members, &Part::Num(user)) => {
                turn.delete::<Memberships>(Key::new(user, id));
                turn.delete::<Directs>(Key::new(user, id));
            }
            (TableId::Invites, Part::Text(code)) => {
                turn.delete::<InviteCodes>(Key::single(code.as_str()));
            }
            _ => {}
        }
        turn.out.push(Effect::Write(Write::Delete { table, key }));
    }
    Ok(())
}

/// Whether a row is one of those that what ended left.
fn is_of(id: GroupId, is_whole: bool, what: &EndedGroup, table: TableId, key: &Key) -> bool {
    match table {
        TableId::Messages | TableId::Pins | TableId::Attachments => {
            matches!(key.partition, Part::Num(channel) if what.channels.contains(&ChannelId(channel)))
        }
        TableId::Reactions => true,
        TableId::Members | TableId::Invites | TableId::Bans | TableId::AuditLog => {
            is_whole && key.partition == Part::from(id)
        }
        _ => false,
    }
}
