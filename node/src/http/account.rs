//! `/users/@me`: changing one's account, and ending it. Whoever changes what his account is got by shows his password.

use axum::extract::State;
use axum::response::Response;
use futures_util::stream::{self, StreamExt};
use rookery_actors::entity::Clock;
use rookery_protocol::client::user::self_user;
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::GetGroup;
use rookery_protocol::command::user::{
    ChangeEmail, ChangePassword, ChangeUsername, DeleteAccount, GetCredentials, Proof,
    UpdateProfile,
};
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::ids::{GroupId, UserId};
use rookery_protocol::limits;

use super::applications;
use super::auth::{check_email, check_username, name_taken};
use super::body::{ImageBody, JsonBody};
use super::client::Client;
use super::form::Form;
use super::guard::Person;
use super::images;
use super::refusal::{Refusal, Reply, no_content, ok};
use crate::app::App;
use crate::auth::Caller;
use crate::media::Album;

/// Entities asked at a time.
const CONCURRENT_ASKS: usize = 16;

/// What is to change.
#[derive(Default)]
struct Patch {
    username: Option<String>,
    global_name: Option<Option<String>>,
    email: Option<Option<String>>,
    new_password: Option<String>,
    password: Option<String>,
}

impl Patch {
    /// Whether it changes what the account is got by.
    fn needs_password(&self) -> bool {
        self.username.is_some() || self.email.is_some() || self.new_password.is_some()
    }
}

fn read_patch(form: &Form<'_>, caller: &Caller) -> Patch {
    let global_name = form.text("global_name");
    let global_name = global_name.name(limits::DISPLAY_NAME_CHARS).patch();
    let current = &caller.account.profile.username;
    let is_new = |name: &String| name != current;
    if caller.is_bot() {
        let username = form.text("username").name(limits::USERNAME_CHARS).change();
        return Patch {
            username: username.filter(is_new),
            global_name,
            ..Patch::default()
        };
    }
    let username = form.text("username").checked(|errors, path, name| {
        if name != current {
            check_username(errors, path, name);
        }
    });
    let email = form.text("email").bytes(limits::EMAIL_BYTES);
    let email = email.checked(|errors, path, email| check_email(errors, path, email));
    let new_password = form.text("new_password").bytes(limits::PASSWORD_BYTES);
    Patch {
        username: username.change().filter(is_new),
        global_name,
        email: email.patch().filter(|email| *email != caller.account.email),
        new_password: new_password.change(),
        password: form.text("password").optional(),
    }
}

/// `PATCH /users/@me`
pub(super) async fn update(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    body: ImageBody,
) -> Reply {
    let (patch, avatar) = body.json().read(|form| {
        let avatar = form.text("avatar").patch();
        Some((read_patch(form, &caller), avatar))
    })?;
    let mut hash = None;
    if patch.needs_password() && !caller.is_bot() {
        match prove(&app, &caller, &client, patch.password.clone()).await? {
            Ok(proven) => hash = Some(proven),
            Err(limited) => return Ok(*limited),
        }
    }
    let user = caller.id();
    let avatar = images::change(&app, Album::Avatar(user), "avatar", avatar).await?;
    let mut account = (*caller.account).clone();
    let has_profile = patch.global_name.is_some() || avatar.is_some();
    let tells = patch.username.is_some() || has_profile;
    let groups = if tells {
        told(&app, &caller).await?
    } else {
        Vec::new()
    };
    // What may be refused comes first, so that nothing else is changed then.
    if let Some(username) = patch.username {
        let is_taken = !caller.is_bot() && app.index.user_named(&username).await?.is_some();
        if is_taken {
            return Err(name_taken().into());
        }
        let groups = groups.clone();
        let request = ChangeUsername { username, groups };
        account = app.directory.ask(user, request).await?;
    }
    if let Some(email) = patch.email {
        account = app.directory.ask(user, ChangeEmail { email }).await?;
    }
    if has_profile {
        let request = UpdateProfile {
            global_name: patch.global_name,
            avatar,
            groups,
        };
        account = app.directory.ask(user, request).await?;
    }
    let mut token = None;
    if let (Some(new_password), Some(password_hash)) = (patch.new_password, hash) {
        let keep = match caller.proof {
            Proof::Login(login) => Some(login),
            Proof::Bot(_) => None,
        };
        let request = ChangePassword {
            password_hash,
            new_password_hash: app.passwords.hash(new_password).await?,
            keep,
        };
        account = app.directory.ask(user, request).await?;
        token = keep
            .map(|login| app.auth.access_token(user, login))
            .transpose()?;
    }
    let mut body = self_user(&account);
    if let Some(token) = token {
        body["token"] = token.into();
    }
    Ok(ok(&body))
}

/// Those who are told of a change; the list of a bot's direct channels is not kept.
async fn told(app: &App, caller: &Caller) -> Answer<Vec<GroupId>> {
    if caller.is_bot() {
        app.index.groups_of(caller.id()).await
    } else {
        app.index.told_of(caller.id()).await
    }
}

/// The hash that a person's password fits, or the 429 of who has guessed too often.
async fn prove(
    app: &App,
    caller: &Caller,
    client: &Client,
    password: Option<String>,
) -> Result<Result<String, Box<Response>>, Refusal> {
    let wrong = || {
        let message = "Password does not match.";
        ApiError::field("password", "PASSWORD_DOES_NOT_MATCH", message)
    };
    let longest = limits::PASSWORD_BYTES.into_inner().1;
    let password = password.filter(|password| password.len() <= longest);
    let password = password.ok_or_else(wrong)?;
    let name = &caller.account.profile.username;
    let admitted = app
        .limits
        .admit_login(name, client.subscriber(), app.clock.now());
    if let Err(response) = admitted.await {
        return Ok(Err(response));
    }
    let credentials = app.directory.ask(caller.id(), GetCredentials).await?;
    let hash = credentials.password_hash;
    if app.passwords.verify(password, hash.clone()).await? {
        Ok(Ok(hash.ok_or_else(wrong)?))
    } else {
        Err(wrong().into())
    }
}

/// `POST /users/@me/delete`: ends the account and its applications. What they wrote stays readable.
pub(super) async fn delete(
    State(app): State<App>,
    Person(caller): Person,
    client: Client,
    body: JsonBody,
) -> Reply {
    let password = body.read(|form| Some(form.text("password").optional()))?;
    let hash = match prove(&app, &caller, &client, password).await? {
        Ok(hash) => hash,
        Err(limited) => return Ok(*limited),
    };
    let user = caller.id();
    if owns_a_group(&app, user).await? {
        return Err(ErrorCode::OwnsGroups.into());
    }
    for application in app.index.applications_of(user).await? {
        applications::end(&app, application).await?;
    }
    let request = DeleteAccount {
        password_hash: Some(hash),
        groups: app.index.told_of(user).await?,
    };
    app.directory.ask(user, request).await?;
    Ok(no_content())
}

async fn owns_a_group(app: &App, user: UserId) -> Answer<bool> {
    let groups = app.index.groups_of(user).await?;
    let mut views = stream::iter(groups)
        .map(|group| app.directory.ask(group, GetGroup { by: user }))
        .buffer_unordered(CONCURRENT_ASKS);
    while let Some(view) = views.next().await {
        match view {
            Ok(view) if view.group.owner == user => return Ok(true),
            Ok(_) => {}
            // Left or ended since the index was read.
            Err(refusal)
                if matches!(
                    refusal.code,
                    ErrorCode::UnknownGuild | ErrorCode::MissingAccess
                ) => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(false)
}
