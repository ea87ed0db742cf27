//! `/auth`: accounts, logins, tokens.

use axum::extract::State;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use rookery_actors::entity::Clock;
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{AcceptInvite, GetInvite};
use rookery_protocol::command::user::{
    CloseLogin, GetCredentials, NewLogin, OpenLogin, Proof, Register, RotateLogin, Rotated,
};
use rookery_protocol::error::{ApiError, ErrorCode, FormErrors};
use rookery_protocol::ids::{GroupId, LoginId, UserId};
use rookery_protocol::{limits, text};
use serde_json::{Value, json};

use super::body::{JsonBody, Params};
use super::client::{Client, device};
use super::form::Form;
use super::guard::Person;
use super::refusal::{Refusal, Reply, json, no_content, ok};
use crate::app::App;
use crate::auth::refresh::{RefreshToken, Secret};
use crate::config::Registration;
use crate::random;

/// The cookie of a browser's refresh token.
const COOKIE_NAME: &str = "rookery_refresh";
/// An account that is never there: the id of a millisecond before all others.
const NOBODY: UserId = UserId(1);

/// The form of a registration.
struct RegisterForm {
    username: String,
    password: String,
    global_name: Option<String>,
    email: Option<String>,
    invite: Option<String>,
    wants_cookie: bool,
}

fn read_register(form: &Form<'_>) -> Option<RegisterForm> {
    let username = form
        .text("username")
        .checked(|errors, path, name| check_username(errors, path, name))
        .required();
    let password = form
        .text("password")
        .bytes(limits::PASSWORD_BYTES)
        .required();
    let global_name = form
        .text("global_name")
        .name(limits::DISPLAY_NAME_CHARS)
        .optional();
    let email = form
        .text("email")
        .bytes(limits::EMAIL_BYTES)
        .checked(|errors, path, email| check_email(errors, path, email))
        .optional();
    let invite = form.text("invite").optional();
    let wants_cookie = form.flag("cookie").or(false);
    Some(RegisterForm {
        username: username?,
        password: password?,
        global_name,
        email,
        invite,
        wants_cookie,
    })
}

/// Faults of a username.
pub(super) fn check_username(errors: &mut FormErrors, path: &str, name: &str) {
    let chars = name.chars().count();
    if limits::USERNAME_CHARS.contains(&chars) {
        if !text::is_username(name) {
            errors.add(
                path,
                "USERNAME_INVALID",
                "Please only use lower-case letters, numbers, underscores _ and single periods.",
            );
        }
    } else {
        errors.check_length(path, chars, limits::USERNAME_CHARS);
    }
}

pub(super) fn check_email(errors: &mut FormErrors, path: &str, email: &str) {
    let is_plausible = email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && domain.contains('.')
            && !domain.starts_with('.')
            && !domain.ends_with('.')
            && !domain.contains('@')
    });
    if !is_plausible || email.chars().any(|c| c.is_control() || c.is_whitespace()) {
        errors.add(
            path,
            "EMAIL_TYPE_INVALID_EMAIL",
            "Not a well formed email address.",
        );
    }
}

/// `POST /auth/register`
pub(super) async fn register(
    State(app): State<App>,
    client: Client,
    headers: HeaderMap,
    body: JsonBody,
) -> Reply {
    if app.config.registration == Registration::Closed {
        return Err(ErrorCode::RegistrationClosed.into());
    }
    let form = body.read(read_register)?;
    let group = invited_to(&app, form.invite.as_deref()).await?;
    if app.index.user_named(&form.username).await?.is_some() {
        return Err(name_taken().into());
    }
    let password_hash = app.passwords.hash(form.password).await?;
    let user = UserId(app.ids.mint()?);
    let token = new_token(user);
    let request = Register {
        username: form.username,
        global_name: form.global_name,
        email: form.email,
        password_hash,
        operator: false,
        login: Some(new_login(&token, &client, &headers)),
    };
    let account = app.directory.ask(user, request).await?;
    if let (Some(group), Some(code)) = (group, form.invite) {
        let by = account.profile;
        // The account is made whatever becomes of the invite, which another may have used up meanwhile.
        if let Err(refusal) = app.directory.ask(group, AcceptInvite { by, code }).await {
            tracing::info!(%refusal, "invite of a registration not taken");
        }
    }
    tokens(
        &app,
        StatusCode::CREATED,
        &token,
        form.wants_cookie,
        &client,
    )
}

