//! Random sequences of commands and crashes: what was answered holds, and a new life is the old one.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rookery_protocol::limits;

use super::*;

#[derive(Debug, Clone)]
enum Op {
    Open(u64),
    Rotate {
        login: u64,
        generation: u64,
        honest: bool,
    },
    Close(u64),
    Rename(u8),
    Attach(u64),
    Wait(u64),
    Crash,
}

fn op() -> impl Strategy<Value = Op> {
    let login = || 1..70u64;
    prop_oneof![
        6 => login().prop_map(Op::Open),
        8 => (login(), 0..4u64, prop::bool::weighted(0.9))
            .prop_map(|(login, generation, honest)| Op::Rotate { login, generation, honest }),
        2 => login().prop_map(Op::Close),
        2 => any::<u8>().prop_map(Op::Rename),
        2 => login().prop_map(Op::Attach),
        2 => prop_oneof![0..1_000u64, Just(limits::REFRESH_TOKEN_SECONDS * 600)].prop_map(Op::Wait),
        1 => Just(Op::Crash),
    ]
}

proptest! {
    #[test]
    fn an_account_keeps_to_what_it_said(ops in prop::collection::vec(op(), 1..200)) {
        let mut rig = ada();
        // Generations of the logins that are open as far as anybody was told.
        let mut open = BTreeMap::from([(1, 0u64)]);
        let mut version = 1;
        for op in ops {
            match op {
                Op::Open(n) => {
                    let request = OpenLogin { password_hash: "$argon2id$1".to_owned(), login: login(n) };
                    let answer = rig.run(request);
                    prop_assert_eq!(answer.is_ok(), !open.contains_key(&n));
                    if answer.is_ok() {
                        open.insert(n, 0);
                    }
                }
                Op::Rotate { login, generation, honest } => {
                    let holder = if honest { login } else { login + 1 };
                    let answer = rig.run(RotateLogin {
                        login: LoginId(login),
                        generation,
                        secret_hash: format!("hash{holder}-{generation}"),
                        next_secret_hash: format!("hash{login}-{}", generation + 1),
                    }).unwrap();
                    match answer {
                        Rotated::Next(next) => {
                            prop_assert!(honest && open.get(&login) == Some(&generation));
                            open.insert(login, next);
                        }
                        Rotated::Revoked => {}
                    }
                }
                Op::Close(n) => {
                    let answer = rig.run(CloseLogin { login: LoginId(n) });
                    prop_assert_eq!(answer.is_ok(), open.contains_key(&n));
                }
                Op::Rename(n) => {
                    let global_name = Some(Some(n.to_string()));
                    rig.run(UpdateProfile { avatar: None, global_name, groups: Vec::new() }).unwrap();
                }
                Op::Attach(n) => {
                    let proof = Proof::Login(LoginId(n));
                    let answer = rig.run(Attach { session: n.to_string(), proof });
                    prop_assert_eq!(answer.is_ok(), open.contains_key(&n));
                }
                Op::Wait(ms) => rig.now = rig.now.plus(ms),
                Op::Crash => rig.crash(),
            }
            // Every login that goes is said to: its sockets close.
            for act in rig.take_acts() {
                if let Act::Close { login: Some(login), .. } = act {
                    prop_assert!(open.remove(&login.0).is_some());
                }
            }
            let known: Vec<u64> = open.keys().copied().collect();
            let mut there: Vec<u64> = rig.live().document.logins.iter().map(|login| login.id.0).collect();
            there.sort_unstable();
            prop_assert_eq!(there, known);
            prop_assert!(open.len() <= limits::LOGINS_PER_USER);

            for invalidated in std::mem::take(&mut rig.invalidated) {
                version += 1;
                prop_assert_eq!(invalidated, version, "versions are dense");
            }
            prop_assert_eq!(rig.live().document.version, version);
            let loaded = rig.load().unwrap();
            prop_assert_eq!(&loaded.live.unwrap().document, &rig.live().document);
        }
    }
}
