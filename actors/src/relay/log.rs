//! The replay log: the lane's last events, each once, with who got them.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use rookery_protocol::entity::EntityRef;
use rookery_protocol::event::{Act, Dispatch, EventName, Frame, FrameSeq, SharedFrame};
use rookery_protocol::ids::UserId;
use rookery_protocol::intents::Intents;
use rookery_protocol::time::Millis;

use super::session::Session;

/// Bytes an entry counts for besides its body.
const OVERHEAD: usize = 128;

/// Where an entry comes from.
#[derive(Debug)]
pub(super) enum Source {
    /// A topic's event, when it came.
    Event(SharedFrame),
    /// The same, given again to a session that joined later.
    Again(SharedFrame),
    /// Made by the lane, when a channel appears or disappears.
    Made(Box<Dispatch>),
    /// Made for one session (READY, GUILD_CREATE, RESUMED, chunks of members).
    Own(Box<Dispatch>),
    /// What was one session's own and made room; those with these intents had a number for it.
    Lost(Intents),
}

/// One event and who got it.
#[derive(Debug)]
pub(super) struct Entry {
    /// When it came.
    pub(super) at: Millis,
    /// What it is.
    pub(super) source: Source,
    /// The body without what people wrote; made when the first session needs it.
    pub(super) redacted: Option<Bytes>,
    /// Slots it is for, rising, before intents are looked at.
    pub(super) recipients: Arc<[u32]>,
}

/// What a frame sends to clients.
pub(super) fn dispatch_of(frame: &Frame) -> Option<&Dispatch> {
    match &frame.event.act {
        Act::Dispatch(dispatch) | Act::Farewell(dispatch) => Some(dispatch),
        Act::Enter(_) | Act::Close { .. } | Act::Announce => None,
    }
}

impl Entry {
    /// What it sends to clients.
    pub(super) fn dispatch(&self) -> Option<&Dispatch> {
        match &self.source {
            Source::Event(frame) | Source::Again(frame) => dispatch_of(frame),
            Source::Made(dispatch) | Source::Own(dispatch) => Some(dispatch),
            Source::Lost(_) => None,
        }
    }

    /// What `user` sees of it, who sees what others wrote or not.
    pub(super) fn seen_by(&self, user: UserId, sees_all: bool) -> Option<(EventName, &Bytes)> {
        let dispatch = self.dispatch()?;
        let users = dispatch.content_for.as_ref();
        let is_hidden = !sees_all && users.is_some_and(|users| !users.contains(&user));
        let body = match &self.redacted {
            Some(redacted) if is_hidden => redacted,
            _ => &dispatch.body,
        };
        Some((dispatch.name, body))
    }

    /// Whether it had a number for the session in `slot`, and cannot be told any more.
    fn is_lost_to<W>(&self, slot: u32, session: &Session<W>) -> bool {
        matches!(self.source, Source::Lost(intents) if session.identity.intents.admit(intents))
            && self.recipients.contains(&slot)
    }

    /// Whether the session in `slot` was given a number for it.
    fn is_for<W>(&self, slot: u32, session: &Session<W>) -> bool {
        self.dispatch()
            .is_some_and(|dispatch| session.identity.admits(dispatch))
            && self.recipients.binary_search(&slot).is_ok()
    }

    fn bytes(&self) -> usize {
        let body = self.dispatch().map_or(0, |dispatch| dispatch.body.len());
        OVERHEAD + body + self.redacted.as_ref().map_or(0, Bytes::len)
    }
}

/// The lane's log. Positions rise for ever.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: VecDeque<Entry>,
    base: u64,
    bytes: usize,
    /// Positions of what is one session's own, and its bytes.
    own: VecDeque<u64>,
    own_bytes: usize,
}

