//! What everybody sees of a user, and who is told when it changes.

use rookery_protocol::client::user::self_user;
use rookery_protocol::command::user::{Account, UpdateProfile};
use rookery_protocol::command::{Answer, Notice};
use rookery_protocol::event::EventName;
use rookery_protocol::intents::Intents;
use rookery_protocol::limits;

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
        self.changed(turn);
        let account = self.account();
        turn.emit(EventName::UserUpdate, Intents::NONE, &self_user(&account));
        for group in request.groups.into_iter().take(limits::GROUPS_PER_USER) {
            turn.send(group, Notice::ProfileChanged(account.profile.clone()));
        }
        Ok(account)
    }
}
