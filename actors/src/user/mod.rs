//! A user: the account, its logins, its application if it is a bot, and the directory of its gateway sessions.

mod account;
mod application;
mod logins;
mod profile;
mod register;
mod sessions;
#[cfg(test)]
mod tests;
mod unread;

use std::collections::BTreeSet;

use async_trait::async_trait;
use rookery_protocol::command::user::{
    Account, Credentials, GetAccount, GetCredentials, Signal, UserCommand, UserReply,
};
use rookery_protocol::command::{Answer, Notice};
use rookery_protocol::document::{Key, UserDocument, Users};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::{Act, Audience};
use rookery_protocol::ids::UserId;
use rookery_protocol::time::Millis;

use self::sessions::Sessions;
use self::unread::Unread;
use crate::entity::{Core, Effect, Input, Kit, LoadError};
use crate::snapshot;
use crate::store::Store;

type Turn<'a> = crate::turn::Turn<'a, UserReply>;

/// The entity at a user's id, whether or not there is an account.
#[derive(Debug)]
pub struct User {
    id: UserId,
    live: Option<Box<Live>>,
}

/// An account that exists.
#[derive(Debug)]
struct Live {
    document: UserDocument,
    /// Whom he blocks, as the pairs say: an index over them, kept up by their notices.
    blocked: BTreeSet<UserId>,
    unread: Unread,
    sessions: Sessions,
}

#[async_trait]
impl Core for User {
    type Command = UserCommand;
    type Reply = UserReply;

    async fn load(id: u64, _kit: &Kit, store: &dyn Store) -> Result<Self, LoadError> {
        let id = UserId(id);
        let document =
            snapshot::load::<Users>(store, &Key::single(id), UserDocument::SCHEMA).await?;
        let mut live = document.map(|document| Box::new(Live::new(document)));
        if let Some(live) = &mut live {
            live.blocked = account::blocked(id, store).await?;
            live.unread = Unread::load(id, store).await?;
        }
        Ok(Self { id, live })
    }

    fn step(
        &mut self,
        now: Millis,
        gseq: u64,
        input: Input<UserCommand>,
        out: &mut Vec<Effect<UserReply>>,
    ) {
        let mut turn = Turn { now, gseq, out };
        match input {
            Input::Command { command, reply } => {
                let answer = self.answer(&mut turn, command);
                turn.reply(reply, answer);
            }
            Input::Notice { notice, .. } => {
                if let Some(live) = &mut self.live {
                    live.notice(&mut turn, notice);
                }
            }
            // A user fetches nothing.
            Input::Fetched { .. } => {}
        }
    }

    fn figures(&self) -> Vec<(&'static str, u64)> {
        self.live.as_deref().map(Live::figures).unwrap_or_default()
    }
}

impl User {
    fn answer(&mut self, turn: &mut Turn<'_>, command: UserCommand) -> Answer<UserReply> {
        if self.live.as_ref().is_some_and(|live| live.document.deleted) {
            return gone(&command);
        }
        let Some(live) = &mut self.live else {
            return match command {
                UserCommand::Register(request) => {
                    let document = register::register(turn, self.id, request);
                    Ok(UserReply::Register(self.begin(turn, document)))
                }
                UserCommand::CreateApplication(request) => {
                    let document = application::create(turn, self.id, request);
                    Ok(UserReply::CreateApplication(self.begin(turn, document)))
                }
                UserCommand::ResetBotToken(_) | UserCommand::UpdateApplication(_) => {
                    Err(ErrorCode::UnknownApplication.into())
                }
                _ => Err(ErrorCode::UnknownUser.into()),
            };
        };
        macro_rules! dispatch {
            ($($name:ident => $handler:ident),* $(,)?) => {
                match command {
                    $(UserCommand::$name(request) => live.$handler(turn, request).map(UserReply::$name),)*
                    // The id is new, says whoever sends it.
                    UserCommand::Register(_) | UserCommand::CreateApplication(_) => {
                        Err(ErrorCode::Internal.into())
                    }
                }
            };
        }
        dispatch! {
            GetAccount => get_account,
            GetCredentials => get_credentials,
            OpenLogin => open_login,
            RotateLogin => rotate_login,
            CloseLogin => close_login,
            UpdateProfile => update_profile,
            ResetBotToken => reset_bot_token,
            ChangeUsername => change_username,
            ChangeEmail => change_email,
            ChangePassword => change_password,
            DeleteAccount => delete_account,
            UpdateApplication => update_application,
            Acknowledge => acknowledge,
            ListMentions => list_mentions,
            Signal => signal,
            Attach => attach,
            Suspend => suspend,
            SetPassword => set_password,
            Detach => detach,
        }
    }

    /// A new account comes to life.
    fn begin(&mut self, turn: &mut Turn<'_>, document: UserDocument) -> Account {
        let live = self.live.insert(Box::new(Live::new(document)));
        live.changed(turn);
        live.account()
    }
}

/// What somebody is told who asks an account that was deleted. Its sessions are over, and may say so.
fn gone(command: &UserCommand) -> Answer<UserReply> {
    match command {
        UserCommand::Detach(_) => Ok(UserReply::Detach(())),
        UserCommand::Attach(_) => Err(ErrorCode::Unauthorized.into()),
        UserCommand::ResetBotToken(_) | UserCommand::UpdateApplication(_) => {
            Err(ErrorCode::UnknownApplication.into())
        }
        _ => Err(ErrorCode::UnknownUser.into()),
    }
}

impl Live {
    fn figures(&self) -> Vec<(&'static str, u64)> {
        let (read, mentions) = self.unread.len();
        let figures = [
            ("gateway_sessions", self.sessions.len()),
            ("logins", self.document.logins.len()),
            ("blocked", self.blocked.len()),
            ("read_states", read),
            ("mentions", mentions),
        ];
        figures.map(|(name, count)| (name, count as u64)).to_vec()
    }

    fn new(document: UserDocument) -> Self {
        Self {
            document,
            blocked: BTreeSet::new(),
            unread: Unread::default(),
            sessions: Sessions::default(),
        }
    }

    fn notice(&mut self, turn: &mut Turn<'_>, notice: Notice) {
        // Nobody listens to a deleted account any more.
        if self.document.deleted {
            return;
        }
        match notice {
            Notice::Joined(group) => turn.act(Act::Enter(group)),
            Notice::Show(dispatch) => turn.act(Act::Dispatch(dispatch)),
            Notice::Mentioned(row) => self.mentioned(turn, row),
            Notice::Related { user, relation } => self.related(user, relation),
            // For groups.
            Notice::ProfileChanged(_) | Notice::AccountDeleted(_) => {}
        }
    }

    fn signal(&mut self, turn: &mut Turn<'_>, request: Signal) -> Answer<()> {
        turn.signal(Audience::Everyone, request.dispatch);
        Ok(())
    }

    fn account(&self) -> Account {
        Account::from(&self.document)
    }

    /// Counts a change, writes it, and voids what caches hold.
    fn changed(&mut self, turn: &mut Turn<'_>) {
        self.document.version += 1;
        turn.put::<Users>(Key::single(self.document.profile.id), &self.document);
        turn.out.push(Effect::Invalidate {
            version: self.document.version,
        });
    }

    fn get_account(&mut self, _turn: &mut Turn<'_>, _request: GetAccount) -> Answer<Account> {
        Ok(self.account())
    }

    fn get_credentials(
        &mut self,
        _turn: &mut Turn<'_>,
        _request: GetCredentials,
    ) -> Answer<Credentials> {
        Ok(Credentials {
            password_hash: self.document.password_hash.clone(),
        })
    }
}
