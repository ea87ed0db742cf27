//! Tests of the user core: a table per family of commands, and random sequences against a reload.

mod account;
mod applications;
mod logins;
mod properties;
mod sessions;
mod unread;

use rookery_protocol::command::user::*;
use rookery_protocol::command::{Answer, Command, Notice, Reply, Request};
use rookery_protocol::document::{Key, TableId, Usernames, Users};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::{Act, Audience};
use rookery_protocol::ids::{GroupId, LoginId, UserId};
use rookery_protocol::intents::Intents;

use super::{Live, User};
use crate::store;
use crate::testkit::{Rig, code, readable, ready};

const ADA: UserId = UserId(2);
const BOT: UserId = UserId(50);

impl Rig<User> {
    fn run<R: Request>(&mut self, request: R) -> Answer<R::Reply> {
        let Command::User(command) = request.into() else {
            panic!("a user's command");
        };
        let answer = self.call(command);
        answer.map(|reply| R::reply(Reply::User(reply)).expect("a reply of the request's kind"))
    }

    fn live(&self) -> &Live {
        self.core.live.as_ref().expect("an account")
    }

    /// The acts since the last time.
    fn take_acts(&mut self) -> Vec<Act> {
        let events = self.take_events();
        assert!(
            events
                .iter()
                .all(|event| event.audience == Audience::Everyone)
        );
        events.into_iter().map(|event| event.act).collect()
    }
}

fn register(username: &str) -> Register {
    Register {
        username: username.to_owned(),
        global_name: Some("Ada".to_owned()),
        email: Some("ada@example.org".to_owned()),
        password_hash: "$argon2id$1".to_owned(),
        operator: false,
        login: Some(login(1)),
    }
}

fn login(n: u64) -> NewLogin {
    NewLogin {
        id: LoginId(n),
        secret_hash: format!("hash{n}-0"),
        device: "test".to_owned(),
        address: "127.0.0.1".to_owned(),
    }
}

/// A person with one login.
fn ada() -> Rig<User> {
    let mut rig = Rig::new(ADA);
    rig.run(register("ada")).unwrap();
    rig.invalidated.clear();
    rig
}

/// Ada's application.
fn bot() -> Rig<User> {
    let mut rig = Rig::new(BOT);
    let (owner, name) = (ADA, "Polly".to_owned());
    rig.run(CreateApplication {
        owner,
        name,
        privileged: Intents::GUILD_MEMBERS,
    })
    .unwrap();
    rig
}

#[test]
fn an_account_is_registered_with_its_name_and_first_login() {
    let mut rig = Rig::<User>::new(ADA);
    let account = rig.run(register("ada")).unwrap();
    assert_eq!(
        (account.version, account.profile.id, account.profile.bot),
        (1, ADA, false)
    );
    assert!(account.admits(Proof::Login(LoginId(1))));
    assert_eq!(account.logins[0].secret_hash, "", "secrets stay inside");
    assert_eq!(rig.invalidated, [1]);
    let name = ready(store::get::<Usernames>(&rig.store, &Key::single("ada"))).unwrap();
    assert_eq!(name.unwrap().user, ADA);
    assert_eq!(code(rig.run(register("ada2"))), ErrorCode::Internal);
    assert_eq!(rig.rows(TableId::Usernames).len(), 1);
    let on_command_line = Register {
        login: None,
        operator: true,
        ..register("root")
    };
    let account = Rig::on(UserId(3), rig.store).run(on_command_line).unwrap();
    assert!(account.operator && account.logins.is_empty());
}

#[test]
fn a_username_is_taken_once() {
    let first = ada();
    let mut rig = Rig::<User>::on(UserId(3), first.store);
    let refusal = rig.run(register("ada")).unwrap_err();
    assert_eq!(refusal.code, ErrorCode::InvalidFormBody);
    assert_eq!(refusal.fields[0].path, "username");
    assert_eq!(refusal.fields[0].code, "USERNAME_ALREADY_TAKEN");
    assert!(rig.core.live.is_none());
    assert_eq!(rig.rows(TableId::Users).len(), 1);
    rig.run(register("ben")).unwrap();
}

#[test]
fn who_does_not_exist_is_unknown() {
    let mut rig = Rig::<User>::new(ADA);
    let proof = Proof::Bot(0);
    let session = "s".to_owned();
    assert_eq!(code(rig.run(GetAccount)), ErrorCode::UnknownUser);
    assert_eq!(code(rig.run(GetCredentials)), ErrorCode::UnknownUser);
    assert_eq!(
        code(rig.run(Attach { session, proof })),
        ErrorCode::UnknownUser
    );
    assert_eq!(
        code(rig.run(ResetBotToken { by: ADA })),
        ErrorCode::UnknownApplication
    );
    rig.notice(GroupId(1), Notice::Joined(GroupId(1)));
    assert!(rig.events.is_empty() && rig.writes.is_empty());
}

