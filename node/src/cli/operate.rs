//! The commands of operators, over the admin API of a node: each answers a table, or with `--json` what the API said.

use std::time::Duration;

use clap::Subcommand;
use rookery_protocol::inspect::{Act, ActorId, ActorKind, NewToken, Role, Sort, TracePart};
use rookery_protocol::limits;
use serde::Serialize;

use super::show;
use super::{Failure, say};
use crate::admin::api::Api;
use crate::admin::client::AdminError;
use crate::inspect::survey::TopQuery;
use crate::random;

/// How often a trace is asked for its next part.
const TRACE_BEAT: Duration = Duration::from_millis(250);

#[derive(Debug, Subcommand)]
pub(super) enum Operate {
    /// Lists the nodes of the cluster and how they are.
    Nodes,
    /// Lists actors.
    Actors {
        #[command(subcommand)]
        command: ActorsAction,
    },
    /// Looks into one actor, or moves, restarts or stops it.
    Actor {
        #[command(subcommand)]
        command: ActorAction,
    },
    /// Lists the voice rooms, with who is in them and how well their media travels.
    Rooms,
    /// Lists the sessions of a user.
    Sessions {
        /// The user's id.
        user: u64,
    },
    /// Locks accounts, and gives them new passwords.
    Users {
        #[command(subcommand)]
        command: UsersAction,
    },
    /// Makes and ends tokens of the admin API.
    Token {
        #[command(subcommand)]
        command: TokenAction,
    },
    /// Lists what operators have done.
    Acts,
}

#[derive(Debug, Subcommand)]
pub(super) enum ActorsAction {
    /// Lists the busiest actors of the last seconds.
    Top {
        /// busy, depth, wait, rate or restarts.
        #[arg(long, default_value = "busy")]
        sort: Sort,
        /// Only these: user, group or room.
        #[arg(long)]
        kind: Option<ActorKind>,
        /// Only at this node.
        #[arg(long, value_name = "NODE")]
        node: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        limit: u32,
    },
    /// Shows who supervises whom.
    Tree,
}

