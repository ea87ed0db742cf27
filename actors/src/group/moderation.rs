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

    pub(super) fn authorize(&mut self, _turn: &mut Turn<'_>, _request: Authorize) -> Answer<()> {
        Err(ErrorCode::Internal.into())
    }
}
