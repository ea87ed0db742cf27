//! An entity for tests: a counter behind the user's command enum, scripted through the text of `Detach`.

use async_trait::async_trait;
use rookery_protocol::command::user::{Credentials, Detach, UserCommand, UserReply};
use rookery_protocol::command::{Command, Notice, Reply};
use rookery_protocol::document::{
    ApplicationRow, Applications, Key, Table, UsernameRow, Usernames, decode,
};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::{Act, Audience, Event};
use rookery_protocol::ids::{GroupId, UserId};
use rookery_protocol::time::Millis;

use crate::entity::kind::Kind;
use crate::entity::{Core, Effect, Input, Kit, LoadError, ReplyTo};
use crate::store::{self, Store, Write};

/// Counts. `add` adds one; `send/N` adds one and tells entity `user/N`, which adds one too; `claim` takes a name that
/// only one may have; `fetch` reads its row back; `boom` panics; `hold` keeps it in use.
#[derive(Debug)]
pub(crate) struct Toy {
    id: u64,
    count: u64,
    is_held: bool,
    fetching: Option<ReplyTo>,
}

/// The command of a script.
pub(crate) fn script(text: &str) -> Detach {
    Detach {
        session: text.to_owned(),
    }
}

/// The counter that a `GetCredentials` answer carries.
pub(crate) fn counter(reply: &Credentials) -> u64 {
    reply
        .password_hash
        .as_deref()
        .and_then(|text| text.parse().ok())
        .unwrap()
}

impl Toy {
    /// What was counted.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    fn key(&self) -> Key {
        Key::single(self.id)
    }

    fn row(&self) -> Write {
        store::put::<Applications>(
            self.key(),
            &ApplicationRow {
                application: UserId(self.count),
            },
        )
    }

    fn add(&mut self, out: &mut Vec<Effect<UserReply>>) {
        self.count += 1;
        out.push(Effect::Write(self.row()));
        out.push(Effect::Emit(Event {
            access: None,
            audience: Audience::Everyone,
            act: Act::Enter(GroupId(self.count)),
        }));
    }

    fn script(&mut self, text: &str, to: ReplyTo, out: &mut Vec<Effect<UserReply>>) {
        match text {
            "add" => self.add(out),
            "claim" => {
                let key = Key::single("name");
                let row = UsernameRow {
                    user: UserId(self.id),
                };
                out.push(Effect::RequireAbsent {
                    table: Usernames::ID,
                    key: key.clone(),
                    refusal: ErrorCode::UnknownInvite.into(),
                });
                out.push(Effect::Write(store::put::<Usernames>(key, &row)));
                self.add(out);
            }
            "fetch" => {
                self.fetching = Some(to);
                out.push(Effect::Fetch {
                    table: Applications::ID,
                    key: self.key(),
                });
                return;
            }
            "hold" => self.is_held = true,
            "boom" => panic!("told to"),
            send => {
                let receiver = UserId(send.strip_prefix("send/").unwrap().parse().unwrap());
                self.add(out);
                out.push(Effect::Send {
                    to: receiver.into(),
                    notice: Notice::Joined(GroupId(self.count)),
                });
            }
        }
        out.push(Effect::Reply {
            to,
            answer: Ok(UserReply::Detach(())),
        });
    }
}

#[async_trait]
impl Core for Toy {
    type Command = UserCommand;
    type Reply = UserReply;

    async fn load(id: u64, _: &Kit, store: &dyn Store) -> Result<Self, LoadError> {
        let row = store::get::<Applications>(store, &Key::single(id)).await?;
        Ok(Self {
            id,
            count: row.map_or(0, |row| row.application.0),
            is_held: false,
            fetching: None,
        })
    }

    fn step(
        &mut self,
        _: Millis,
        _: u64,
        input: Input<UserCommand>,
        out: &mut Vec<Effect<UserReply>>,
    ) {
        match input {
            Input::Command {
                command: UserCommand::Detach(Detach { session }),
                reply,
            } => {
                self.script(&session, reply, out);
            }
            Input::Command { reply, .. } => {
                let password_hash = Some(self.count.to_string());
                let answer = Ok(UserReply::GetCredentials(Credentials { password_hash }));
                out.push(Effect::Reply { to: reply, answer });
            }
            Input::Notice { .. } => self.add(out),
            Input::Fetched { row, .. } => {
                let to = self.fetching.take().unwrap();
                let answer = row.map(|bytes| {
                    let row = bytes.map(|bytes| decode::<Applications>(&bytes).unwrap());
                    let password_hash = Some(row.map_or(0, |row| row.application.0).to_string());
                    UserReply::GetCredentials(Credentials { password_hash })
                });
                out.push(Effect::Reply { to, answer });
            }
        }
    }

    fn is_in_use(&self) -> bool {
        self.is_held
    }
}

impl Kind for Toy {
    fn command(command: Command) -> Option<UserCommand> {
        match command {
            Command::User(command) => Some(command),
            Command::Group(_) => None,
        }
    }

    fn reply(reply: UserReply) -> Reply {
        Reply::User(reply)
    }
}

/// The address of a toy.
pub(crate) fn address(id: u64) -> EntityRef {
    UserId(id).into()
}
