//! Reactions to messages.

use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{AddReaction, ClearReactions, RemoveReaction};
use rookery_protocol::error::ErrorCode;

use super::{Live, Turn};

impl Live {
    pub(super) fn add_reaction(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: AddReaction,
    ) -> Answer<()> {
        Err(ErrorCode::Internal.into())
    }

    pub(super) fn remove_reaction(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: RemoveReaction,
    ) -> Answer<()> {
        Err(ErrorCode::Internal.into())
    }

    pub(super) fn clear_reactions(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: ClearReactions,
    ) -> Answer<()> {
        Err(ErrorCode::Internal.into())
    }
}
