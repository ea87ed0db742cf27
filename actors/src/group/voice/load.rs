//! Who was in the voice channels when the group was last here.

use rookery_protocol::document::{Rooms, VoiceStates};
use rookery_protocol::ids::GroupId;

use super::Voices;
use crate::store::{self, Store, StoreError};

/// Rows read at once.
const PAGE: usize = 1_000;

/// The voice states and rooms of a group.
pub(in crate::group) async fn load(id: GroupId, store: &dyn Store) -> Result<Voices, StoreError> {
    let states = store::scan_all::<VoiceStates>(store, id, PAGE).await?;
    let rooms = store::scan_all::<Rooms>(store, id, PAGE).await?;
    Ok(Voices {
        states: states.into_iter().map(|(_, row)| (row.user, row)).collect(),
        rooms: rooms
            .into_iter()
            .map(|(_, row)| (row.channel, row))
            .collect(),
        is_stale: false,
    })
}
