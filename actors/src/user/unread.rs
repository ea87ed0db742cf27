//! What a user has not read: how far he is in each channel, and the messages that mention him.

use rookery_protocol::command::Answer;
use rookery_protocol::command::user::{Acknowledge, ListMentions};
use rookery_protocol::document::MentionRow;
use rookery_protocol::error::ErrorCode;

use super::{Live, Turn};

impl Live {
    pub(super) fn acknowledge(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: Acknowledge,
    ) -> Answer<()> {
        Err(ErrorCode::Internal.into())
    }

    pub(super) fn list_mentions(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: ListMentions,
    ) -> Answer<Vec<MentionRow>> {
        Err(ErrorCode::Internal.into())
    }

    /// A message mentions the user.
    pub(super) fn mentioned(&mut self, _turn: &mut Turn<'_>, _row: MentionRow) {}
}
