//! What keys do.

use rookery_protocol::inspect::{Act, ActorId, ActorKind};

use super::{Console, Fold, Popup, SMALLEST, Screen, entries};
use crate::console::input::{Effect, Key};

/// Rows of the screen that are not the list's, about.
const FRAME_ROWS: u16 = 6;

impl Console {
    pub(super) fn press(&mut self, key: Key, out: &mut Vec<Effect>) {
        if key == Key::CtrlC {
            out.push(Effect::Quit);
        } else if self.size.0 < SMALLEST.0 || self.size.1 < SMALLEST.1 {
            // Nobody says yes to what he cannot read.
        } else if let Some(popup) = self.popup.take() {
            self.press_popup(popup, key, out);
        } else if self.screen == Screen::Actors && self.actors.is_typing {
            self.press_filter(key);
        } else if !self.press_anywhere(key, out) {
            match self.screen {
                Screen::Overview => self.press_overview(key),
                Screen::Nodes => self.press_nodes(key),
                Screen::Actors if self.actors.detail.is_some() => self.press_actor(key),
                Screen::Actors => self.press_actors(key),
                Screen::Tree => self.press_tree(key),
                Screen::Rooms => self.press_rooms(key),
                Screen::Warnings => self.press_warnings(key),
                Screen::Acts => self.press_acts(key),
            }
        }
    }

    /// Nothing but `y` does anything; what means neither yes nor no changes nothing.
    fn press_popup(&mut self, popup: Popup, key: Key, out: &mut Vec<Effect>) {
        let is_no = matches!(key, Key::Esc | Key::Char('n' | 'q'));
        match popup {
            Popup::Help => {}
            Popup::Confirm(confirm) if key == Key::Char('y') => self.begin(confirm.act, out),
            Popup::Choose(choose) if key == Key::Enter => self.chosen(choose),
            _ if is_no => {}
            Popup::Choose(mut choose) => {
                let last = choose.nodes.len().saturating_sub(1);
                choose.index = match key {
                    Key::Up | Key::Char('k') => choose.index.saturating_sub(1),
                    Key::Down | Key::Char('j') => (choose.index + 1).min(last),
                    _ => choose.index,
                };
                self.popup = Some(Popup::Choose(choose));
            }
            Popup::Confirm(confirm) => self.popup = Some(Popup::Confirm(confirm)),
        }
    }

    fn press_filter(&mut self, key: Key) {
        match key {
            Key::Char(letter) => self.actors.type_letter(letter),
            Key::Backspace => {
                self.actors.filter.pop();
            }
            Key::Esc => {
                self.actors.filter.clear();
                self.actors.is_typing = false;
            }
            Key::Enter => {
                self.actors.is_typing = false;
                // Whoever is not among the busiest is opened by his address.
                if self.actor_keys().is_empty()
                    && let Ok(actor) = self.actors.filter.trim().parse()
                {
                    self.actors.filter.clear();
                    self.open_actor(actor);
                }
            }
            Key::Up | Key::Down | Key::PageUp | Key::PageDown => {
                self.actors.is_typing = false;
                self.press_actors(key);
            }
            _ => {}
        }
        self.settle();
    }

    fn press_anywhere(&mut self, key: Key, out: &mut Vec<Effect>) -> bool {
        match key {
            Key::Char('q') => match self.acting.first() {
                None => out.push(Effect::Quit),
                Some(acting) => {
                    let act = &acting.act;
                    self.refuse(format!(
                        "{act} is under way: Ctrl-C ends without its result"
                    ));
                }
            },
            Key::Char('?') => self.popup = Some(Popup::Help),
            Key::Char(' ') => self.is_paused = !self.is_paused,
            Key::Tab => self.screen = self.screen.after(1),
            Key::BackTab => self.screen = self.screen.after(Screen::ALL.len() - 1),
            Key::Esc if self.notice.is_some() => self.notice = None,
            Key::Char(digit) => match Screen::of_digit(digit) {
                None => return false,
                Some(screen) if screen == self.screen => self.close_detail(),
                Some(screen) => self.screen = screen,
            },
            _ => return false,
        }
        true
    }

