//! The commands of operators, over the admin API of a node: each answers a table, or with `--json` what the API said.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use rookery_protocol::inspect::{
    Act, Acted, ActorDetail, ActorId, ActorKind, NewToken, Nodes, Role, Rooms, Sessions, Silent,
    Sort, Top, TracePart, TreeNode,
};
use rookery_protocol::limits;
use serde::Serialize;

use super::table::{bytes, plain, span, table};
use super::{Failure, say};
use crate::admin::api::Api;
use crate::admin::client::{AdminError, Door};
use crate::config::Config;
use crate::inspect::survey::TopQuery;
use crate::random;

/// How often a trace is asked for its next part.
const TRACE_BEAT: Duration = Duration::from_millis(250);

/// Which node is asked, and how it answers. Any node knows all of its cluster.
#[derive(Debug, Clone, Args)]
pub(super) struct Reach {
    /// Another node's admin API, such as https://node-1.example:9180 [default: the node of the data folder; or ROOKERY_ADMIN]. Its
    /// token is in ROOKERY_ADMIN_TOKEN.
    #[arg(long, global = true, value_name = "URL")]
    admin: Option<String>,
    /// The PEM file of whoever signed its certificate, if that is none of the system's [or ROOKERY_ADMIN_CA].
    #[arg(long, global = true, value_name = "FILE")]
    admin_ca: Option<PathBuf>,
}

impl Reach {
    pub(super) fn api(&self, config: &Config) -> Result<Api, Failure> {
        let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let url = self.admin.clone().or_else(|| variable("ROOKERY_ADMIN"));
        let Some(url) = url else {
            return Ok(Api::new(Door::Here(config.data.clone())));
        };
        let ca = self
            .admin_ca
            .clone()
            .or_else(|| variable("ROOKERY_ADMIN_CA").map(PathBuf::from));
        let token = variable("ROOKERY_ADMIN_TOKEN").ok_or_else(|| {
            Failure::Denied(format!(
                "{url} wants a token: put it into ROOKERY_ADMIN_TOKEN"
            ))
        })?;
        let door = Door::there(&url, token, ca.as_deref())?;
        Ok(Api::new(door))
    }
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        let sentence = error.to_string();
        match error {
            AdminError::Refused {
                status: 401 | 403, ..
            } => Self::Denied(sentence),
            AdminError::Refused { status: 404, .. } => Self::Unknown(sentence),
            AdminError::Refused { status: 504, .. }
            | AdminError::Nobody(_)
            | AdminError::There { .. }
            | AdminError::Socket { .. }
            | AdminError::Http(_)
            | AdminError::Cut => Self::Unreached(sentence),
            AdminError::Refused { .. } => Self::Other(sentence),
            AdminError::BadUrl(_) | AdminError::BadCa(_) => Self::Settings(sentence),
        }
    }
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
fn show<T: Serialize>(
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

/// A text, and under it who did not answer.
fn and_silent(text: String, silent: &[Silent]) -> String {
    let lines = silent
        .iter()
        .map(|silent| format!("{}: {}", plain(&silent.node), silent.why));
    std::iter::once(text)
        .chain(lines)
        .collect::<Vec<_>>()
        .join("\n")
}

pub(super) async fn nodes(api: &Api, json: bool) -> Result<(), Failure> {
    show(json, &api.nodes().await?, |Nodes { nodes, silent }| {
        let rows: Vec<_> = nodes
            .iter()
            .map(|row| {
                [
                    row.node.clone(),
                    row.state.clone(),
                    row.incarnation.to_string(),
                    span(row.uptime_ms),
                    bytes(row.memory_bytes),
                    format!("{} / {} / {}", row.users, row.groups, row.rooms),
                    row.sessions.to_string(),
                    row.shards.to_string(),
                    row.depth.to_string(),
                    format!("{:.1} ms", millis(row.commit.last_ns)),
                    row.links
                        .iter()
                        .filter(|link| link.is_up)
                        .count()
                        .to_string(),
                    row.warnings.to_string(),
                ]
            })
            .collect();
        let head = [
            "NODE",
            "STATE",
            "RUN",
            "UP",
            "MEMORY",
            "USERS/GROUPS/ROOMS",
            "SESSIONS",
            "SHARDS",
            "WAITING",
            "COMMIT",
            "LINKS",
            "WARNINGS",
        ];
        and_silent(table(head, &rows, "no node answers"), silent)
    })
}

#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
fn millis(ns: u64) -> f64 {
    ns as f64 / 1e6
}

pub(super) async fn actors(api: &Api, action: ActorsAction, json: bool) -> Result<(), Failure> {
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
            show(
                json,
                &api.top(&query).await?,
                |Top {
                     actors,
                     active,
                     silent,
                 }| {
                    let rows: Vec<_> = actors
                        .iter()
                        .map(|row| {
                            [
                                row.actor.to_string(),
                                row.node.clone(),
                                row.depth.to_string(),
                                format!("{:.1}", row.per_second),
                                format!("{:.2} %", row.busy * 100.0),
                                format!("{:.2} ms", row.wait_ms),
                                format!("{:.1} ms {}", millis(row.slowest_ns), row.slowest_kind),
                                row.restarts.to_string(),
                            ]
                        })
                        .collect();
                    let head = [
                        "ACTOR",
                        "NODE",
                        "WAITING",
                        "PER SECOND",
                        "BUSY",
                        "WAIT",
                        "SLOWEST",
                        "RESTARTS",
                    ];
                    let text = table(head, &rows, "no actor is active");
                    and_silent(format!("{text}\n{active} active"), silent)
                },
            )
        }
        ActorsAction::Tree => show(json, &api.tree().await?, |trees| {
            let mut lines = Vec::new();
            for tree in trees {
                branch(tree, 0, &mut lines);
            }
            lines.join("\n")
        }),
    }
}

