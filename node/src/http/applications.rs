//! `/applications` and `/oauth2`: bots, and adding them to groups.

use axum::extract::State;
use rookery_protocol::client::application::{application, privileged};
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::AddBot;
use rookery_protocol::command::user::{
    Account, CreateApplication, DeleteAccount, ResetBotToken, UpdateApplication,
};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::{GroupId, UserId};
use rookery_protocol::intents::Intents;
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;
use serde_json::{Value, json};

use super::body::{JsonBody, Params, Query};
use super::form::Form;
use super::guard::Person;
use super::refusal::{Refusal, Reply, created, no_content, ok};
use crate::app::App;
use crate::auth::Caller;
use crate::lockout;

/// `POST /applications`
pub(super) async fn create(
    State(app): State<App>,
    Person(caller): Person,
    body: JsonBody,
) -> Reply {
    let (name, privileged) = body.read(|form| {
        let name = form
            .text("name")
            .name(limits::DISPLAY_NAME_CHARS)
            .required();
        let privileged = read_privileged(form);
        Some((name?, privileged.unwrap_or(Intents::NONE)))
    })?;
    if app.index.applications_of(caller.id()).await?.len() >= limits::APPLICATIONS_PER_USER {
        return Err(ErrorCode::MaximumApplications.into());
    }
    let id = UserId(app.ids.mint()?);
    let owner = caller.id();
    let account = app
        .directory
        .ask(
            id,
            CreateApplication {
                owner,
                name,
                privileged,
            },
        )
        .await?;
    Ok(created(&show(&app, &account).await?))
}

/// Privileged intents, by name in `privileged_intents` or as Discord's `flags`.
fn read_privileged(form: &Form<'_>) -> Option<Intents> {
    let names = form.texts("privileged_intents", NAMES.len()).checked(
        |errors, path, names: &Vec<String>| {
            if !names.iter().all(|name| intent(name).is_some()) {
                let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
                let message = format!("Value must be one of {{{}}}.", known.join(", "));
                errors.add(path, "BASE_TYPE_CHOICES", message);
            }
        },
    );
    let named = names.optional().map(|names| {
        let intents = names.iter().filter_map(|name| intent(name));
        intents.fold(Intents::NONE, |all, intent| all | intent)
    });
    let flagged = form.integer("flags", 0..=u64::from(u32::MAX)).optional();
    named.or(flagged.map(privileged))
}

/// The privileged intents.
const NAMES: [(&str, Intents); 3] = [
    ("GUILD_PRESENCES", Intents::GUILD_PRESENCES),
    ("GUILD_MEMBERS", Intents::GUILD_MEMBERS),
    ("MESSAGE_CONTENT", Intents::MESSAGE_CONTENT),
];

fn intent(name: &str) -> Option<Intents> {
    let mut known = NAMES.iter();
    known.find(|(of, _)| *of == name).map(|(_, intent)| *intent)
}

async fn change(app: &App, id: UserId, by: UserId, body: JsonBody) -> Reply {
    let request = body.read(|form| {
        Some(UpdateApplication {
            by,
            name: form.text("name").name(limits::DISPLAY_NAME_CHARS).change(),
            description: form
                .text("description")
                .name(limits::APPLICATION_DESCRIPTION_CHARS)
                .change(),
            privileged: read_privileged(form),
        })
    })?;
    let account = match app.directory.ask(id, request).await {
        Err(refusal) if refusal.code == ErrorCode::UnknownUser => {
            return Err(ErrorCode::UnknownApplication.into());
        }
        account => account?,
    };
    Ok(ok(&show(app, &account).await?))
}

/// `PATCH /applications/{id}`, as its owner.
pub(super) async fn update(
    State(app): State<App>,
    Person(caller): Person,
    params: Params,
    body: JsonBody,
) -> Reply {
    let id = params.id::<UserId>("application_id")?;
    change(&app, id, caller.id(), body).await
}

/// `PATCH /applications/@me`, as the bot: it can give intents back, not take them.
pub(super) async fn update_mine(State(app): State<App>, caller: Caller, body: JsonBody) -> Reply {
    if !caller.is_bot() {
        return Err(ErrorCode::OnlyBotsCanUse.into());
    }
    change(&app, caller.id(), caller.id(), body).await
}

/// `GET /applications`
pub(super) async fn list(State(app): State<App>, Person(caller): Person) -> Reply {
    let mut list = Vec::new();
    for id in app.index.applications_of(caller.id()).await? {
        let account = app.accounts.get(id).await?;
        list.push(show(&app, &account).await?);
    }
    Ok(ok(&list))
}