    fn close_detail(&mut self) {
        match self.screen {
            Screen::Nodes => self.nodes.detail = None,
            Screen::Actors => self.actors.detail = None,
            Screen::Rooms => self.rooms.detail = None,
            Screen::Overview | Screen::Tree | Screen::Warnings | Screen::Acts => {}
        }
    }

    fn press_overview(&mut self, key: Key) {
        let names = self.node_names();
        if !self.nodes.cursor.step(&names, key, self.page())
            && key == Key::Enter
            && let Some(node) = self.nodes.cursor.chosen(&names)
        {
            self.open_node(node);
        }
    }

    fn open_node(&mut self, node: String) {
        self.nodes.cursor.choose(node.clone());
        self.nodes.detail = Some(node);
        self.nodes.scroll = 0;
        self.screen = Screen::Nodes;
    }

    fn press_nodes(&mut self, key: Key) {
        let names = self.node_names();
        let chosen = match &self.nodes.detail {
            Some(node) => Some(node.clone()),
            None => self.nodes.cursor.chosen(&names),
        };
        match key {
            Key::Char('d') => self.offer_drain(chosen, true),
            Key::Char('D') => self.offer_drain(chosen, false),
            Key::Char('u') => self.offer_undrain(chosen),
            Key::Esc | Key::Backspace => self.nodes.detail = None,
            _ if self.nodes.detail.is_some() => self.scroll_node(key),
            _ if self.nodes.cursor.step(&names, key, self.page()) => {}
            Key::Enter => {
                if let Some(node) = chosen {
                    self.open_node(node);
                }
            }
            Key::Char('a') => {
                self.actors.node = chosen;
                self.actors.detail = None;
                self.screen = Screen::Actors;
                self.settle();
            }
            _ => {}
        }
    }

    fn scroll_node(&mut self, key: Key) {
        let nodes = self.feeds.nodes.data.as_ref();
        let all = nodes.map(entries).unwrap_or_default();
        let rows = all.into_iter().find_map(|entry| match entry {
            super::Entry::Up(row) if Some(&row.node) == self.nodes.detail.as_ref() => {
                Some(row.links.len() + row.kinds.len())
            }
            _ => None,
        });
        // What the lines are is up to the view, which goes no further than to the last one.
        let last = rows.map_or(0, |rows| rows + usize::from(FRAME_ROWS) * 2);
        let scroll = &mut self.nodes.scroll;
        let page = usize::from(self.size.1.saturating_sub(FRAME_ROWS)).max(1);
        *scroll = match key {
            Key::Up | Key::Char('k') => scroll.saturating_sub(1),
            Key::Down | Key::Char('j') => *scroll + 1,
            Key::PageUp => scroll.saturating_sub(page),
            Key::PageDown => *scroll + page,
            Key::Home => 0,
            Key::End => last,
            _ => *scroll,
        }
        .min(last);
    }

    fn actor_keys(&self) -> Vec<ActorId> {
        self.actors.keys(self.feeds.top.data.as_ref())
    }

    fn press_actors(&mut self, key: Key) {
        let keys = self.actor_keys();
        if self.actors.cursor.step(&keys, key, self.page()) {
            return;
        }
        let chosen = self.actors.cursor.chosen(&keys);
        match key {
            Key::Char('s') => self.actors.cycle_sort(true),
            Key::Char('S') => self.actors.cycle_sort(false),
            Key::Char('f') => self.actors.cycle_kind(),
            Key::Char('n') => self.actors.cycle_node(&self.node_names()),
            Key::Char('/') => self.actors.is_typing = true,
            Key::Esc => {
                self.actors.filter.clear();
                self.actors.kind = None;
                self.actors.node = None;
            }
            Key::Enter => {
                if let Some(actor) = chosen {
                    self.open_actor(actor);
                }
            }
            _ => self.press_act(key, chosen),
        }
        self.settle();
    }

    fn press_act(&mut self, key: Key, actor: Option<ActorId>) {
        match key {
            Key::Char('r') => self.offer_restart(actor),
            Key::Char('p') => self.offer_passivate(actor),
            Key::Char('m') => self.offer_migrate(actor),
            _ => {}
        }
    }