fn branch(tree: &TreeNode, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    lines.push(format!(
        "{indent}{}  {}",
        plain(&tree.name),
        plain(&tree.what)
    ));
    for child in &tree.children {
        branch(child, depth + 1, lines);
    }
}

pub(super) async fn actor(api: &Api, action: ActorAction, json: bool) -> Result<(), Failure> {
    let act = match action {
        ActorAction::Show { actor } => return show(json, &api.actor(actor).await?, detail),
        ActorAction::Trace { actor, time } => return trace(api, actor, time, json).await,
        ActorAction::Restart { actor } => Act::Restart { actor },
        ActorAction::Passivate { actor } => Act::Passivate { actor },
        ActorAction::Migrate { actor, to } => Act::Migrate { actor, to },
    };
    acted(api, act, json).await
}

fn detail(detail: &ActorDetail) -> String {
    let row = &detail.row;
    let mut lines = vec![
        format!(
            "{} at {}, incarnation {}",
            row.actor,
            plain(&row.node),
            detail.incarnation
        ),
        format!(
            "{} waiting, {} handled, {:.1} a second, {:.2} % busy, waits {:.2} ms",
            row.depth,
            row.handled,
            row.per_second,
            row.busy * 100.0,
            row.wait_ms
        ),
        format!(
            "slowest: {:.1} ms for {}",
            millis(row.slowest_ns),
            row.slowest_kind
        ),
        format!("{} restarts", row.restarts),
    ];
    if let Some(crash) = &row.last_crash {
        lines.push(format!("last crash: {}", plain(crash)));
    }
    if let (Some(shard), Some(epoch)) = (detail.shard, detail.epoch) {
        lines.push(format!("shard {shard}, epoch {epoch}"));
    }
    if let Some(node) = &detail.pinned_to {
        lines.push(format!("moved to {} by an operator", plain(node)));
    }
    match &detail.state {
        Some(state) => {
            lines.extend(
                state
                    .iter()
                    .map(|(name, count)| format!("  {}: {count}", name.replace('_', " "))),
            );
        }
        None => lines.push("it is too busy to say more".to_owned()),
    }
    lines.join("\n")
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
                say(&format!(
                    "{}  {:<18} waited {:>6} us, took {:>6} us, {} rows, {} events, {} behind it{}",
                    clock(line.at_ms),
                    line.kind,
                    line.wait_us,
                    line.handle_us,
                    line.writes,
                    line.events,
                    line.depth,
                    line.request
                        .as_ref()
                        .map(|id| format!(", request {id}"))
                        .unwrap_or_default(),
                ));
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

/// A time of day, in UTC.
fn clock(ms: u64) -> String {
    let of_day = ms % 86_400_000;
    let (hours, minutes) = (of_day / 3_600_000, of_day / 60_000 % 60);
    format!(
        "{hours:02}:{minutes:02}:{:02}.{:03}",
        of_day / 1_000 % 60,
        of_day % 1_000
    )
}

pub(super) async fn acted(api: &Api, act: Act, json: bool) -> Result<(), Failure> {
    show(json, &api.act(&act).await?, sentence)
}

fn sentence(acted: &Acted) -> String {
    let secret = acted.secret.iter().cloned();
    std::iter::once(acted.what.clone())
        .chain(secret)
        .collect::<Vec<_>>()
        .join("\n")
}

pub(super) async fn rooms(api: &Api, json: bool) -> Result<(), Failure> {
    show(json, &api.rooms().await?, |Rooms { rooms, silent }| {
        let mut rows = Vec::new();
        for room in rooms {
            rows.push([
                format!("room/{}", room.channel),
                room.node.clone(),
                format!(
                    "{} people, {} cameras, {} screens",
                    room.people, room.cameras, room.screens
                ),
                String::new(),
                String::new(),
                String::new(),
            ]);
            rows.extend(room.peers.iter().map(|peer| {
                [
                    format!("  user/{}", peer.user),
                    peer.rtt_ms
                        .map(|ms| format!("{ms:.0} ms"))
                        .unwrap_or_default(),
                    format!(
                        "{} kbit/s, {:.1} % lost",
                        peer.up_bps / 1_000,
                        peer.up_loss * 100.0
                    ),
                    format!(
                        "{} kbit/s, {:.1} % lost",
                        peer.down_bps / 1_000,
                        peer.down_loss * 100.0
                    ),
                    peer.estimate_bps
                        .map(|bps| format!("{} kbit/s", bps / 1_000))
                        .unwrap_or_default(),
                    peer.layers
                        .iter()
                        .map(u8::to_string)
                        .collect::<Vec<_>>()
                        .join(" "),
                ]
            }));
        }
        let head = ["ROOM", "NODE / RTT", "UP", "DOWN", "ESTIMATE", "LAYERS"];
        and_silent(table(head, &rows, "nobody is in a voice channel"), silent)
    })
}

pub(super) async fn sessions(api: &Api, user: u64, json: bool) -> Result<(), Failure> {
    show(
        json,
        &api.sessions(user).await?,
        |Sessions { sessions, silent }| {
            let rows: Vec<_> = sessions
                .iter()
                .map(|row| {
                    [
                        row.session.clone(),
                        row.node.clone(),
                        if row.is_connected {
                            "connected"
                        } else {
                            "waits to resume"
                        }
                        .to_owned(),
                        row.seq.to_string(),
                        row.topics.to_string(),
                        row.shard
                            .map(|[index, count]| format!("{index}/{count}"))
                            .unwrap_or_default(),
                        format!("{:#x}", row.intents),
                        bytes(row.queued_bytes),
                    ]
                })
                .collect();
            let head = [
                "SESSION", "NODE", "STATE", "SEQ", "TOPICS", "SHARD", "INTENTS", "QUEUED",
            ];
            and_silent(table(head, &rows, "the user has no session"), silent)
        },
    )
}

pub(super) async fn users(api: &Api, action: UsersAction, json: bool) -> Result<(), Failure> {
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

pub(super) async fn tokens(api: &Api, action: TokenAction, json: bool) -> Result<(), Failure> {
    match action {
        TokenAction::Add { name, role, days } => {
            let new = NewToken { name, role, days };
            show(json, &api.make_token(&new).await?, sentence)
        }
        TokenAction::List => show(json, &api.tokens().await?, |tokens| {
            let rows: Vec<_> = tokens
                .iter()
                .map(|row| {
                    [
                        row.name.clone(),
                        row.role.name().to_owned(),
                        row.by.clone(),
                        day(row.made_ms),
                        day(row.ends_ms),
                    ]
                })
                .collect();
            table(
                ["NAME", "MAY", "MADE BY", "MADE", "ENDS"],
                &rows,
                "there is no token",
            )
        }),
        TokenAction::Revoke { name } => show(json, &api.revoke_token(&name).await?, sentence),
    }
}

fn day(ms: u64) -> String {
    let text = rookery_protocol::time::Millis(ms).iso8601();
    text.get(..10).unwrap_or_default().to_owned()
}

pub(super) async fn acts(api: &Api, json: bool) -> Result<(), Failure> {
    show(json, &api.acts().await?, |acts| {
        let rows: Vec<_> = acts
            .iter()
            .map(|act| {
                let at = format!("{} {}", day(act.at_ms), clock(act.at_ms));
                let outcome = act
                    .outcome
                    .clone()
                    .unwrap_or_else(|| "not known".to_owned());
                [
                    at,
                    act.by.clone(),
                    act.node.clone(),
                    act.act.to_string(),
                    outcome,
                ]
            })
            .collect();
        table(
            ["AT (UTC)", "BY", "ASKED", "WHAT", "OUTCOME"],
            &rows,
            "nothing was done yet",
        )
    })
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

    #[test]
    fn a_moment_is_shown_in_utc() {
        assert_eq!(clock(86_400_000 + 3_723_004), "01:02:03.004");
        assert_eq!(day(1_000), "1970-01-01");
    }
}
