//! Takes somebody who was locked out of his account out of the voice channels that he is in, whichever session of his is
//! there: it may have ended before, or be at any node. Sessions that end with their login leave by themselves
//! ([`crate::relay`]).

use std::time::Duration;

use rookery_actors::store;
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::LeaveVoice;
use rookery_protocol::document::{Key, VoiceStates};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::{GroupId, UserId};

use crate::app::App;
use crate::fault;

/// How often it is tried.
const TRIES: u32 = 10;
/// The pause before it is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Begins to take a user out of all voice channels; nobody waits for it.
pub fn end_calls(app: &App, user: UserId) {
    let app = app.clone();
    tokio::spawn(async move {
        for _ in 0..TRIES {
            let Err(refusal) = leave_all(&app, user).await else {
                return;
            };
            tracing::warn!(%user, error = %refusal, "somebody locked out may still be in a voice channel");
            tokio::time::sleep(RETRY).await;
        }
    });
}

async fn leave_all(app: &App, user: UserId) -> Answer<()> {
    let mut left = Ok(());
    for group in app.index.groups_of(user).await? {
        // A group that does not answer keeps him in no other.
        if let Err(refusal) = leave(app, user, group).await {
            left = Err(refusal);
        }
    }
    left
}

async fn leave(app: &App, user: UserId, group: GroupId) -> Answer<()> {
    let row = store::get::<VoiceStates>(app.store.as_ref(), &Key::new(group, user)).await;
    let Some(row) = row.map_err(fault::read_failed)? else {
        return Ok(());
    };
    let request = LeaveVoice {
        by: user,
        session: row.session,
    };
    match app.directory.ask(group, request).await {
        // It ended, and its calls with it.
        Err(refusal) if refusal.code == ErrorCode::UnknownGuild => Ok(()),
        answer => answer,
    }
}
