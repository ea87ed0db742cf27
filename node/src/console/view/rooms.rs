//! Voice rooms, and who is in one.

use ratatui::layout::Rect;
use rookery_protocol::inspect::{PeerRow, RoomRow};

use super::look::Tone;
use super::pen::{Pen, Piece};
use super::table::{Column, Row, number, plain, table, text};
use super::text::{bits, count, percent};
use super::{nothing, silent_lines, split};
use crate::console::state::Console;

/// Share of lost packets from which on people hear it.
const LOSS_HEARD: f32 = 0.05;

const ROOMS: [Column; 9] = [
    text("CHANNEL", 0),
    text("GROUP", 19).from(110),
    text("NODE", 8),
    number("PEOPLE", 6),
    number("CAMERAS", 7),
    number("SCREENS", 7),
    number("UP", 8),
    number("DOWN", 8),
    number("LOST", 6),
];

const PEERS: [Column; 8] = [
    text("ACCOUNT", 0),
    number("RTT", 6),
    number("UP", 8),
    number("LOST", 6),
    number("DOWN", 8),
    number("LOST", 6),
    number("WAY BEARS", 9),
    text("LAYERS", 10),
];

/// Draws the rooms, or the people of the one that is looked at.
pub(super) fn draw(console: &Console, pen: &mut Pen<'_>, area: Rect) {
    let feed = &console.feeds.rooms;
    let Some(data) = &feed.data else { return };
    let area = silent_lines(pen, area, &data.silent);
    if let Some(channel) = &console.rooms.detail {
        match console.rooms.room(feed.data.as_ref()) {
            Some(room) => people(console, room, pen, area),
            None => nothing(
                pen,
                area,
                true,
                &format!("nobody is in room {channel} any more"),
            ),
        }
        return;
    }
    if data.rooms.is_empty() {
        nothing(pen, area, true, "nobody is in any voice channel");
        return;
    }
    let keys = console.rooms.keys(feed.data.as_ref());
    let chosen = console.rooms.cursor.index(&keys);
    table(pen, area, &ROOMS, data.rooms.len(), chosen, |index| {
        let room = &data.rooms[index];
        let up = room.peers.iter().map(|peer| peer.up_bps);
        let down = room.peers.iter().map(|peer| peer.down_bps);
        let lost = room
            .peers
            .iter()
            .map(|peer| peer.up_loss.max(peer.down_loss));
        Row::Cells(vec![
            plain(&*room.channel),
            plain(&*room.group),
            plain(&*room.node),
            plain(count(room.people)),
            plain(count(room.cameras)),
            plain(count(room.screens)),
            plain(bits(up.fold(0, u64::saturating_add))),
            plain(bits(down.fold(0, u64::saturating_add))),
            loss(lost.fold(0.0, f32::max)),
        ])
    });
}

fn loss(share: f32) -> Piece {
    let text = percent(share.into());
    if share >= LOSS_HEARD {
        (format!("{text}!"), Tone::Warn)
    } else {
        plain(text)
    }
}

fn people(console: &Console, room: &RoomRow, pen: &mut Pen<'_>, area: Rect) {
    let [head, rest] = split(area, [2, area.height]);
    let title = [
        (format!("room {}", room.channel), Tone::Title),
        plain(format!("   group {} at {}", room.group, room.node)),
    ];
    pen.pieces(head, 0, &title);
    let counts = format!(
        "people {}   cameras {}   screens {}",
        room.people, room.cameras, room.screens
    );
    pen.put(head, (0, 1), &counts, Tone::Plain);
    let keys: Vec<_> = room.peers.iter().map(|peer| peer.user.clone()).collect();
    let chosen = console.rooms.peers.index(&keys);
    if keys.is_empty() {
        nothing(
            pen,
            rest,
            true,
            "nobody's media has told anything of itself yet",
        );
        return;
    }
    table(pen, rest, &PEERS, keys.len(), chosen, |index| {
        Row::Cells(peer(&room.peers[index]))
    });
}

fn peer(row: &PeerRow) -> Vec<Piece> {
    let layers: Vec<_> = row.layers.iter().map(u8::to_string).collect();
    let layers = match layers.as_slice() {
        [] => "-".to_owned(),
        layers => layers.join(" "),
    };
    vec![
        plain(&*row.user),
        plain(
            row.rtt_ms
                .map_or("-".to_owned(), |ms| format!("{ms:.0} ms")),
        ),
        plain(bits(row.up_bps)),
        loss(row.up_loss),
        plain(bits(row.down_bps)),
        loss(row.down_loss),
        plain(row.estimate_bps.map_or("-".to_owned(), bits)),
        plain(layers),
    ]
}
