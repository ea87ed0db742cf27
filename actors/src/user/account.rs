//! Changes of an account that touch more than its profile: username, password, its end; and whom it has to do with.

use std::collections::BTreeSet;

use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::client::user::self_user;
use rookery_protocol::command::user::{
    Account, ChangeEmail, ChangePassword, ChangeUsername, DeleteAccount, SetPassword, Suspend,
};
use rookery_protocol::command::{Answer, Notice};
use rookery_protocol::document::{
    Applications, Directs, Key, Mentions, ReadStates, Relation, TableId, UsernameRow, Usernames,
};
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::event::{Act, EventName};
use rookery_protocol::ids::{GroupId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::limits;
use rookery_protocol::profile::Profile;

use super::unread::Unread;
use super::{Live, Turn};
use crate::entity::Effect;
use crate::store::{self, Store, StoreError};

/// Rows read at once.
const PAGE: usize = 1_000;

/// Groups and direct channels that are told of a change.
const TOLD: usize = limits::GROUPS_PER_USER + limits::DIRECT_ROWS_PER_USER;

/// Whom a user blocks, as the rows of his pairs say.
pub(super) async fn blocked(
    user: UserId,
    store: &dyn Store,
) -> Result<BTreeSet<UserId>, StoreError> {
    let rows = store::scan_all::<Directs>(store, user, PAGE).await?;
    let blocks = rows.into_iter().map(|(_, row)| row);
    let blocks = blocks.filter(|row| row.relation == Relation::Blocked);
    Ok(blocks.flat_map(|row| row.recipients).collect())
}

/// Makes a username somebody's, if nobody has it.
pub(super) fn take_username(turn: &mut Turn<'_>, username: &str, user: UserId) {
    let name = Key::single(username);
    turn.out.push(Effect::RequireAbsent {
        table: TableId::Usernames,
        key: name.clone(),
        refusal: ApiError::field("username", "USERNAME_ALREADY_TAKEN", "Username is taken"),
    });
    turn.put::<Usernames>(name, &UsernameRow { user });
}

impl Live {
    /// Tells groups and direct channels something.
    pub(super) fn tell(&self, turn: &mut Turn<'_>, groups: Vec<GroupId>, notice: &Notice) {
        for group in groups.into_iter().take(TOLD) {
            turn.send(group, notice.clone());
        }
    }

    /// Writes a changed profile and shows it to the user's sessions and to those he has to do with.
    pub(super) fn profile_changed(&mut self, turn: &mut Turn<'_>, groups: Vec<GroupId>) -> Account {
        self.changed(turn);
        let account = self.account();
        turn.emit(EventName::UserUpdate, Intents::NONE, &self_user(&account));
        let notice = Notice::ProfileChanged(account.profile.clone());
        self.tell(turn, groups, &notice);
        account
    }

    pub(super) fn change_username(
        &mut self,
        turn: &mut Turn<'_>,
        request: ChangeUsername,
    ) -> Answer<Account> {
        let ChangeUsername { username, groups } = request;
        let profile = &mut self.document.profile;
        if profile.username == username {
            return Ok(self.account());
        }
        let user = profile.id;
        let old = std::mem::replace(&mut profile.username, username.clone());
        // The names of bots are nobody's alone.
        if self.document.application.is_none() {
            take_username(turn, &username, user);
            turn.delete::<Usernames>(Key::single(old.as_str()));
        }
        Ok(self.profile_changed(turn, groups))
    }

    pub(super) fn change_email(
        &mut self,
        turn: &mut Turn<'_>,
        request: ChangeEmail,
    ) -> Answer<Account> {
        if self.document.email != request.email {
            self.document.email = request.email;
            self.changed(turn);
            let body = self_user(&self.account());
            turn.emit(EventName::UserUpdate, Intents::NONE, &body);
        }
        Ok(self.account())
    }

    pub(super) fn change_password(
        &mut self,
        turn: &mut Turn<'_>,
        request: ChangePassword,
    ) -> Answer<Account> {
        self.require_password(Some(&request.password_hash))?;
        self.document.password_hash = Some(request.new_password_hash);
        let logins = self.document.logins.iter().map(|login| login.id);
        let others: Vec<_> = logins.filter(|&id| Some(id) != request.keep).collect();
        for login in others {
            self.close(turn, login);
        }
        self.changed(turn);
        Ok(self.account())
    }

    /// Locks or unlocks the account.
    pub(super) fn suspend(&mut self, turn: &mut Turn<'_>, request: Suspend) -> Answer<()> {
        if self.document.suspended == request.suspended {
            return Ok(());
        }
        self.document.suspended = request.suspended;
        if request.suspended {
            self.close_all(turn);
        }
        self.changed(turn);
        Ok(())
    }

    /// A new password, from an operator.
    pub(super) fn set_password(&mut self, turn: &mut Turn<'_>, request: SetPassword) -> Answer<()> {
        if self.document.application.is_some() {
            return Err(ErrorCode::BotsCannotUse.into());
        }
        self.document.password_hash = Some(request.password_hash);
        self.close_all(turn);
        self.changed(turn);
        Ok(())
    }

    /// Closes every login, and every socket of the account; the caller writes.
    fn close_all(&mut self, turn: &mut Turn<'_>) {
        self.document.logins.clear();
        turn.act(Act::Close {
            login: None,
            code: CloseCode::AuthenticationFailed,
        });
    }

    /// `Unauthorized` unless the password is the one whose hash was checked against at the edge.
    fn require_password(&self, checked: Option<&String>) -> Answer<()> {
        if self.document.password_hash.as_ref() == checked {
            Ok(())
        } else {
            Err(ErrorCode::Unauthorized.into())
        }
    }

    /// Leaves nothing of an account but its id and what shows others that it is gone.
    pub(super) fn delete_account(
        &mut self,
        turn: &mut Turn<'_>,
        request: DeleteAccount,
    ) -> Answer<()> {
        self.require_password(request.password_hash.as_ref())?;
        let user = self.document.profile.id;
        let gone = Profile::deleted(user);
        let profile = std::mem::replace(&mut self.document.profile, gone.clone());
        match self.document.application.take() {
            Some(application) => {
                turn.delete::<Applications>(Key::new(application.owner, user));
            }
            None => turn.delete::<Usernames>(Key::single(profile.username.as_str())),
        }
        self.document.email = None;
        self.document.password_hash = None;
        self.document.operator = false;
        self.document.logins.clear();
        self.document.deleted = true;
        self.blocked.clear();
        self.unread = Unread::default();
        let last = i64::MAX.cast_unsigned();
        for rows in [
            store::delete_up_to::<ReadStates>(user, last),
            store::delete_up_to::<Mentions>(user, last),
        ] {
            turn.out.push(Effect::Write(rows));
        }
        turn.act(Act::Close {
            login: None,
            code: CloseCode::AuthenticationFailed,
        });
        self.changed(turn);
        self.tell(turn, request.groups, &Notice::AccountDeleted(gone));
        Ok(())
    }

    /// Whether he blocks another.
    pub(super) fn blocks(&self, user: UserId) -> bool {
        self.blocked.contains(&user)
    }

    /// How the user stands to another from now on.
    pub(super) fn related(&mut self, user: UserId, relation: Relation) {
        if relation == Relation::Blocked {
            self.blocked.insert(user);
        } else {
            self.blocked.remove(&user);
        }
    }
}
