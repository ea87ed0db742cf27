//! Changes of an account that touch more than its profile: username, password, its end; and who it has to do with.

use rookery_protocol::command::Answer;
use rookery_protocol::command::user::{Account, ChangePassword, ChangeUsername, DeleteAccount};
use rookery_protocol::document::Relation;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::UserId;

use super::{Live, Turn};

impl Live {
    pub(super) fn change_username(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: ChangeUsername,
    ) -> Answer<Account> {
        Err(ErrorCode::Internal.into())
    }

    pub(super) fn change_password(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: ChangePassword,
    ) -> Answer<Account> {
        Err(ErrorCode::Internal.into())
    }

    pub(super) fn delete_account(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: DeleteAccount,
    ) -> Answer<()> {
        Err(ErrorCode::Internal.into())
    }

    /// How the user stands to another from now on.
    pub(super) fn related(&mut self, _turn: &mut Turn<'_>, _user: UserId, _relation: Relation) {}
}