/// The refusal of a name that somebody has; what the user entity says too.
pub(super) fn name_taken() -> ApiError {
    ApiError::field(
        "username",
        "USERNAME_ALREADY_TAKEN",
        "Username is already taken.",
    )
}

/// The group that a registration's invite leads to; without one only when everybody may register.
async fn invited_to(app: &App, code: Option<&str>) -> Result<Option<GroupId>, Refusal> {
    let Some(code) = code else {
        return match app.config.registration {
            Registration::Invite => {
                let message = "This field is required";
                Err(ApiError::field("invite", "BASE_TYPE_REQUIRED", message).into())
            }
            Registration::Open | Registration::Closed => Ok(None),
        };
    };
    let found = async {
        let group = app.index.group_of_invite(code).await?;
        let code = code.to_owned();
        let view = app.directory.ask(group, GetInvite { code }).await?;
        if view.invite.is_open(app.clock.now()) {
            Ok(group)
        } else {
            Err(ErrorCode::UnknownInvite.into())
        }
    };
    match found.await {
        Ok(group) => Ok(Some(group)),
        Err(refusal) if is_unknown(&refusal) => {
            let message = "Invite code is either invalid or has expired.";
            Err(ApiError::field("invite", "INVITE_CODE_INVALID", message).into())
        }
        Err(refusal) => Err(refusal.into()),
    }
}

fn is_unknown(refusal: &ApiError) -> bool {
    matches!(
        refusal.code,
        ErrorCode::UnknownInvite | ErrorCode::UnknownGuild
    )
}

/// `POST /auth/login`
pub(super) async fn login(
    State(app): State<App>,
    client: Client,
    headers: HeaderMap,
    body: JsonBody,
) -> Reply {
    let (name, password, wants_cookie) = body.read(|form| {
        let name = form.text("login").required();
        let password = form.text("password").required();
        let wants_cookie = form.flag("cookie").or(false);
        Some((name?, password?, wants_cookie))
    })?;
    // Longer ones nobody has: no work for them, and the same answer.
    if name.len() > limits::EMAIL_BYTES.into_inner().1
        || password.len() > limits::PASSWORD_BYTES.into_inner().1
    {
        return Err(invalid_login().into());
    }
    let name = name.trim().to_ascii_lowercase();
    let now = app.clock.now();
    let admitted = app.limits.admit_login(&name, client.subscriber(), now);
    if let Err(response) = admitted.await {
        return Ok(*response);
    }
    let user = if text::is_username(&name) {
        app.index.user_named(&name).await?
    } else {
        None
    };
    // Unknown names cost the same: an account is asked, a hash is computed.
    let credentials = app
        .directory
        .ask(user.unwrap_or(NOBODY), GetCredentials)
        .await;
    let hash = match credentials {
        Ok(credentials) => credentials.password_hash.filter(|_| user.is_some()),
        Err(refusal) if refusal.code == ErrorCode::UnknownUser => None,
        Err(refusal) => return Err(refusal.into()),
    };
    let fits = app.passwords.verify(password, hash.clone()).await?;
    let (Some(user), Some(password_hash), true) = (user, hash, fits) else {
        return Err(invalid_login().into());
    };
    let token = new_token(user);
    let login = new_login(&token, &client, &headers);
    let request = OpenLogin {
        password_hash,
        login,
    };
    app.directory.ask(user, request).await?;
    tokens(&app, StatusCode::OK, &token, wants_cookie, &client)
}

fn invalid_login() -> ApiError {
    let mut errors = FormErrors::default();
    for field in ["login", "password"] {
        errors.add(field, "INVALID_LOGIN", "Login or password is invalid.");
    }
    match errors.finish() {
        Err(refusal) => refusal,
        Ok(()) => ErrorCode::InvalidFormBody.into(),
    }
}

/// `POST /auth/refresh`
pub(super) async fn refresh(
    State(app): State<App>,
    client: Client,
    headers: HeaderMap,
    body: JsonBody,
) -> Reply {
    let (presented, wants_cookie) = presented(&headers, &body)?;
    let presented = presented.ok_or(ErrorCode::Unauthorized)?;
    let next = RefreshToken {
        secret: Secret::random(),
        generation: presented.generation.saturating_add(1),
        ..presented.clone()
    };
    let request = RotateLogin {
        login: presented.login,
        generation: presented.generation,
        secret_hash: presented.secret.hash(),
        next_secret_hash: next.secret.hash(),
    };
    match app.directory.ask(presented.user, request).await {
        Ok(Rotated::Next(generation)) => {
            let next = RefreshToken { generation, ..next };
            tokens(&app, StatusCode::OK, &next, wants_cookie, &client)
        }
        Ok(Rotated::Revoked) => Err(ErrorCode::Unauthorized.into()),
        Err(refusal)
            if matches!(
                refusal.code,
                ErrorCode::UnknownUser | ErrorCode::UnknownSession
            ) =>
        {
            Err(ErrorCode::Unauthorized.into())
        }
        Err(refusal) => Err(refusal.into()),
    }
}

