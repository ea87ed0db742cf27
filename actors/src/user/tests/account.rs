//! Changes of username, address and password, the end of an account, and whom it blocks.

use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::document::{
    DirectRow, Directs, ReadStateRow, ReadStates, Relation, UsernameRow,
};
use rookery_protocol::ids::{ChannelId, MessageId};
use rookery_protocol::profile::Profile;
use rookery_protocol::time::Millis;

use super::*;

const BEN: UserId = UserId(3);

fn rename(username: &str) -> ChangeUsername {
    ChangeUsername {
        username: username.to_owned(),
        groups: vec![GroupId(7)],
    }
}

fn holder(rig: &Rig<User>, name: &str) -> Option<UserId> {
    let row = ready(store::get::<Usernames>(&rig.store, &Key::single(name))).unwrap();
    row.map(|UsernameRow { user }| user)
}

#[test]
fn a_new_username_is_taken_and_the_old_one_is_free() {
    let mut rig = ada();
    let account = rig.run(rename("countess")).unwrap();
    assert_eq!(account.profile.username, "countess");
    assert_eq!(holder(&rig, "countess"), Some(ADA));
    assert_eq!(holder(&rig, "ada"), None);
    assert_eq!(rig.invalidated, [2]);
    let told = Notice::ProfileChanged(account.profile);
    assert_eq!(rig.sent, [(GroupId(7).into(), told)]);
    assert_eq!(readable(&rig.events[0])["t"], "USER_UPDATE");
    rig.run(rename("countess")).unwrap();
    assert!(rig.writes.is_empty(), "it is his already");

    let mut ben = Rig::<User>::on(BEN, rig.store);
    ben.run(register("ada")).unwrap();
    let refused = ben.run(rename("countess")).unwrap_err();
    assert_eq!(refused.fields[0].code, "USERNAME_ALREADY_TAKEN");
    assert_eq!(ben.live().document.profile.username, "ada");
    assert_eq!(holder(&ben, "countess"), Some(ADA));
}

#[test]
fn the_name_of_a_bot_is_nobodys_alone() {
    let mut rig = bot();
    rig.run(rename("ada")).unwrap();
    rig.run(rename("polly")).unwrap();
    assert!(rig.rows(TableId::Usernames).is_empty());
    assert_eq!(rig.live().document.profile.username, "polly");
}

#[test]
fn a_new_address_is_seen_by_oneself() {
    let mut rig = ada();
    let change = |email: Option<&str>| ChangeEmail {
        email: email.map(str::to_owned),
    };
    let account = rig.run(change(Some("new@example.org"))).unwrap();
    assert_eq!(account.email.as_deref(), Some("new@example.org"));
    assert_eq!(readable(&rig.events[0])["d"]["email"], "new@example.org");
    rig.run(change(Some("new@example.org"))).unwrap();
    assert!(rig.writes.is_empty() && rig.sent.is_empty());
}

#[test]
fn a_new_password_closes_the_other_logins() {
    let mut rig = ada();
    for n in [2, 3] {
        let password_hash = "$argon2id$1".to_owned();
        let login = login(n);
        rig.run(OpenLogin {
            password_hash,
            login,
        })
        .unwrap();
    }
    let change = |password_hash: &str| ChangePassword {
        password_hash: password_hash.to_owned(),
        new_password_hash: "$argon2id$2".to_owned(),
        keep: Some(LoginId(2)),
    };
    let refused = rig.run(change("$argon2id$0"));
    assert_eq!(
        code(refused),
        ErrorCode::Unauthorized,
        "it was changed meanwhile"
    );
    rig.take_acts();
    let account = rig.run(change("$argon2id$1")).unwrap();
    assert_eq!(account.logins.len(), 1);
    assert!(account.admits(Proof::Login(LoginId(2))));
    let close = |n| Act::Close {
        login: Some(LoginId(n)),
        code: CloseCode::AuthenticationFailed,
    };
    assert_eq!(rig.take_acts(), [close(1), close(3)]);
    let credentials = rig.run(GetCredentials).unwrap();
    assert_eq!(credentials.password_hash.as_deref(), Some("$argon2id$2"));
}

fn delete(password_hash: Option<&str>) -> DeleteAccount {
    DeleteAccount {
        password_hash: password_hash.map(str::to_owned),
        groups: vec![GroupId(7), GroupId(8)],
    }
}

