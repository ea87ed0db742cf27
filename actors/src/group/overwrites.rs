//! Overwrites of channels, and the order of channels.

use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{DeleteOverwrite, MoveChannels, PutOverwrite};
use rookery_protocol::error::ErrorCode;

use super::{Live, Turn};

impl Live {
    pub(super) fn put_overwrite(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: PutOverwrite,
    ) -> Answer<()> {
        Err(ErrorCode::Internal.into())
    }

    pub(super) fn delete_overwrite(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: DeleteOverwrite,
    ) -> Answer<()> {
        Err(ErrorCode::Internal.into())
    }

    pub(super) fn move_channels(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: MoveChannels,
    ) -> Answer<()> {
        Err(ErrorCode::Internal.into())
    }
}
