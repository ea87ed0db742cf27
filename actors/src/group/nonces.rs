//! The clients' marks of what was sent in the last minutes, so that a repeated request finds its message.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use rookery_protocol::document::{MessageRow, Nonce};
use rookery_protocol::ids::{ChannelId, MessageId, UserId};
use rookery_protocol::limits;
use rookery_protocol::snowflake;
use rookery_protocol::time::Millis;

/// The newest [`limits::NONCES_PER_GROUP`] nonces, each for [`limits::NONCE_MS`]. Only their digests are kept: who
/// finds a message looks at its row anyway, and sees there whether the nonce is really the same.
#[derive(Debug, Default)]
pub(super) struct Nonces {
    messages: HashMap<Digest, MessageId>,
    /// Oldest first; holds entries that were replaced or forgotten since.
    order: VecDeque<(MessageId, Digest)>,
}

/// The digest of a nonce, which is its author's in one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Digest(u64);

impl Digest {
    fn new(author: UserId, channel: ChannelId, nonce: &Nonce) -> Self {
        let mut hasher = DefaultHasher::new();
        (author, channel, nonce).hash(&mut hasher);
        Self(hasher.finish())
    }

    fn of(row: &MessageRow) -> Option<Self> {
        let nonce = row.nonce.as_ref()?;
        Some(Self::new(row.author, row.channel, nonce))
    }
}

impl Nonces {
    /// The message that was last sent with this nonce (or one of the same digest), if that was not too long ago.
    pub(super) fn find(
        &self,
        now: Millis,
        author: UserId,
        channel: ChannelId,
        nonce: &Nonce,
    ) -> Option<MessageId> {
        let digest = Digest::new(author, channel, nonce);
        let id = *self.messages.get(&digest)?;
        is_fresh(id, now).then_some(id)
    }

    /// Remembers a message that was sent at `now`; messages come by rising id.
    pub(super) fn remember(&mut self, now: Millis, row: &MessageRow) {
        if let Some(digest) = Digest::of(row) {
            self.insert(row.id, digest);
        }
        while let Some((oldest, _)) = self.order.front()
            && !is_fresh(*oldest, now)
        {
            self.drop_oldest();
        }
    }

    /// A message is gone: so is its nonce, as after a reload.
    pub(super) fn forget(&mut self, row: &MessageRow) {
        if let Some(digest) = Digest::of(row) {
            self.remove(row.id, digest);
        }
    }

    fn insert(&mut self, id: MessageId, digest: Digest) {
        self.messages.insert(digest, id);
        self.order.push_back((id, digest));
        if self.order.len() > limits::NONCES_PER_GROUP {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((id, digest)) = self.order.pop_front() {
            self.remove(id, digest);
        }
    }

    /// Removes a nonce unless a later message has taken it over.
    fn remove(&mut self, id: MessageId, digest: Digest) {
        if self.messages.get(&digest) == Some(&id) {
            self.messages.remove(&digest);
        }
    }

    /// Every nonce that still finds something at `now`, for tests.
    #[cfg(test)]
    pub(super) fn fresh(&self, now: Millis) -> impl Iterator<Item = MessageId> {
        let ids = self.messages.values().copied();
        ids.filter(move |&id| is_fresh(id, now))
    }
}

fn is_fresh(id: MessageId, now: Millis) -> bool {
    now.since(snowflake::created_at(id.0)) < limits::NONCE_MS
}

/// Collects the nonces of rows in any order: the newest ones stay.
#[derive(Debug, Default)]
pub(super) struct Rebuild(BTreeMap<MessageId, Digest>);

impl Rebuild {
    /// Takes a row's nonce in; `false` when it and everything older is too old to matter.
    pub(super) fn take(&mut self, row: &MessageRow) -> bool {
        let full = self.0.len() >= limits::NONCES_PER_GROUP;
        if full
            && self
                .0
                .first_key_value()
                .is_some_and(|(&oldest, _)| row.id < oldest)
        {
            return false;
        }
        if let Some(digest) = Digest::of(row) {
            self.0.insert(row.id, digest);
            if self.0.len() > limits::NONCES_PER_GROUP {
                self.0.pop_first();
            }
        }
        true
    }

    /// The table.
    pub(super) fn finish(self) -> Nonces {
        let mut nonces = Nonces::default();
        for (id, digest) in self.0 {
            nonces.insert(id, digest);
        }
        nonces
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_protocol::document::MessageKind;

    fn row(id: u64, nonce: i64) -> MessageRow {
        MessageRow {
            id: MessageId(id << 22),
            channel: ChannelId(1),
            author: UserId(2),
            kind: MessageKind::Default,
            content: String::new(),
            tts: false,
            edited_at: None,
            nonce: Some(Nonce::Number(nonce)),
            mentions: Vec::new(),
            reply_to: None,
            flags: 0,
            mention_everyone: false,
            mention_roles: Vec::new(),
            embeds: Vec::new(),
            attachments: Vec::new(),
            reactions: Vec::new(),
            pinned: false,
        }
    }

    fn at(ms: u64) -> Millis {
        Millis(snowflake::EPOCH_MS + ms)
    }

    fn find(nonces: &Nonces, ms: u64, nonce: i64) -> Option<u64> {
        let found = nonces.find(at(ms), UserId(2), ChannelId(1), &Nonce::Number(nonce));
        found.map(|id| id.0 >> 22)
    }

    #[test]
    fn a_nonce_expires_and_its_place_is_freed() {
        let mut nonces = Nonces::default();
        nonces.remember(at(5), &row(5, 1));
        assert_eq!(find(&nonces, 5, 1), Some(5));
        assert_eq!(find(&nonces, 4 + limits::NONCE_MS, 1), Some(5));
        assert_eq!(find(&nonces, 5 + limits::NONCE_MS, 1), None);
        nonces.remember(at(5 + limits::NONCE_MS), &row(5 + limits::NONCE_MS, 2));
        assert_eq!((nonces.messages.len(), nonces.order.len()), (1, 1));
    }

    #[test]
    fn the_table_is_bounded_and_a_rebuilt_one_holds_the_same() {
        let (mut nonces, mut rebuild) = (Nonces::default(), Rebuild::default());
        let rows: Vec<_> = (0..limits::NONCES_PER_GROUP as u64 + 10)
            .map(|n| row(n + 1, (n / 2).cast_signed()))
            .collect();
        for row in &rows {
            nonces.remember(at(0), row);
        }
        for row in rows.iter().rev() {
            rebuild.take(row);
        }
        assert_eq!(nonces.order.len(), limits::NONCES_PER_GROUP);
        let rebuilt = rebuild.finish();
        assert_eq!(nonces.messages, rebuilt.messages);
        assert_eq!(nonces.order, rebuilt.order);
        assert_eq!(find(&nonces, 0, 0), None);
        assert_eq!(find(&nonces, 0, 5), Some(12));
    }

    #[test]
    fn a_deleted_message_takes_only_its_own_nonce_along() {
        let mut nonces = Nonces::default();
        nonces.remember(at(1), &row(1, 7));
        nonces.remember(at(2), &row(2, 7));
        nonces.forget(&row(1, 7));
        assert_eq!(find(&nonces, 2, 7), Some(2));
        nonces.forget(&row(2, 7));
        assert_eq!(find(&nonces, 2, 7), None);
    }
}
