//! Deleting several messages at once.

use rookery_protocol::command::Answer;
use rookery_protocol::command::group::BulkDelete;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::AttachmentId;

use super::{Live, Turn};

impl Live {
    pub(super) fn bulk_delete(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: BulkDelete,
    ) -> Answer<Vec<AttachmentId>> {
        Err(ErrorCode::Internal.into())
    }
}
