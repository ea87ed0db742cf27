//! Bans, and leave for what is read from the store.

use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{Authorize, Ban, Unban};
use rookery_protocol::error::ErrorCode;

use super::{Live, Turn};

impl Live {
    pub(super) fn ban(&mut self, _turn: &mut Turn<'_>, _request: Ban) -> Answer<()> {
        Err(ErrorCode::Internal.into())
    }

    pub(super) fn unban(&mut self, _turn: &mut Turn<'_>, _request: Unban) -> Answer<()> {
        Err(ErrorCode::Internal.into())
    }

    /// Leave for something that is read from the store: what was committed before the answer is there.
    pub(super) fn authorize(&mut self, turn: &mut Turn<'_>, request: Authorize) -> Answer<()> {
        match request.channel {
            Some(channel) => self
                .seat(turn.now, request.by, channel)?
                .require(request.permissions),
            None => self
                .require(turn.now, request.by, request.permissions)
                .map(|_| ()),
        }
    }
}
