//! The state machine of the console: keys and answers in, questions and acts out. No clock, no I/O.

mod actors;
mod acts;
mod cursor;
mod feeds;
mod lists;
mod nodes;
mod offer;
mod press;
mod rates;
mod screen;
mod status;
mod trace;
mod tree;

use rookery_protocol::inspect::{Act, Acted, ActorId, ActorKind};
use rookery_protocol::time::Millis;

pub use self::actors::{ActorsScreen, Detail, LIMIT};
pub use self::acts::{Acting, Choose, Confirm, Notice, Popup};
pub use self::cursor::Cursor;
pub use self::feeds::{Feed, Feeds};
pub use self::lists::{ActsScreen, RoomsScreen, WarningKey, WarningsScreen};
pub use self::nodes::{Entry, NodesScreen, entries, names};
pub use self::rates::{Rate, Rates};
pub use self::screen::Screen;
pub use self::status::Staleness;
pub use self::trace::{Trace, Traced};
pub use self::tree::{Branch, Fold, Path, TreeScreen};

use super::input::{Answer, Ask, Effect, Input};

/// Columns and rows of the smallest terminal that anything can be read in.
pub const SMALLEST: (u16, u16) = (40, 10);

/// The console.
#[derive(Debug)]
pub struct Console {
    /// The time of the latest step.
    pub now: Millis,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The screen that is shown.
    pub screen: Screen,
    /// What was answered.
    pub feeds: Feeds,
    /// What nodes do a second.
    pub rates: Rates,
    /// The nodes, also those of the overview.
    pub nodes: NodesScreen,
    /// The actors.
    pub actors: ActorsScreen,
    /// The tree.
    pub tree: TreeScreen,
    /// The rooms.
    pub rooms: RoomsScreen,
    /// The warnings.
    pub warnings: WarningsScreen,
    /// What operators did.
    pub acts: ActsScreen,
    /// What lies over the screen.
    pub popup: Option<Popup>,
    /// What is said under it.
    pub notice: Option<Notice>,
    /// What is being done.
    pub acting: Vec<Acting>,
    /// Nothing is asked: the operator reads.
    pub is_paused: bool,
    next_trace: u64,
}

impl Console {
    /// A console that has asked nothing yet. `first_trace` is random: traces of two consoles must not be the same.
    pub fn new(now: Millis, first_trace: u64, width: u16, height: u16) -> Self {
        Self {
            now,
            size: (width, height),
            screen: Screen::Overview,
            feeds: Feeds::default(),
            rates: Rates::default(),
            nodes: NodesScreen::default(),
            actors: ActorsScreen::default(),
            tree: TreeScreen::default(),
            rooms: RoomsScreen::default(),
            warnings: WarningsScreen::default(),
            acts: ActsScreen::default(),
            popup: None,
            notice: None,
            acting: Vec::new(),
            is_paused: false,
            next_trace: first_trace,
        }
    }

    /// Takes an input.
    pub fn step(&mut self, now: Millis, input: Input, out: &mut Vec<Effect>) {
        self.now = now;
        match input {
            Input::Key(key) => self.press(key, out),
            Input::Resize { width, height } => self.size = (width, height),
            Input::Tick => {}
            Input::Answer { ask, answer } => self.learn(&ask, answer),
            Input::Acted { act, result } => self.acted(&act, result),
        }
        let wanted = self.wanted();
        let due = self.feeds.due(now, &wanted, self.is_paused);
        out.extend(due.into_iter().map(Effect::Ask));
    }