#[test]
fn of_a_deleted_account_only_the_id_is_left() {
    let mut rig = ada();
    let (channel, last_read) = (ChannelId(9), MessageId(10));
    let state = ReadStateRow { channel, last_read };
    rig.rewrite(vec![store::put::<ReadStates>(
        Key::new(ADA, channel),
        &state,
    )]);
    for wrong in [None, Some("$argon2id$0")] {
        assert_eq!(code(rig.run(delete(wrong))), ErrorCode::Unauthorized);
    }
    rig.run(delete(Some("$argon2id$1"))).unwrap();
    let gone = Notice::AccountDeleted(Profile::deleted(ADA));
    let told = [7, 8].map(|group| (GroupId(group).into(), gone.clone()));
    assert_eq!(rig.sent, told);
    assert_eq!(
        rig.take_acts(),
        [Act::Close {
            login: None,
            code: CloseCode::AuthenticationFailed,
        }]
    );
    assert_eq!(holder(&rig, "ada"), None, "its name is free");
    assert!(rig.rows(TableId::ReadStates).is_empty());
    let document = &rig.live().document;
    assert!(document.profile.is_deleted() && document.deleted);
    assert_eq!((&document.email, &document.password_hash), (&None, &None));
    assert!(document.logins.is_empty());

    for _ in 0..2 {
        assert_eq!(code(rig.run(GetAccount)), ErrorCode::UnknownUser);
        assert_eq!(code(rig.run(delete(None))), ErrorCode::UnknownUser);
        assert_eq!(code(rig.run(register("ada"))), ErrorCode::UnknownUser);
        let (session, proof) = ("s".to_owned(), Proof::Login(LoginId(1)));
        assert_eq!(
            code(rig.run(Attach { session, proof })),
            ErrorCode::Unauthorized
        );
        let session = "s".to_owned();
        rig.run(Detach { session }).unwrap();
        rig.notice(GroupId(7), Notice::Joined(GroupId(7)));
        assert!(rig.events.is_empty() && rig.writes.is_empty());
        rig.crash();
    }
    Rig::<User>::on(BEN, rig.store)
        .run(register("ada"))
        .unwrap();
}

#[test]
fn a_deleted_application_is_its_owners_no_more() {
    let mut rig = bot();
    rig.run(ResetBotToken { by: ADA }).unwrap();
    rig.run(delete(None)).unwrap();
    assert!(rig.rows(TableId::Applications).is_empty());
    assert_eq!(
        code(rig.run(ResetBotToken { by: ADA })),
        ErrorCode::UnknownApplication
    );
}

#[test]
fn whom_one_blocks_is_known_from_the_pairs() {
    let mut rig = ada();
    let row = |user: u64, relation| {
        let channel = ChannelId(100 + user);
        let row = DirectRow {
            channel,
            recipients: vec![UserId(user)],
            open: false,
            relation,
            since: Millis(1),
            group: None,
        };
        store::put::<Directs>(Key::new(ADA, channel), &row)
    };
    rig.rewrite(vec![row(3, Relation::Blocked), row(4, Relation::Friend)]);
    assert!(rig.live().blocks(UserId(3)) && !rig.live().blocks(UserId(4)));
    let related = |user, relation| Notice::Related {
        user: UserId(user),
        relation,
    };
    rig.notice(GroupId(103), related(3, Relation::None));
    rig.notice(GroupId(104), related(4, Relation::Blocked));
    rig.notice(GroupId(105), related(5, Relation::Incoming));
    let blocked: Vec<_> = (3..6).filter(|&n| rig.live().blocks(UserId(n))).collect();
    assert_eq!(blocked, [4]);
    assert!(rig.writes.is_empty() && rig.events.is_empty());
}

#[test]
fn an_account_that_is_locked_lets_nobody_in() {
    let mut rig = ada();
    rig.run(Suspend { suspended: true }).unwrap();
    let close = Act::Close {
        login: None,
        code: CloseCode::AuthenticationFailed,
    };
    assert_eq!(rig.take_acts(), [close]);
    assert!(
        !rig.run(GetAccount)
            .unwrap()
            .admits(Proof::Login(LoginId(1)))
    );
    let open = |n| OpenLogin {
        password_hash: "$argon2id$1".to_owned(),
        login: login(n),
    };
    assert_eq!(code(rig.run(open(2))), ErrorCode::Suspended);
    rig.crash();
    assert_eq!(code(rig.run(open(2))), ErrorCode::Suspended);
    rig.run(Suspend { suspended: true }).unwrap();
    assert!(rig.writes.is_empty(), "it is so already");
    rig.run(Suspend { suspended: false }).unwrap();
    assert!(rig.run(open(2)).unwrap().admits(Proof::Login(LoginId(2))));
}

#[test]
fn a_bot_that_is_locked_has_no_token_until_it_is_unlocked() {
    let mut rig = bot();
    let account = rig.run(ResetBotToken { by: ADA }).unwrap();
    let generation = account.application.unwrap().token_generation;
    let proof = Proof::Bot(generation);
    rig.run(Suspend { suspended: true }).unwrap();
    assert!(!rig.run(GetAccount).unwrap().admits(proof));
    rig.run(Suspend { suspended: false }).unwrap();
    assert!(rig.run(GetAccount).unwrap().admits(proof));
    let password_hash = "$argon2id$2".to_owned();
    let refused = rig.run(SetPassword { password_hash });
    assert_eq!(code(refused), ErrorCode::BotsCannotUse);
}

#[test]
fn an_operators_password_ends_all_logins() {
    let mut rig = ada();
    let password_hash = "$argon2id$2".to_owned();
    rig.run(SetPassword { password_hash }).unwrap();
    assert_eq!(rig.run(GetAccount).unwrap().logins, []);
    let credentials = rig.run(GetCredentials).unwrap();
    assert_eq!(credentials.password_hash.as_deref(), Some("$argon2id$2"));
}
