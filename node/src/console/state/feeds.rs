//! What was answered last, and what is to be asked when.

use rookery_protocol::inspect::{
    ActRecord, ActorDetail, Nodes, Rooms, Sessions, Top, TracePart, TreeNode, Warnings,
};
use rookery_protocol::time::Millis;

use crate::console::input::{Answer, Ask};

/// How often what is on the screen is asked for.
pub(super) const REFRESH_MS: u64 = 1_000;
/// How often a trace is.
pub(super) const TRACE_MS: u64 = 500;
/// How long a question may be under way before the screen says so.
pub(super) const SLOW_MS: u64 = 3_000;

/// The last answer to a question, kept when the next one fails.
#[derive(Debug, Clone)]
pub struct Feed<T> {
    /// It.
    pub data: Option<T>,
    /// When it came.
    pub at: Option<Millis>,
    /// Why the question after it was not answered.
    pub error: Option<String>,
}

impl<T> Default for Feed<T> {
    fn default() -> Self {
        Self {
            data: None,
            at: None,
            error: None,
        }
    }
}

impl<T> Feed<T> {
    fn take(&mut self, now: Millis, data: T) {
        *self = Self {
            data: Some(data),
            at: Some(now),
            error: None,
        };
    }

    fn age(&self) -> (Option<Millis>, Option<&str>) {
        (self.at, self.error.as_deref())
    }
}

/// A question that was asked.
#[derive(Debug, Clone)]
struct Asked {
    ask: Ask,
    at: Millis,
    is_under_way: bool,
    /// It was asked for something that has changed since: ask again at once.
    is_stale: bool,
}

/// Every answer, and every question that is under way.
#[derive(Debug, Default)]
pub struct Feeds {
    /// The nodes.
    pub nodes: Feed<Nodes>,
    /// The busiest actors.
    pub top: Feed<Top>,
    /// The actor that is looked at.
    pub actor: Feed<ActorDetail>,
    /// His sessions, if it is a user.
    pub sessions: Feed<Sessions>,
    /// The supervision tree.
    pub tree: Feed<TreeNode>,
    /// The rooms.
    pub rooms: Feed<Rooms>,
    /// The warnings.
    pub warnings: Feed<Warnings>,
    /// What operators did.
    pub acts: Feed<Vec<ActRecord>>,
    /// When the trace was last answered, and why not.
    trace: Feed<()>,
    asked: Vec<Asked>,
}

impl Feeds {
    /// Says which of the questions that are `wanted` are to be asked now.
    pub fn due(&mut self, now: Millis, wanted: &[Ask], is_paused: bool) -> Vec<Ask> {
        self.asked
            .retain(|asked| asked.is_under_way || wanted.contains(&asked.ask));
        let mut due = Vec::new();
        for ask in wanted {
            let every = match ask {
                Ask::Trace { .. } => TRACE_MS,
                _ => REFRESH_MS,
            };
            match self.asked.iter_mut().find(|asked| asked.ask == *ask) {
                Some(asked) => {
                    let is_time = now.since(asked.at) >= every && !is_paused;
                    if asked.is_under_way || !(is_time || asked.is_stale) {
                        continue;
                    }
                    asked.at = now;
                    asked.is_under_way = true;
                    asked.is_stale = false;
                }
                None => self.asked.push(Asked {
                    ask: ask.clone(),
                    at: now,
                    is_under_way: true,
                    is_stale: false,
                }),
            }
            due.push(ask.clone());
        }
        due
    }

    /// Something has changed: everything is asked for again at once.
    pub fn hurry(&mut self) {
        for asked in &mut self.asked {
            asked.is_stale = true;
        }
    }

    /// Forgets an actor, since another one is looked at.
    pub fn forget_actor(&mut self) {
        self.actor = Feed::default();
        self.sessions = Feed::default();
        self.forget_trace();
    }

    /// Forgets how the trace before went.
    pub fn forget_trace(&mut self) {
        self.trace = Feed::default();
    }

    /// A question is under way no more.
    pub fn settle(&mut self, ask: &Ask) {
        for asked in &mut self.asked {
            if asked.ask == *ask {
                asked.is_under_way = false;
            }
        }
    }

    /// Takes an answer that is still wanted; what a trace has seen is handed back.
    pub fn take(
        &mut self,
        now: Millis,
        ask: &Ask,
        answer: Result<Answer, String>,
    ) -> Option<TracePart> {
        match answer {
            Ok(Answer::Nodes(it)) => self.nodes.take(now, it),
            Ok(Answer::Top(it)) => self.top.take(now, it),
            Ok(Answer::Actor(it)) => self.actor.take(now, it),
            Ok(Answer::Tree(it)) => self.tree.take(now, it),
            Ok(Answer::Rooms(it)) => self.rooms.take(now, it),
            Ok(Answer::Sessions(it)) => self.sessions.take(now, it),
            Ok(Answer::Warnings(it)) => self.warnings.take(now, it),
            Ok(Answer::Acts(it)) => self.acts.take(now, it),
            Ok(Answer::Trace(it)) => {
                self.trace.take(now, ());
                return Some(it);
            }
            Err(why) => *self.error_of(ask) = Some(why),
        }
        None
    }

    fn error_of(&mut self, ask: &Ask) -> &mut Option<String> {
        match ask {
            Ask::Nodes => &mut self.nodes.error,
            Ask::Top { .. } => &mut self.top.error,
            Ask::Actor(_) => &mut self.actor.error,
            Ask::Tree => &mut self.tree.error,
            Ask::Rooms => &mut self.rooms.error,
            Ask::Sessions(_) => &mut self.sessions.error,
            Ask::Warnings => &mut self.warnings.error,
            Ask::Acts => &mut self.acts.error,
            Ask::Trace { .. } => &mut self.trace.error,
        }
    }

    /// When a question was last answered, and why it was not since.
    pub fn age(&self, ask: &Ask) -> (Option<Millis>, Option<&str>) {
        match ask {
            Ask::Nodes => self.nodes.age(),
            Ask::Top { .. } => self.top.age(),
            Ask::Actor(_) => self.actor.age(),
            Ask::Tree => self.tree.age(),
            Ask::Rooms => self.rooms.age(),
            Ask::Sessions(_) => self.sessions.age(),
            Ask::Warnings => self.warnings.age(),
            Ask::Acts => self.acts.age(),
            Ask::Trace { .. } => self.trace.age(),
        }
    }

    /// For how long a question has been under way, in milliseconds.
    pub fn under_way_ms(&self, now: Millis, ask: &Ask) -> Option<u64> {
        let asked = self.asked.iter().find(|asked| asked.ask == *ask)?;
        asked.is_under_way.then(|| now.since(asked.at))
    }
}