/// The refresh token of the body, or of the cookie; and whether the next one goes into the cookie.
fn presented(headers: &HeaderMap, body: &JsonBody) -> Answer<(Option<RefreshToken>, bool)> {
    let (token, wants_cookie) = body.read(|form| {
        let token = form.text("refresh_token").optional();
        Some((token, form.flag("cookie").optional()))
    })?;
    let from_cookie = token.is_none();
    let text = token.or_else(|| cookie(headers));
    let token = text.and_then(|text| text.parse().ok());
    Ok((token, wants_cookie.unwrap_or(from_cookie)))
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let all = headers.get_all(COOKIE).iter();
    all.filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE_NAME)
        .map(|(_, value)| value.to_owned())
}

/// `POST /auth/logout`
pub(super) async fn logout(
    State(app): State<App>,
    client: Client,
    Person(caller): Person,
) -> Reply {
    if let Proof::Login(login) = caller.proof {
        close(&app, caller.id(), login).await?;
    }
    let mut response = no_content();
    set_cookie(&mut response, "", 0, &client);
    Ok(response)
}

async fn close(app: &App, user: UserId, login: LoginId) -> Result<(), Refusal> {
    Ok(app.directory.ask(user, CloseLogin { login }).await?)
}

/// `GET /auth/sessions`
pub(super) async fn sessions(Person(caller): Person) -> Reply {
    let sessions: Vec<Value> = caller
        .account
        .logins
        .iter()
        .rev()
        .map(|login| {
            json!({
                "id": login.id,
                "created_at": login.created_at.iso8601(),
                "used_at": login.used_at.iso8601(),
                "device": login.device,
                "address": login.address,
                "current": caller.proof == Proof::Login(login.id),
            })
        })
        .collect();
    Ok(ok(&json!({ "sessions": sessions })))
}

/// `DELETE /auth/sessions/{id}`
pub(super) async fn close_session(
    State(app): State<App>,
    Person(caller): Person,
    params: Params,
) -> Reply {
    close(&app, caller.id(), params.id("session_id")?).await?;
    Ok(no_content())
}

/// The first refresh token of a new login. The login's id is no snowflake: a token of it with a wrong secret counts as
/// stolen and closes it, so nobody may guess the id.
fn new_token(user: UserId) -> RefreshToken {
    RefreshToken {
        user,
        login: LoginId(random::id()),
        generation: 0,
        secret: Secret::random(),
    }
}

fn new_login(token: &RefreshToken, client: &Client, headers: &HeaderMap) -> NewLogin {
    NewLogin {
        id: token.login,
        secret_hash: token.secret.hash(),
        device: device(headers),
        address: client.address.to_string(),
    }
}

/// The answer of everything that opens or refreshes a login.
fn tokens(
    app: &App,
    status: StatusCode,
    refresh: &RefreshToken,
    wants_cookie: bool,
    client: &Client,
) -> Reply {
    let mut body = json!({
        "token": app.auth.access_token(refresh.user, refresh.login)?,
        "expires_in": limits::ACCESS_TOKEN_SECONDS,
        "user_id": refresh.user,
    });
    if !wants_cookie {
        body["refresh_token"] = refresh.to_string().into();
        return Ok(json(status, &body));
    }
    let mut response = json(status, &body);
    let seconds = limits::REFRESH_TOKEN_SECONDS;
    set_cookie(&mut response, &refresh.to_string(), seconds, client);
    Ok(response)
}

/// Sets the refresh cookie, or with an age of 0 deletes it.
fn set_cookie(response: &mut Response, token: &str, max_age: u64, client: &Client) {
    let secure = if client.is_secure { "; Secure" } else { "" };
    let cookie = format!(
        "{COOKIE_NAME}={token}; HttpOnly; SameSite=Strict; Path=/api; Max-Age={max_age}{secure}"
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
}
