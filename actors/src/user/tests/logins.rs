//! Logins.

use rookery_protocol::limits;

use super::*;

fn rotate(n: u64, generation: u64) -> RotateLogin {
    RotateLogin {
        login: LoginId(n),
        generation,
        secret_hash: format!("hash{n}-{generation}"),
        next_secret_hash: format!("hash{n}-{}", generation + 1),
    }
}

fn open(n: u64) -> OpenLogin {
    OpenLogin {
        password_hash: "$argon2id$1".to_owned(),
        login: login(n),
    }
}

fn logins(rig: &Rig<User>) -> Vec<u64> {
    rig.live()
        .document
        .logins
        .iter()
        .map(|login| login.id.0)
        .collect()
}

/// The logins whose sockets are closed.
fn closed(rig: &mut Rig<User>) -> Vec<u64> {
    let acts = rig.take_acts().into_iter().map(|act| match act {
        Act::Close {
            login: Some(login),
            code,
        } if code.code() == 4004 => login.0,
        other => panic!("{other:?} closes nothing"),
    });
    acts.collect()
}

#[test]
fn a_refresh_token_is_good_once() {
    let mut rig = ada();
    rig.now = rig.now.plus(1_000);
    assert_eq!(rig.run(rotate(1, 0)), Ok(Rotated::Next(1)));
    assert_eq!(rig.run(rotate(1, 1)), Ok(Rotated::Next(2)));
    assert_eq!(rig.invalidated, [2, 3]);
    assert_eq!(rig.live().document.logins[0].used_at, rig.now);
    assert!(rig.take_acts().is_empty());
    // Somebody has a copy: nobody keeps the login.
    assert_eq!(rig.run(rotate(1, 1)), Ok(Rotated::Revoked));
    assert_eq!(closed(&mut rig), [1]);
    assert_eq!(rig.run(rotate(1, 2)), Ok(Rotated::Revoked));
    assert!(rig.writes.is_empty(), "it is gone already");
    assert!(logins(&rig).is_empty());
}

#[test]
fn a_wrong_secret_closes_the_login() {
    let mut rig = ada();
    let wrong = RotateLogin {
        secret_hash: "hash1-1".to_owned(),
        ..rotate(1, 0)
    };
    assert_eq!(rig.run(wrong), Ok(Rotated::Revoked));
    assert_eq!(closed(&mut rig), [1]);
    rig.crash();
    assert!(logins(&rig).is_empty());
}

#[test]
fn an_unused_refresh_token_expires() {
    let mut rig = ada();
    rig.now = rig.now.plus(limits::REFRESH_TOKEN_SECONDS * 1_000 - 1);
    assert_eq!(rig.run(rotate(1, 0)), Ok(Rotated::Next(1)));
    rig.now = rig.now.plus(limits::REFRESH_TOKEN_SECONDS * 1_000);
    assert_eq!(rig.run(rotate(1, 1)), Ok(Rotated::Revoked));
    assert_eq!(closed(&mut rig), [1]);
}

#[test]
fn a_login_is_opened_with_the_password_that_still_holds() {
    let mut rig = ada();
    let stale = OpenLogin {
        password_hash: "$argon2id$0".to_owned(),
        ..open(2)
    };
    assert_eq!(code(rig.run(stale)), ErrorCode::Unauthorized);
    assert_eq!(code(rig.run(open(1))), ErrorCode::Internal, "ids are new");
    assert!(rig.writes.is_empty());
    let account = rig.run(open(2)).unwrap();
    assert!(account.admits(Proof::Login(LoginId(2))));
    assert_eq!(code(bot().run(open(2))), ErrorCode::Unauthorized);
}

#[test]
fn the_login_used_longest_ago_makes_room() {
    let mut rig = ada();
    for n in 2..=limits::LOGINS_PER_USER as u64 {
        rig.now = rig.now.plus(1);
        rig.run(open(n)).unwrap();
    }
    rig.now = rig.now.plus(1);
    rig.run(rotate(1, 0)).unwrap();
    assert!(rig.take_acts().is_empty());
    rig.run(open(1_000)).unwrap();
    assert_eq!(closed(&mut rig), [2]);
    assert_eq!(logins(&rig).len(), limits::LOGINS_PER_USER);

    // All of them expire: the next one that is opened sweeps them out.
    rig.now = rig.now.plus(limits::REFRESH_TOKEN_SECONDS * 1_000);
    rig.run(open(2_000)).unwrap();
    assert_eq!(closed(&mut rig).len(), limits::LOGINS_PER_USER);
    assert_eq!(logins(&rig), [2_000]);
}

#[test]
fn a_closed_login_takes_its_sockets_along() {
    let mut rig = ada();
    rig.run(open(2)).unwrap();
    rig.run(CloseLogin { login: LoginId(2) }).unwrap();
    assert_eq!(closed(&mut rig), [2]);
    assert_eq!(logins(&rig), [1]);
    let again = rig.run(CloseLogin { login: LoginId(2) });
    assert_eq!(code(again), ErrorCode::UnknownSession);
}