    fn press_actor(&mut self, key: Key) {
        let page = self.page();
        let Some(detail) = &mut self.actors.detail else {
            return;
        };
        let actor = detail.actor;
        let trace = detail.trace.as_mut();
        match key {
            Key::Char('t') => self.turn_trace(),
            Key::Esc | Key::Backspace => {
                self.screen = detail.from;
                self.actors.detail = None;
            }
            _ if trace.is_some_and(|trace| trace.step(key, page)) => {}
            _ => self.press_act(key, Some(actor)),
        }
    }

    fn press_tree(&mut self, key: Key) {
        let keys = self.tree.keys(self.feeds.tree.data.as_ref());
        if self.tree.cursor.step(&keys, key, self.page()) {
            return;
        }
        let Some(root) = &self.feeds.tree.data else {
            return;
        };
        match key {
            Key::Left | Key::Char('h') => self.tree.fold(root, Some(Fold::Closed)),
            Key::Right | Key::Char('l') => self.tree.fold(root, Some(Fold::Open)),
            Key::Enter => {
                let chosen = self.tree.cursor.chosen(&keys);
                let name = chosen.and_then(|path| path.last().map(|(name, _)| name.clone()));
                match name.and_then(|name| name.parse().ok()) {
                    Some(actor) => self.open_actor(actor),
                    None => self.tree.fold(root, None),
                }
            }
            _ => {}
        }
        self.settle();
    }

    fn press_rooms(&mut self, key: Key) {
        let rooms = self.feeds.rooms.data.as_ref();
        let id = |text: &str| text.parse().ok();
        match self.rooms.detail.clone() {
            None => {
                let keys = self.rooms.keys(rooms);
                let moved = self.rooms.cursor.step(&keys, key, self.page());
                match (key, self.rooms.cursor.chosen(&keys)) {
                    _ if moved => {}
                    (Key::Enter, Some(room)) => self.rooms.detail = Some(room),
                    (Key::Char('a'), Some(room)) => self.open_id(ActorKind::Room, id(&room)),
                    _ => {}
                }
            }
            Some(room) => {
                let keys = self.rooms.peer_keys(rooms);
                let moved = self.rooms.peers.step(&keys, key, self.page());
                match (key, self.rooms.peers.chosen(&keys)) {
                    _ if moved => {}
                    (Key::Esc | Key::Backspace, _) => self.rooms.detail = None,
                    (Key::Enter, Some(user)) => self.open_id(ActorKind::User, id(&user)),
                    (Key::Char('a'), _) => self.open_id(ActorKind::Room, id(&room)),
                    _ => {}
                }
            }
        }
        self.settle();
    }

    fn open_id(&mut self, kind: ActorKind, id: Option<u64>) {
        if let Some(id) = id {
            self.open_actor(ActorId { kind, id });
        }
    }

    fn press_warnings(&mut self, key: Key) {
        let keys = self.warnings.keys(self.feeds.warnings.data.as_ref());
        if self.warnings.cursor.step(&keys, key, self.page()) || key != Key::Enter {
            return;
        }
        match self.warnings.cursor.chosen(&keys) {
            Some((_, _, Some(actor), _)) => self.open_actor(actor),
            Some((_, node, None, _)) => self.open_node(node),
            None => {}
        }
    }

    /// An act leads to what it was done to.
    fn press_acts(&mut self, key: Key) {
        let acts = self.feeds.acts.data.as_ref();
        let keys = self.acts.keys(acts);
        if self.acts.cursor.step(&keys, key, self.page()) || key != Key::Enter {
            return;
        }
        let chosen = self.acts.cursor.index(&keys);
        let record = acts.zip(chosen).and_then(|(acts, index)| acts.get(index));
        match record.map(|record| record.act.clone()) {
            Some(
                Act::Restart { actor } | Act::Passivate { actor } | Act::Migrate { actor, .. },
            ) => {
                self.open_actor(actor);
            }
            Some(Act::Drain { node, .. } | Act::Undrain { node }) => self.open_node(node),
            Some(Act::Suspend { user, .. } | Act::ResetPassword { user }) => {
                self.open_id(ActorKind::User, user.parse().ok());
            }
            Some(
                Act::MakeOperator { .. }
                | Act::MakeToken { .. }
                | Act::RevokeToken { .. }
                | Act::Backup { .. },
            )
            | None => {}
        }
    }

    fn page(&self) -> usize {
        usize::from(self.size.1.saturating_sub(FRAME_ROWS)).max(1)
    }
}