impl Log {
    /// The position of the oldest entry.
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// The position the next entry gets.
    pub(super) fn next(&self) -> u64 {
        self.base + self.entries.len() as u64
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What the entries hold.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The entry at a position, unless it was trimmed.
    pub(super) fn get(&self, position: u64) -> Option<&Entry> {
        let index = usize::try_from(position.checked_sub(self.base)?).ok()?;
        self.entries.get(index)
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.bytes += entry.bytes();
        if matches!(entry.source, Source::Own(_)) {
            self.own.push_back(self.next());
            self.own_bytes += entry.bytes();
        }
        self.entries.push_back(entry);
    }

    /// Drops the oldest of what is one session's own while there is more than `limit` bytes of it: what a session asks
    /// for must not push out what others are to be replayed. Answers the positions.
    pub(super) fn trim_own(&mut self, limit: usize) -> Vec<u64> {
        let mut lost = Vec::new();
        while self.own_bytes > limit
            && let Some(position) = self.own.pop_front()
        {
            let index = position.checked_sub(self.base);
            let index = index.and_then(|index| usize::try_from(index).ok());
            let Some(entry) = index.and_then(|index| self.entries.get_mut(index)) else {
                continue;
            };
            let before = entry.bytes();
            let intents = entry.dispatch().map_or(Intents::NONE, |d| d.intents);
            entry.source = Source::Lost(intents);
            entry.redacted = None;
            self.own_bytes -= before;
            self.bytes -= before - entry.bytes();
            lost.push(position);
        }
        lost
    }

    /// Drops what is older than `oldest`, and the oldest while more than `limit` bytes are held.
    pub(super) fn trim(&mut self, oldest: Millis, limit: usize) {
        while let Some(entry) = self.entries.front() {
            if entry.at >= oldest && self.bytes <= limit {
                break;
            }
            self.bytes -= entry.bytes();
            if matches!(entry.source, Source::Own(_)) {
                self.own_bytes -= entry.bytes();
                self.own.pop_front();
            }
            self.base += 1;
            self.entries.pop_front();
        }
        // What a burst needed is given back once it is gone.
        if self.entries.capacity() > 4_096 && self.entries.len() < self.entries.capacity() / 8 {
            self.entries.shrink_to(self.entries.len() * 2);
        }
    }

    /// The positions of the last `missing` entries of a session, oldest first; `None` when they are not all held.
    pub(super) fn missed<W>(
        &self,
        slot: u32,
        session: &Session<W>,
        missing: u64,
    ) -> Option<VecDeque<u64>> {
        let mut found = VecDeque::new();
        let mut position = self.next();
        while (found.len() as u64) < missing {
            position = position.checked_sub(1)?;
            // Below lie the entries of the slot's earlier session.
            if position < session.opened || position < self.base {
                return None;
            }
            if self
                .get(position)
                .is_some_and(|entry| entry.is_lost_to(slot, session))
            {
                return None;
            }
            if self
                .get(position)
                .is_some_and(|entry| entry.is_for(slot, session))
            {
                found.push_front(position);
            }
        }
        Some(found)
    }

    /// If the entry is a RESUMED, it is nobody's from now on.
    pub(super) fn take_out_resumed(&mut self, position: u64) -> bool {
        let index = position
            .checked_sub(self.base)
            .and_then(|i| usize::try_from(i).ok());
        let Some(entry) = index.and_then(|index| self.entries.get_mut(index)) else {
            return false;
        };
        let is_resumed = entry
            .dispatch()
            .is_some_and(|d| d.name == EventName::Resumed);
        if is_resumed {
            entry.recipients = Arc::from([]);
        }
        is_resumed
    }

    /// The topic's events above `since` up to `last`, in order; `None` when they are not all held.
    pub(super) fn events(
        &self,
        topic: EntityRef,
        since: u64,
        last: u64,
    ) -> Option<Vec<SharedFrame>> {
        let mut found = Vec::new();
        let mut wanted = last;
        for entry in self.entries.iter().rev() {
            if wanted == since {
                break;
            }
            if let Source::Event(frame) = &entry.source
                && frame.topic == topic
                && frame.seq == FrameSeq::Logged(wanted)
            {
                found.push(frame.clone());
                wanted -= 1;
            }
        }
        found.reverse();
        (wanted == since).then_some(found)
    }
}
