//! The directory of an account's gateway sessions. It is not durable: a session lives where its socket is, and attaches
//! again whenever the account comes to life. So an account may sleep while somebody listens to it.

use std::collections::VecDeque;

use rookery_protocol::command::Answer;
use rookery_protocol::command::user::{Attach, Attached, Detach};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::limits;

use super::{Live, Turn};

/// At most [`limits::SESSIONS_PER_USER`] sessions; the oldest is forgotten to make room.
#[derive(Debug, Default)]
pub(super) struct Sessions(VecDeque<String>);

impl Sessions {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn attach(&mut self, session: String) {
        self.detach(&session);
        if self.0.len() >= limits::SESSIONS_PER_USER {
            self.0.pop_front();
        }
        self.0.push_back(session);
    }

    fn detach(&mut self, session: &str) {
        self.0.retain(|other| other != session);
    }
}

impl Live {
    pub(super) fn attach(&mut self, turn: &mut Turn<'_>, request: Attach) -> Answer<Attached> {
        let account = self.account();
        if !account.admits(request.proof) {
            return Err(ErrorCode::Unauthorized.into());
        }
        self.sessions.attach(request.session);
        Ok(Attached {
            account,
            gseq: turn.gseq,
        })
    }

    pub(super) fn detach(&mut self, _turn: &mut Turn<'_>, request: Detach) -> Answer<()> {
        self.sessions.detach(&request.session);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_session_makes_room() {
        let mut sessions = Sessions::default();
        for n in 0..=limits::SESSIONS_PER_USER {
            sessions.attach(n.to_string());
        }
        assert_eq!(sessions.0.len(), limits::SESSIONS_PER_USER);
        assert_eq!(sessions.0.front().map(String::as_str), Some("1"));
        sessions.attach("1".to_owned());
        assert_eq!(sessions.0.back().map(String::as_str), Some("1"));
        assert_eq!(sessions.0.len(), limits::SESSIONS_PER_USER);
    }

    #[test]
    fn a_session_is_listed_once_until_it_is_detached() {
        let mut sessions = Sessions::default();
        for session in ["a", "b", "a"] {
            sessions.attach(session.to_owned());
        }
        assert_eq!(sessions.0, ["b", "a"]);
        for session in ["a", "unknown"] {
            sessions.detach(session);
        }
        assert_eq!(sessions.0, ["b"]);
    }
}
