//! What ends sessions: their users, time, the end of the node, and that they cannot go on exactly.

use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::command::user::Proof;
use rookery_protocol::ids::LoginId;
use rookery_protocol::time::Millis;

use super::lane::Lane;
use super::wire::{Control, Effect};

impl<W> Lane<W> {
    /// Ends a session that cannot go on exactly: the client starts a new one.
    pub(super) fn invalidate(&mut self, slot: u32, out: &mut Vec<Effect<W>>) {
        let word = Control::InvalidSession { resumable: false };
        self.end(slot, vec![word], Some(CloseCode::SessionTimedOut), out);
    }

    /// Ends a session for good.
    pub(super) fn end(
        &mut self,
        slot: u32,
        last_words: Vec<Control>,
        code: Option<CloseCode>,
        out: &mut Vec<Effect<W>>,
    ) {
        let reference = self.session_ref(slot);
        let Some(place) = self.slots.get_mut(slot as usize) else {
            return;
        };
        let Some(mut session) = place.session.take() else {
            return;
        };
        place.generation = place.generation.wrapping_add(1);
        if self.teller.is_on && session.told.is_some() {
            self.teller.ended.push(reference);
        }
        self.free.push(slot);
        for topic in std::mem::take(&mut session.topics) {
            self.forget(slot, topic, out);
        }
        for topic in std::mem::take(&mut session.asked) {
            self.answered(topic, out);
        }
        let user = session.identity.user;
        if let Some(slots) = self.users.get_mut(&user) {
            slots.retain(|&other| other != slot);
            if slots.is_empty() {
                self.users.remove(&user);
            }
        }
        session.detach(reference, self.now, last_words, code, out);
        out.push(Effect::Ended {
            session: reference,
            user,
            code,
        });
    }

    /// Ends the sessions of one login among `slots`, or all of them.
    pub(super) fn close(
        &mut self,
        slots: &[u32],
        login: Option<LoginId>,
        code: CloseCode,
        out: &mut Vec<Effect<W>>,
    ) {
        for &slot in slots {
            let meant = self.at(slot).is_some_and(|session| match login {
                None => true,
                Some(login) => session.identity.proof == Proof::Login(login),
            });
            if meant {
                self.end(slot, Vec::new(), Some(code), out);
            }
        }
    }

    pub(super) fn tick(&mut self, out: &mut Vec<Effect<W>>) {
        let oldest = Millis(self.now.0.saturating_sub(self.config.resume_ms));
        // Before anything else is dropped for want of room: it is to push out only itself.
        for position in self.log.trim_own(self.config.log_bytes / 2) {
            let slots = self.log.get(position).map(|entry| entry.recipients.clone());
            for &slot in slots.iter().flat_map(|slots| slots.iter()) {
                // It has not even been written: what follows could not be numbered on.
                if self
                    .at(slot)
                    .is_some_and(|session| session.pending.contains(&position))
                {
                    self.invalidate(slot, out);
                }
            }
        }
        self.log.trim(oldest, self.config.log_bytes);
        let base = self.log.base();
        for slot in 0..u32::try_from(self.slots.len()).unwrap_or(u32::MAX) {
            let Some(session) = self.at(slot) else {
                continue;
            };
            if session.wire.is_none() && session.detached_at < oldest {
                self.end(slot, Vec::new(), None, out);
            } else if session.pending.front().is_some_and(|&first| first < base) {
                self.invalidate(slot, out);
            }
        }
    }

    pub(super) fn shutdown(&mut self, out: &mut Vec<Effect<W>>) {
        for slot in 0..u32::try_from(self.slots.len()).unwrap_or(u32::MAX) {
            self.end(
                slot,
                vec![Control::Reconnect],
                Some(CloseCode::UnknownError),
                out,
            );
        }
    }
}
