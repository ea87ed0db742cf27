//! Roles: making, changing, ordering and removing them, and who holds them.

use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{
    CreateRole, DeleteRole, MoveRoles, SetMemberRole, UpdateRole,
};
use rookery_protocol::document::RoleDocument;
use rookery_protocol::error::ErrorCode;

use super::{Live, Turn};

impl Live {
    pub(super) fn create_role(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: CreateRole,
    ) -> Answer<RoleDocument> {
        Err(ErrorCode::Internal.into())
    }

    pub(super) fn update_role(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: UpdateRole,
    ) -> Answer<RoleDocument> {
        Err(ErrorCode::Internal.into())
    }

    pub(super) fn move_roles(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: MoveRoles,
    ) -> Answer<Vec<RoleDocument>> {
        Err(ErrorCode::Internal.into())
    }

    pub(super) fn delete_role(&mut self, _turn: &mut Turn<'_>, _request: DeleteRole) -> Answer<()> {
        Err(ErrorCode::Internal.into())
    }

    pub(super) fn set_member_role(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: SetMemberRole,
    ) -> Answer<()> {
        Err(ErrorCode::Internal.into())
    }
}
