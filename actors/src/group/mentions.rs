//! Whom a message mentions, and who is told so.

use rookery_protocol::command::Notice;
use rookery_protocol::command::group::Mentioned;
use rookery_protocol::document::{MentionRow, MessageRow};
use rookery_protocol::ids::RoleId;
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;
use rookery_protocol::profile::Profile;

use super::{Live, Turn};

impl Live {
    /// Sets whom a message mentions, of those it is meant to: members, roles that may be mentioned, and with MENTION_EVERYONE
    /// everybody.
    pub(super) fn mention(&self, row: &mut MessageRow, held: Permissions, wanted: &Mentioned) {
        row.mentions.clear();
        // One more than the content names: the author of the message it answers.
        for user in wanted.users.iter().take(limits::MENTIONS_PER_MESSAGE + 1) {
            if self.members.contains_key(&user.id) && !row.mentions.contains(&user.id) {
                row.mentions.push(user.id);
            }
        }
        let everybody = held.allow(Permissions::MENTION_EVERYONE);
        let may_be_mentioned = |id: RoleId| {
            let mut roles = self.document.roles.iter().skip(1);
            roles.any(|role| role.id == id && (role.mentionable || everybody))
        };
        row.mention_roles.clear();
        for &role in wanted.roles.iter().take(limits::MENTIONS_PER_MESSAGE) {
            if may_be_mentioned(role) && !row.mention_roles.contains(&role) {
                row.mention_roles.push(role);
            }
        }
        row.mention_everyone = wanted.everyone && everybody;
    }

    /// Tells the people whom a new message mentions by name, if they see it. Who is mentioned with a role or with everybody
    /// is not told one by one: clients count those themselves.
    pub(super) fn tell_mentioned(&self, turn: &mut Turn<'_>, row: &MessageRow, users: &[Profile]) {
        for &user in &row.mentions {
            let is_bot = users
                .iter()
                .any(|profile| profile.id == user && profile.bot);
            if user == row.author || is_bot || self.seat(turn.now, user, row.channel).is_err() {
                continue;
            }
            let mention = MentionRow {
                channel: row.channel,
                message: row.id,
                group: self.guild_id(),
                author: row.author,
            };
            turn.send(user, Notice::Mentioned(mention));
        }
    }
}
