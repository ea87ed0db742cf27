//! What operators' commands answer, as texts for people.

use rookery_protocol::inspect::{
    ActRecord, Acted, ActorDetail, Nodes, Rooms, Sessions, Silent, TokenRow, Top, TraceLine,
    TreeNode,
};
use rookery_protocol::time::Millis;

use super::table::{bytes, plain, span, table};

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

pub(super) fn nodes(Nodes { nodes, silent }: &Nodes) -> String {
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
}

#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
fn millis(ns: u64) -> f64 {
    ns as f64 / 1e6
}

pub(super) fn top(
    Top {
        actors,
        active,
        silent,
    }: &Top,
) -> String {
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
}

pub(super) fn trees(trees: &[TreeNode]) -> String {
    let mut lines = Vec::new();
    for tree in trees {
        branch(tree, 0, &mut lines);
    }
    lines.join("\n")
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

pub(super) fn detail(detail: &ActorDetail) -> String {
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

/// A message of a trace.
pub(super) fn traced(line: &TraceLine) -> String {
    let request = line.request.as_ref().map(|id| format!(", request {id}"));
    format!(
        "{}  {:<18} waited {:>6} us, took {:>6} us, {} rows, {} events, {} behind it{}",
        clock(line.at_ms),
        line.kind,
        line.wait_us,
        line.handle_us,
        line.writes,
        line.events,
        line.depth,
        request.unwrap_or_default(),
    )
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

pub(super) fn sentence(acted: &Acted) -> String {
    let secret = acted.secret.iter().cloned();
    std::iter::once(acted.what.clone())
        .chain(secret)
        .collect::<Vec<_>>()
        .join("\n")
}

pub(super) fn rooms(Rooms { rooms, silent }: &Rooms) -> String {
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
}

pub(super) fn sessions(Sessions { sessions, silent }: &Sessions) -> String {
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
}

pub(super) fn tokens(tokens: &[TokenRow]) -> String {
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
}

fn day(ms: u64) -> String {
    let text = Millis(ms).iso8601();
    text.get(..10).unwrap_or_default().to_owned()
}

pub(super) fn acts(acts: &[ActRecord]) -> String {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_in_utc() {
        assert_eq!(clock(86_400_000 + 3_723_004), "01:02:03.004");
        assert_eq!(day(1_000), "1970-01-01");
    }
}
