//! Finding members: by id and by name.

use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{GetMembers, SearchMembers};
use rookery_protocol::document::MemberRow;
use rookery_protocol::error::ErrorCode;

use super::{Live, Turn};

impl Live {
    pub(super) fn get_members(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: GetMembers,
    ) -> Answer<Vec<MemberRow>> {
        Err(ErrorCode::Internal.into())
    }

    pub(super) fn search_members(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: SearchMembers,
    ) -> Answer<Vec<MemberRow>> {
        Err(ErrorCode::Internal.into())
    }
}
