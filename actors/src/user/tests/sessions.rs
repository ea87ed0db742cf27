//! Gateway sessions.

use super::*;

fn attach(session: &str, proof: Proof) -> Attach {
    let session = session.to_owned();
    Attach { session, proof }
}

#[test]
fn a_session_attaches_with_a_token_that_holds() {
    let mut rig = ada();
    let proof = Proof::Login(LoginId(1));
    rig.notice(GroupId(7), Notice::Joined(GroupId(7)));
    let attached = rig.run(attach("a", proof)).unwrap();
    assert_eq!((attached.gseq, attached.account.profile.id), (1, ADA));
    assert!(rig.writes.is_empty());
    for wrong in [Proof::Login(LoginId(2)), Proof::Bot(0), Proof::Bot(1)] {
        assert_eq!(code(rig.run(attach("b", wrong))), ErrorCode::Unauthorized);
    }
    rig.run(CloseLogin { login: LoginId(1) }).unwrap();
    assert_eq!(code(rig.run(attach("b", proof))), ErrorCode::Unauthorized);
}

#[test]
fn a_bot_attaches_with_its_newest_token() {
    let mut rig = bot();
    rig.run(ResetBotToken { by: ADA }).unwrap();
    rig.run(attach("a", Proof::Bot(1))).unwrap();
    rig.run(ResetBotToken { by: ADA }).unwrap();
    assert_eq!(
        code(rig.run(attach("b", Proof::Bot(1)))),
        ErrorCode::Unauthorized
    );
    rig.run(attach("b", Proof::Bot(2))).unwrap();
}
