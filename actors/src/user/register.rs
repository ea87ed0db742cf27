//! Making a person's account.

use rookery_protocol::command::user::Register;
use rookery_protocol::document::{Key, TableId, UserDocument, UsernameRow, Usernames};
use rookery_protocol::error::ApiError;
use rookery_protocol::ids::UserId;
use rookery_protocol::profile::Profile;

use super::{Turn, logins};
use crate::entity::Effect;

/// A new account, which happens only if nobody has the username.
pub(super) fn register(turn: &mut Turn<'_>, id: UserId, request: Register) -> UserDocument {
    let name = Key::single(request.username.as_str());
    turn.out.push(Effect::RequireAbsent {
        table: TableId::Usernames,
        key: name.clone(),
        refusal: ApiError::field("username", "USERNAME_ALREADY_TAKEN", "Username is taken"),
    });
    turn.put::<Usernames>(name, &UsernameRow { user: id });
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
    }
}
