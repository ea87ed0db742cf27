//! Direct channels: of two people with how they stand to each other, and of a few.

use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{
    AddRecipient, CreateDirect, CreatePair, DirectView, GetDirect, RemoveRecipient, SetOpen,
    SetRelation, UpdateDirect,
};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::GroupId;
use rookery_protocol::profile::Profile;

use super::{Live, Turn};
use crate::entity::Kit;

/// The direct channel of two people.
pub(super) fn create_pair(
    _turn: &mut Turn<'_>,
    _id: GroupId,
    _kit: &Kit,
    _request: CreatePair,
) -> Answer<(Live, DirectView)> {
    Err(ErrorCode::Internal.into())
}

/// The direct channel of a few people.
pub(super) fn create_direct(
    _turn: &mut Turn<'_>,
    _id: GroupId,
    _kit: &Kit,
    _request: CreateDirect,
) -> Answer<(Live, DirectView)> {
    Err(ErrorCode::Internal.into())
}

impl Live {
    /// `CannotMessageUser` between two people of whom one blocks the other.
    pub(super) fn require_peace(&self) -> Answer<()> {
        let pair = self.document.direct.as_ref().and_then(|d| d.pair.as_ref());
        if pair.is_some_and(|pair| pair.blocks.contains(&true)) {
            return Err(ErrorCode::CannotMessageUser.into());
        }
        Ok(())
    }

    /// The account of one of its people was deleted.
    pub(super) fn account_deleted(&mut self, _turn: &mut Turn<'_>, _profile: &Profile) {}

    pub(super) fn get_direct(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: GetDirect,
    ) -> Answer<DirectView> {
        Err(ErrorCode::Internal.into())
    }

    pub(super) fn set_open(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: SetOpen,
    ) -> Answer<DirectView> {
        Err(ErrorCode::Internal.into())
    }

    pub(super) fn set_relation(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: SetRelation,
    ) -> Answer<DirectView> {
        Err(ErrorCode::Internal.into())
    }

    pub(super) fn update_direct(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: UpdateDirect,
    ) -> Answer<DirectView> {
        Err(ErrorCode::Internal.into())
    }

    pub(super) fn add_recipient(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: AddRecipient,
    ) -> Answer<DirectView> {
        Err(ErrorCode::Internal.into())
    }

    pub(super) fn remove_recipient(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: RemoveRecipient,
    ) -> Answer<()> {
        Err(ErrorCode::Internal.into())
    }
}