#[derive(Debug, Subcommand)]
pub(super) enum ActorAction {
    /// Shows all about one.
    Show {
        /// user/ID, group/ID or room/CHANNEL.
        actor: ActorId,
    },
    /// Shows what it is sent: kinds, requests and times, never what is in it.
    Trace {
        /// user/ID or group/ID.
        actor: ActorId,
        /// For how long: 30s, 5m.
        #[arg(long = "for", value_name = "TIME", default_value = "30s", value_parser = duration)]
        time: Duration,
    },
    /// Throws its state away and loads it anew; what is under way is answered 503, and clients ask again.
    Restart {
        /// user/ID, group/ID or room/CHANNEL.
        actor: ActorId,
    },
    /// Puts it to sleep if it is idle.
    Passivate {
        /// user/ID or group/ID.
        actor: ActorId,
    },
    /// Moves it to another node, with those of its shard; without --to, to where it belongs.
    Migrate {
        /// user/ID, group/ID or room/CHANNEL.
        actor: ActorId,
        /// The node.
        #[arg(long, value_name = "NODE")]
        to: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum UsersAction {
    /// Locks an account: its sockets are closed, and nobody comes in with it.
    Suspend {
        /// The user's id.
        user: u64,
    },
    /// Unlocks it.
    Unsuspend {
        /// The user's id.
        user: u64,
    },
    /// Gives it a new password, which is shown this once, and logs it out everywhere.
    ResetPassword {
        /// The user's id.
        user: u64,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenAction {
    /// Makes a token, which is shown this once.
    Add {
        /// Its name: 1 to 64 letters, digits, `-` or `_`.
        name: String,
        /// read, or act.
        #[arg(long, default_value = "read", value_parser = role)]
        role: Role,
        /// Days that it is good for.
        #[arg(long, default_value_t = 90)]
        days: u32,
    },
    /// Lists them.
    List,
    /// Ends one.
    Revoke {
        /// Its name.
        name: String,
    },
}

fn role(text: &str) -> Result<Role, String> {
    match text {
        "read" => Ok(Role::Read),
        "act" => Ok(Role::Act),
        _ => Err("a role is read or act".to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let bad = || {
        format!(
            "a time is like 30s or 5m, and at most {} s",
            limits::TRACE_SECONDS
        )
    };
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| bad())?;
    let seconds = match unit {
        "" | "s" => number,
        "m" => number.saturating_mul(60),
        _ => return Err(bad()),
    };
    if (1..=limits::TRACE_SECONDS).contains(&seconds) {
        Ok(Duration::from_secs(seconds))
    } else {
        Err(bad())
    }
}

/// Says an answer: as JSON, or as a text.
fn answer<T: Serialize>(
    json: bool,
    what: &T,
    text: impl FnOnce(&T) -> String,
) -> Result<(), Failure> {
    if json {
        let json = serde_json::to_string_pretty(what);
        say(&json.map_err(|error| Failure::Other(error.to_string()))?);
    } else {
        say(&text(what));
    }
    Ok(())
}

/// Runs a command.
pub(super) async fn run(api: &Api, command: Operate, json: bool) -> Result<(), Failure> {
    match command {
        Operate::Nodes => answer(json, &api.nodes().await?, show::nodes),
        Operate::Actors { command } => actors(api, command, json).await,
        Operate::Actor { command } => actor(api, command, json).await,
        Operate::Rooms => answer(json, &api.rooms().await?, show::rooms),
        Operate::Sessions { user } => answer(json, &api.sessions(user).await?, show::sessions),
        Operate::Users { command } => users(api, command, json).await,
        Operate::Token { command } => tokens(api, command, json).await,
        Operate::Acts => answer(json, &api.acts().await?, |acts| show::acts(acts)),
    }
}

async fn actors(api: &Api, action: ActorsAction, json: bool) -> Result<(), Failure> {
    match action {
        ActorsAction::Top {
            sort,
            kind,
            node,
            limit,
        } => {
            let query = TopQuery {
                sort,
                kind,
                node,
                limit,
            };
            answer(json, &api.top(&query).await?, show::top)
        }
        ActorsAction::Tree => answer(json, &api.tree().await?, |trees| show::trees(trees)),
    }
}

async fn actor(api: &Api, action: ActorAction, json: bool) -> Result<(), Failure> {
    let act = match action {
        ActorAction::Show { actor } => return answer(json, &api.actor(actor).await?, show::detail),
        ActorAction::Trace { actor, time } => return trace(api, actor, time, json).await,
        ActorAction::Restart { actor } => Act::Restart { actor },
        ActorAction::Passivate { actor } => Act::Passivate { actor },
        ActorAction::Migrate { actor, to } => Act::Migrate { actor, to },
    };
    acted(api, act, json).await
}

/// Follows a trace: a line a message, or with `--json` a line of JSON a part.
async fn trace(api: &Api, actor: ActorId, time: Duration, json: bool) -> Result<(), Failure> {
    let name = u64::from_le_bytes(random::bytes()) >> 1;
    let end = tokio::time::Instant::now() + time;
    let mut beat = tokio::time::interval(TRACE_BEAT);
    let mut is_first = true;
    loop {
        beat.tick().await;
        let part = match api.trace(name, actor).await {
            Ok(part) => part,
            // It is on its way to another node, or sleeps.
            Err(AdminError::Refused {
                status: 404 | 504, ..
            }) if !is_first => TracePart {
                moved: true,
                ..TracePart::default()
            },
            Err(error) => return Err(error.into()),
        };
        is_first = false;
        if json {
            if !part.lines.is_empty() || part.skipped > 0 {
                let line = serde_json::to_string(&part);
                say(&line.map_err(|error| Failure::Other(error.to_string()))?);
            }
        } else {
            for line in &part.lines {
                say(&show::traced(line));
            }
            if part.skipped > 0 {
                say(&format!(
                    "... {} more were handled in between",
                    part.skipped
                ));
            }
        }
        if tokio::time::Instant::now() >= end {
            return Ok(());
        }
    }
}

pub(super) async fn acted(api: &Api, act: Act, json: bool) -> Result<(), Failure> {
    answer(json, &api.act(&act).await?, show::sentence)
}

async fn users(api: &Api, action: UsersAction, json: bool) -> Result<(), Failure> {
    let act = match action {
        UsersAction::Suspend { user } => Act::Suspend {
            user: user.to_string(),
            undo: false,
        },
        UsersAction::Unsuspend { user } => Act::Suspend {
            user: user.to_string(),
            undo: true,
        },
        UsersAction::ResetPassword { user } => Act::ResetPassword {
            user: user.to_string(),
        },
    };
    acted(api, act, json).await
}

async fn tokens(api: &Api, action: TokenAction, json: bool) -> Result<(), Failure> {
    match action {
        TokenAction::Add { name, role, days } => {
            let new = NewToken { name, role, days };
            answer(json, &api.make_token(&new).await?, show::sentence)
        }
        TokenAction::List => answer(json, &api.tokens().await?, |tokens| show::tokens(tokens)),
        TokenAction::Revoke { name } => {
            answer(json, &api.revoke_token(&name).await?, show::sentence)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_minutes_within_bounds() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        for text in [
            "",
            "s",
            "0s",
            "2h",
            "99999999999999999999",
            "61m",
            "-1s",
            "1.5s",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