    /// What the screen shows, the most important first. The nodes are on every screen: its head counts their warnings, and
    /// rates need samples.
    pub fn wanted(&self) -> Vec<Ask> {
        let mut wanted = match self.screen {
            Screen::Overview | Screen::Warnings => vec![Ask::Warnings],
            Screen::Nodes => vec![],
            Screen::Actors => match &self.actors.detail {
                None => vec![self.actors.ask()],
                Some(detail) => {
                    let actor = detail.actor;
                    let mut wanted = vec![Ask::Actor(actor)];
                    if actor.kind == ActorKind::User {
                        wanted.push(Ask::Sessions(actor.id));
                    }
                    let trace = detail.trace.as_ref().filter(|trace| trace.is_on);
                    wanted.extend(trace.map(|trace| trace.ask(actor)));
                    wanted
                }
            },
            Screen::Tree => vec![Ask::Tree],
            Screen::Rooms => vec![Ask::Rooms],
            Screen::Acts => vec![Ask::Acts],
        };
        match self.screen {
            Screen::Overview => wanted.insert(0, Ask::Nodes),
            _ => wanted.push(Ask::Nodes),
        }
        wanted
    }

    fn learn(&mut self, ask: &Ask, answer: Result<Answer, String>) {
        self.feeds.settle(ask);
        // An answer to what was asked before the order, the filter or the actor was another.
        let depends = matches!(
            ask,
            Ask::Top { .. } | Ask::Actor(_) | Ask::Sessions(_) | Ask::Trace { .. }
        );
        if depends && !self.wanted().contains(ask) {
            return;
        }
        let part = self.feeds.take(self.now, ask, answer);
        let trace = self.actors.detail.as_mut().and_then(|it| it.trace.as_mut());
        if let Some((part, trace)) = part.zip(trace) {
            trace.learn(part);
        }
        if let (Ask::Nodes, Some(nodes)) = (ask, &self.feeds.nodes.data) {
            self.rates.learn(nodes);
        }
        self.settle();
    }

    /// Lists have changed: whoever is chosen is looked for.
    fn settle(&mut self) {
        let nodes = self.node_names();
        self.nodes.cursor.settle(&nodes);
        let top = self.feeds.top.data.as_ref();
        let actors = self.actors.keys(top);
        self.actors.cursor.settle(&actors);
        let tree = self.tree.keys(self.feeds.tree.data.as_ref());
        self.tree.cursor.settle(&tree);
        let rooms = self.feeds.rooms.data.as_ref();
        let channels = self.rooms.keys(rooms);
        self.rooms.cursor.settle(&channels);
        let peers = self.rooms.peer_keys(rooms);
        self.rooms.peers.settle(&peers);
        let warnings = self.warnings.keys(self.feeds.warnings.data.as_ref());
        self.warnings.cursor.settle(&warnings);
        let acts = self.acts.keys(self.feeds.acts.data.as_ref());
        self.acts.cursor.settle(&acts);
    }

    /// Names of all nodes, also of those that do not answer.
    pub fn node_names(&self) -> Vec<String> {
        self.feeds
            .nodes
            .data
            .as_ref()
            .map(names)
            .unwrap_or_default()
    }

    fn acted(&mut self, act: &Act, result: Result<Acted, String>) {
        self.acting.retain(|acting| acting.act != *act);
        self.notice = Some(match result {
            Ok(acted) => Notice {
                text: format!("done: {act}: {}", acted.what),
                is_failure: false,
            },
            Err(why) => Notice {
                text: format!("NOT done: {act}: {why}"),
                is_failure: true,
            },
        });
        self.feeds.hurry();
    }

    /// Shows an actor; `Esc` leads back to where one is now.
    pub fn open_actor(&mut self, actor: ActorId) {
        self.feeds.forget_actor();
        self.actors.detail = Some(Detail {
            actor,
            from: self.screen,
            trace: None,
        });
        self.screen = Screen::Actors;
    }

    /// The trace that is looked at begins, or ends.
    fn turn_trace(&mut self) {
        let Some(detail) = &mut self.actors.detail else {
            return;
        };
        match &mut detail.trace {
            Some(trace) if trace.is_on => trace.is_on = false,
            trace => {
                *trace = Some(Trace::new(self.next_trace));
                self.next_trace = self.next_trace.wrapping_add(1);
                self.feeds.forget_trace();
            }
        }
    }
}
