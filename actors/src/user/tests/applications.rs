//! Changing an application: who may, and what becomes of sessions that lose an intent.

use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::command::user::UpdateApplication;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::Act;
use rookery_protocol::ids::UserId;
use rookery_protocol::intents::Intents;

use super::{ADA, BOT, bot};
use crate::testkit::code;

fn grant(by: UserId, privileged: Intents) -> UpdateApplication {
    UpdateApplication {
        by,
        name: None,
        description: None,
        privileged: Some(privileged),
    }
}

#[test]
fn the_owner_grants_and_the_bot_only_gives_back() {
    let mut rig = bot();
    let both = Intents::GUILD_MEMBERS | Intents::GUILD_PRESENCES;
    let stranger = grant(UserId(77), both);
    assert_eq!(code(rig.run(stranger)), ErrorCode::MissingAccess);
    assert_eq!(
        code(rig.run(grant(BOT, both))),
        ErrorCode::MissingPermissions
    );
    let account = rig.run(grant(ADA, both | Intents::GUILDS)).unwrap();
    // Only privileged ones are granted; the others need no grant.
    assert_eq!(account.application.unwrap().privileged, both);
    assert_eq!(rig.take_acts(), []);
    let account = rig.run(grant(BOT, Intents::GUILD_MEMBERS)).unwrap();
    assert_eq!(
        account.application.unwrap().privileged,
        Intents::GUILD_MEMBERS
    );
    let close = Act::Close {
        login: None,
        code: CloseCode::DisallowedIntents,
    };
    assert_eq!(rig.take_acts(), [close]);
}

#[test]
fn name_and_description_change_alone() {
    let mut rig = bot();
    let before = rig.live().document.application.clone().unwrap();
    let request = UpdateApplication {
        by: BOT,
        name: Some("Castle".to_owned()),
        description: Some("moves".to_owned()),
        privileged: None,
    };
    let after = rig.run(request).unwrap().application.unwrap();
    assert_eq!(
        (after.name.as_str(), after.description.as_str()),
        ("Castle", "moves")
    );
    assert_eq!(after.privileged, before.privileged);
    assert_eq!(rig.take_acts(), []);
}
