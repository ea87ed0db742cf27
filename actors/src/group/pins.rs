//! Pinned messages.

use rookery_protocol::command::Answer;
use rookery_protocol::command::group::SetPinned;
use rookery_protocol::error::ErrorCode;

use super::{Live, Turn};

impl Live {
    pub(super) fn set_pinned(&mut self, _turn: &mut Turn<'_>, _request: SetPinned) -> Answer<()> {
        Err(ErrorCode::Internal.into())
    }
}