/// `POST /applications/{id}/bot`, and its alias `.../bot/reset`: makes the bot, or its older tokens void.
pub(super) async fn reset_bot(
    State(app): State<App>,
    Person(caller): Person,
    params: Params,
    _: JsonBody,
) -> Reply {
    let id = params.id::<UserId>("application_id")?;
    let by = caller.id();
    let account = match app.directory.ask(id, ResetBotToken { by }).await {
        Err(refusal) if refusal.code == ErrorCode::UnknownUser => {
            return Err(ErrorCode::UnknownApplication.into());
        }
        account => account?,
    };
    lockout::end_calls(&app, id);
    let application = account.application.ok_or(ErrorCode::UnknownApplication)?;
    let token = app.auth.bot_token(id, application.token_generation);
    Ok(ok(&json!({ "token": token })))
}

/// `DELETE /applications/{id}`: the application and its bot; what the bot wrote stays.
pub(super) async fn delete(
    State(app): State<App>,
    Person(caller): Person,
    params: Params,
) -> Reply {
    let id = params.id::<UserId>("application_id")?;
    let account = match app.accounts.get(id).await {
        Err(refusal) if refusal.code == ErrorCode::UnknownUser => {
            return Err(ErrorCode::UnknownApplication.into());
        }
        account => account?,
    };
    let application = account.application.as_ref();
    let application = application.ok_or(ErrorCode::UnknownApplication)?;
    if application.owner != caller.id() {
        return Err(ErrorCode::MissingAccess.into());
    }
    end(&app, id).await?;
    Ok(no_content())
}

/// Deletes an application, as its owner; one that is gone already is no fault.
pub(super) async fn end(app: &App, id: UserId) -> Answer<()> {
    let request = DeleteAccount {
        password_hash: None,
        groups: app.index.groups_of(id).await?,
    };
    match app.directory.ask(id, request).await {
        Err(refusal) if refusal.code == ErrorCode::UnknownUser => Ok(()),
        answer => answer,
    }
}

/// `GET /oauth2/applications/@me` and `GET /applications/@me`
pub(super) async fn mine(State(app): State<App>, caller: Caller) -> Reply {
    if !caller.is_bot() {
        return Err(ErrorCode::OnlyBotsCanUse.into());
    }
    Ok(ok(&show(&app, &caller.account).await?))
}

/// What is asked to be added where; in the query or in the body.
#[derive(Default)]
struct Authorization {
    client: Option<UserId>,
    group: Option<GroupId>,
    permissions: Option<u64>,
}

fn read_authorization(form: &Form<'_>) -> Option<Authorization> {
    Some(Authorization {
        client: form.id("client_id").optional(),
        group: form.id("guild_id").optional(),
        permissions: form.integer("permissions", 0..=u64::MAX).optional(),
    })
}

/// `POST /oauth2/authorize`
pub(super) async fn authorize(
    State(app): State<App>,
    Person(caller): Person,
    query: Query,
    body: JsonBody,
) -> Reply {
    let in_query = query.read(read_authorization)?;
    let in_body = body.read(|form| {
        let has_client = in_query.client.is_some() || form.has("client_id");
        let has_group = in_query.group.is_some() || form.has("guild_id");
        for (key, is_there) in [("client_id", has_client), ("guild_id", has_group)] {
            if !is_there {
                form.fault(key, "BASE_TYPE_REQUIRED", "This field is required");
            }
        }
        read_authorization(form)
    })?;
    let client = in_body.client.or(in_query.client);
    let client = client.ok_or(ErrorCode::UnknownApplication)?;
    let group = in_body.group.or(in_query.group);
    let group = group.ok_or(ErrorCode::UnknownGuild)?;
    let permissions = in_body.permissions.or(in_query.permissions).unwrap_or(0);
    let account = match app.accounts.get(client).await {
        Err(refusal) if refusal.code == ErrorCode::UnknownUser => {
            return Err(ErrorCode::UnknownApplication.into());
        }
        account => account?,
    };
    let has_bot = account
        .application
        .as_ref()
        .is_some_and(|application| application.token_generation > 0);
    if !has_bot {
        return Err(ErrorCode::UnknownApplication.into());
    }
    if app.index.groups_of(client).await?.len() >= limits::GROUPS_PER_BOT {
        return Err(ErrorCode::MaximumGuilds.into());
    }
    let request = AddBot {
        by: caller.id(),
        bot: account.profile.clone(),
        permissions: Permissions(permissions) & Permissions::ALL,
    };
    app.directory.ask(group, request).await?;
    let base = app.config.public_url.as_deref().unwrap_or("");
    let location = format!("{base}/oauth2/authorized");
    Ok(ok(&json!({ "location": location })))
}

async fn show(app: &App, account: &Account) -> Result<Value, Refusal> {
    let details = account.application.as_ref();
    let details = details.ok_or(ErrorCode::UnknownApplication)?;
    let owner = app.accounts.profile(details.owner).await?;
    let groups = app.index.groups_of(account.profile.id).await?.len();
    Ok(application(account, details, &owner, groups))
}
