//! What must hold of sessions: one node has one at a time, and a copy goes on only when nobody can have the session itself.

use std::collections::BTreeMap;

use rookery_protocol::session::SessionKey;

use super::tubes::End;

/// Who has which session.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    holders: BTreeMap<SessionKey, Vec<End>>,
    copies: BTreeMap<SessionKey, u64>,
    /// Who has got one just now; whether others have it is looked at by who sees all processes.
    pub(crate) fresh: Vec<(SessionKey, End)>,
    /// Sessions that were handed over, and that went on from a copy.
    pub(crate) handed: u64,
    pub(crate) copied: u64,
}

impl Sessions {
    /// A session is taken over from another node, or goes on from a copy.
    pub(crate) fn moved(&mut self, key: &SessionKey, by: End, is_copy: bool) {
        if is_copy {
            *self.copies.entry(key.clone()).or_default() += 1;
            self.copied += 1;
        } else {
            self.handed += 1;
        }
        self.fresh.push((key.clone(), by));
    }

    /// How often a session has gone on from a copy.
    pub(crate) fn copies(&self, key: &SessionKey) -> u64 {
        self.copies.get(key).copied().unwrap_or(0)
    }

    /// A process has a session.
    pub(crate) fn holds(&mut self, key: SessionKey, by: End) {
        let holders = self.holders.entry(key.clone()).or_default();
        if !holders.contains(&by) {
            holders.push(by);
        }
        self.fresh.push((key, by));
    }

    /// It has ended there.
    pub(crate) fn ended(&mut self, key: &SessionKey, by: End) {
        if let Some(holders) = self.holders.get_mut(key) {
            holders.retain(|end| *end != by);
        }
    }

    /// All that a process had are gone with it.
    pub(crate) fn stopped(&mut self, by: End) {
        for holders in self.holders.values_mut() {
            holders.retain(|end| *end != by);
        }
    }

    /// The other processes that have a session.
    pub(crate) fn others(&self, key: &SessionKey, but: End) -> impl Iterator<Item = End> {
        let holders = self.holders.get(key).into_iter().flatten();
        holders.copied().filter(move |end| *end != but)
    }
}
