//! Making a person's account.

use rookery_protocol::command::user::Register;
use rookery_protocol::document::UserDocument;
use rookery_protocol::ids::UserId;
use rookery_protocol::profile::Profile;

use super::{Turn, account, logins};

/// A new account, which happens only if nobody has the username.
pub(super) fn register(turn: &mut Turn<'_>, id: UserId, request: Register) -> UserDocument {
    account::take_username(turn, &request.username, id);
    let login = request.login.map(|login| logins::open(login, turn.now));
    UserDocument {
        schema: UserDocument::SCHEMA,
        version: 0,
        profile: Profile {
            id,
            username: request.username,
            global_name: request.global_name,
            avatar: None,
            bot: false,
        },
        email: request.email,
        password_hash: Some(request.password_hash),
        operator: request.operator,
        logins: login.into_iter().collect(),
        application: None,
        created_at: turn.now,
        deleted: false,
        suspended: false,
    }
}
