//! Logins: families of refresh tokens of which only the newest is valid. What is closed takes its sockets along.

use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::command::Answer;
use rookery_protocol::command::user::{
    Account, CloseLogin, NewLogin, OpenLogin, RotateLogin, Rotated,
};
use rookery_protocol::document::Login;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::Act;
use rookery_protocol::ids::LoginId;
use rookery_protocol::limits;
use rookery_protocol::time::Millis;

use super::{Live, Turn};

/// A login as it is opened.
pub(super) fn open(login: NewLogin, now: Millis) -> Login {
    Login {
        id: login.id,
        generation: 0,
        secret_hash: login.secret_hash,
        device: login.device,
        address: login.address,
        created_at: now,
        used_at: now,
    }
}

fn is_expired(login: &Login, now: Millis) -> bool {
    now.since(login.used_at) >= limits::REFRESH_TOKEN_SECONDS * 1_000
}

/// Whether two digests are the same, in a time that does not tell where they differ. (They are digests of random
/// secrets: knowing how far one matches would not help to find the secret either.)
fn is_same(a: &str, b: &str) -> bool {
    let differs = |differs, (a, b): (u8, u8)| differs | (a ^ b);
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, differs) == 0
}

impl Live {
    pub(super) fn open_login(
        &mut self,
        turn: &mut Turn<'_>,
        request: OpenLogin,
    ) -> Answer<Account> {
        let OpenLogin {
            password_hash,
            login,
        } = request;
        if self.document.password_hash.as_ref() != Some(&password_hash) {
            return Err(ErrorCode::Unauthorized.into());
        }
        if self.document.suspended {
            return Err(ErrorCode::Suspended.into());
        }
        if self.login(login.id).is_some() {
            return Err(ErrorCode::Internal.into());
        }
        self.make_room(turn);
        self.document.logins.push(open(login, turn.now));
        self.changed(turn);
        Ok(self.account())
    }

    /// Closes expired logins, and if there are still too many the one used longest ago.
    fn make_room(&mut self, turn: &mut Turn<'_>) {
        let logins = self.document.logins.iter();
        let expired = logins.filter(|login| is_expired(login, turn.now));
        for id in expired.map(|login| login.id).collect::<Vec<_>>() {
            self.close(turn, id);
        }
        if self.document.logins.len() >= limits::LOGINS_PER_USER {
            let oldest = self
                .document
                .logins
                .iter()
                .min_by_key(|login| login.used_at);
            if let Some(id) = oldest.map(|login| login.id) {
                self.close(turn, id);
            }
        }
    }

    fn login(&self, id: LoginId) -> Option<&Login> {
        self.document.logins.iter().find(|login| login.id == id)
    }

    /// Takes a login out and closes its sockets; the caller writes.
    pub(super) fn close(&mut self, turn: &mut Turn<'_>, id: LoginId) {
        self.document.logins.retain(|login| login.id != id);
        turn.act(Act::Close {
            login: Some(id),
            code: CloseCode::AuthenticationFailed,
        });
    }

    pub(super) fn rotate_login(
        &mut self,
        turn: &mut Turn<'_>,
        request: RotateLogin,
    ) -> Answer<Rotated> {
        let mut logins = self.document.logins.iter_mut();
        let Some(login) = logins.find(|login| login.id == request.login) else {
            return Ok(Rotated::Revoked);
        };
        let valid = login.generation == request.generation
            && is_same(&login.secret_hash, &request.secret_hash)
            && !is_expired(login, turn.now);
        let answer = if valid {
            login.generation += 1;
            login.secret_hash = request.next_secret_hash;
            login.used_at = turn.now;
            Rotated::Next(login.generation)
        } else {
            self.close(turn, request.login);
            Rotated::Revoked
        };
        self.changed(turn);
        Ok(answer)
    }

    pub(super) fn close_login(&mut self, turn: &mut Turn<'_>, request: CloseLogin) -> Answer<()> {
        if self.login(request.login).is_none() {
            return Err(ErrorCode::UnknownSession.into());
        }
        self.close(turn, request.login);
        self.changed(turn);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn digests_are_the_same_only_in_full() {
        assert!(is_same("", ""));
        assert!(is_same("ab12", "ab12"));
        for other in ["", "ab1", "ab122", "ab13", "xb12"] {
            assert!(!is_same("ab12", other), "{other}");
        }
    }
}