#[test]
fn credentials_are_what_was_registered() {
    let mut rig = ada();
    let credentials = rig.run(GetCredentials).unwrap();
    assert_eq!(credentials.password_hash.as_deref(), Some("$argon2id$1"));
    assert_eq!(bot().run(GetCredentials).unwrap().password_hash, None);
}

#[test]
fn a_new_profile_is_told_to_the_users_sessions_and_groups() {
    let mut rig = ada();
    let update = |name: Option<&str>| UpdateProfile {
        avatar: None,
        global_name: Some(name.map(str::to_owned)),
        groups: vec![GroupId(7), GroupId(8)],
    };
    let account = rig.run(update(Some("Countess"))).unwrap();
    assert_eq!(account.profile.global_name.as_deref(), Some("Countess"));
    assert_eq!(
        (account.version, rig.invalidated.as_slice()),
        (2, [2].as_slice())
    );
    let told = |group: u64| {
        let notice = Notice::ProfileChanged(account.profile.clone());
        (GroupId(group).into(), notice)
    };
    assert_eq!(rig.sent, [told(7), told(8)]);
    insta::assert_json_snapshot!("user_update", readable(&rig.events[0]));
    rig.take_events();

    rig.run(update(Some("Countess"))).unwrap();
    let nothing = UpdateProfile {
        avatar: None,
        global_name: None,
        groups: vec![GroupId(7)],
    };
    rig.run(nothing).unwrap();
    assert!(rig.writes.is_empty() && rig.events.is_empty());
    assert_eq!(rig.sent.len(), 2);
    assert_eq!(rig.run(update(None)).unwrap().profile.global_name, None);
}

#[test]
fn who_joined_a_group_enters_it() {
    let mut rig = ada();
    rig.notice(GroupId(7), Notice::Joined(GroupId(7)));
    assert_eq!(rig.take_acts(), [Act::Enter(GroupId(7))]);
    assert!(
        rig.writes.is_empty(),
        "whose groups are whose is the groups' affair"
    );
}

#[test]
fn an_application_has_a_bot_once_its_token_is_asked_for() {
    let mut rig = bot();
    let account = rig.run(GetAccount).unwrap();
    assert!(account.profile.bot && account.application.is_some());
    assert!(!account.admits(Proof::Bot(0)));
    assert!(
        rig.rows(TableId::Applications)
            .contains_key(&Key::new(ADA, BOT))
    );

    assert_eq!(
        code(rig.run(ResetBotToken { by: UserId(3) })),
        ErrorCode::MissingAccess
    );
    let account = rig.run(ResetBotToken { by: ADA }).unwrap();
    assert!(account.admits(Proof::Bot(1)));
    assert!(rig.take_acts().is_empty(), "there was no token before");
    let account = rig.run(ResetBotToken { by: ADA }).unwrap();
    assert!(account.admits(Proof::Bot(2)) && !account.admits(Proof::Bot(1)));
    let [
        Act::Close {
            login: None,
            code: close,
        },
    ] = rig.take_acts()[..]
    else {
        panic!("its sessions are closed");
    };
    assert_eq!(close.code(), 4004);
    assert_eq!(
        code(ada().run(ResetBotToken { by: ADA })),
        ErrorCode::UnknownApplication
    );
    let (owner, name) = (ADA, "Again".to_owned());
    assert_eq!(
        code(rig.run(CreateApplication {
            owner,
            name,
            privileged: Intents::NONE,
        })),
        ErrorCode::Internal
    );
}

#[test]
fn a_snapshot_of_a_newer_schema_is_refused() {
    let mut rig = ada();
    let mut document = rig.live().document.clone();
    document.schema += 1;
    rig.writes = vec![store::put::<Users>(Key::single(ADA), &document)];
    let writes = std::mem::take(&mut rig.writes);
    let mut other = Rig::<User>::on(UserId(3), rig.store);
    other.rewrite(writes);
    let refused = ready(<User as crate::entity::Core>::load(
        ADA.0,
        &crate::testkit::kit(1),
        &other.store,
    ));
    let known = crate::entity::LoadError::NewerSchema { found: 2, known: 1 };
    assert_eq!(refused.unwrap_err().to_string(), known.to_string());
}
