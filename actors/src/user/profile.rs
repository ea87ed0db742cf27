//! What everybody sees of a user.

use rookery_protocol::command::Answer;
use rookery_protocol::command::user::{Account, UpdateProfile};

use super::{Live, Turn};

impl Live {
    pub(super) fn update_profile(
        &mut self,
        turn: &mut Turn<'_>,
        request: UpdateProfile,
    ) -> Answer<Account> {
        let profile = &mut self.document.profile;
        let before = profile.clone();
        if let Some(global_name) = request.global_name {
            profile.global_name = global_name;
        }
        if let Some(avatar) = request.avatar {
            profile.avatar = avatar;
        }
        if *profile == before {
            return Ok(self.account());
        }
        Ok(self.profile_changed(turn, request.groups))
    }
}
