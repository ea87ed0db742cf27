//! Deleting what an ended group left, a piece at a time.

use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{Reap, Reaped};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::GroupId;

use super::Turn;

/// Deletes a piece and says what is left.
pub(super) fn reap(_turn: &mut Turn<'_>, _id: GroupId, _request: Reap) -> Answer<Reaped> {
    Err(ErrorCode::Internal.into())
}
