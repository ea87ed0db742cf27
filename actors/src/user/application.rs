//! Applications and the tokens of their bots.

use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::command::Answer;
use rookery_protocol::command::user::{
    Account, CreateApplication, ResetBotToken, UpdateApplication,
};
use rookery_protocol::document::{Application, ApplicationRow, Applications, Key, UserDocument};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::Act;
use rookery_protocol::ids::UserId;
use rookery_protocol::intents::Intents;
use rookery_protocol::profile::Profile;

use super::{Live, Turn};

/// A new application's account, with its owner's index entry.
pub(super) fn create(turn: &mut Turn<'_>, id: UserId, request: CreateApplication) -> UserDocument {
    let CreateApplication {
        owner,
        name,
        privileged,
    } = request;
    let row = ApplicationRow { application: id };
    turn.put::<Applications>(Key::new(owner, id), &row);
    UserDocument {
        schema: UserDocument::SCHEMA,
        version: 0,
        profile: Profile {
            id,
            username: name.clone(),
            global_name: None,
            avatar: None,
            bot: true,
        },
        email: None,
        password_hash: None,
        operator: false,
        logins: Vec::new(),
        application: Some(Application {
            owner,
            name,
            token_generation: 0,
            description: String::new(),
            privileged: Intents(privileged.0 & Intents::PRIVILEGED.0),
        }),
        created_at: turn.now,
        deleted: false,
        suspended: false,
    }
}

impl Live {
    /// Only the owner grants privileged intents. Sessions may use one that is taken back, so they are closed.
    pub(super) fn update_application(
        &mut self,
        turn: &mut Turn<'_>,
        request: UpdateApplication,
    ) -> Answer<Account> {
        let bot = self.document.profile.id;
        let Some(application) = &mut self.document.application else {
            return Err(ErrorCode::UnknownApplication.into());
        };
        if application.owner != request.by && bot != request.by {
            return Err(ErrorCode::MissingAccess.into());
        }
        if let Some(privileged) = request.privileged {
            let privileged = Intents(privileged.0 & Intents::PRIVILEGED.0);
            if application.owner != request.by && privileged.asks_beyond(application.privileged) {
                return Err(ErrorCode::MissingPermissions.into());
            }
            if application.privileged.asks_beyond(privileged) {
                turn.act(Act::Close {
                    login: None,
                    code: CloseCode::DisallowedIntents,
                });
            }
            application.privileged = privileged;
        }
        if let Some(name) = request.name {
            application.name = name;
        }
        if let Some(description) = request.description {
            application.description = description;
        }
        self.changed(turn);
        Ok(self.account())
    }

    pub(super) fn reset_bot_token(
        &mut self,
        turn: &mut Turn<'_>,
        request: ResetBotToken,
    ) -> Answer<Account> {
        let Some(application) = &mut self.document.application else {
            return Err(ErrorCode::UnknownApplication.into());
        };
        if application.owner != request.by {
            return Err(ErrorCode::MissingAccess.into());
        }
        application.token_generation += 1;
        if application.token_generation > 1 {
            turn.act(Act::Close {
                login: None,
                code: CloseCode::AuthenticationFailed,
            });
        }
        self.changed(turn);
        Ok(self.account())
    }
}
