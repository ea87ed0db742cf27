//! How fresh what is shown is.

use super::Console;
use super::feeds::SLOW_MS;
use crate::console::input::Ask;
use crate::console::view::text::age;

/// How what is shown is, when there is something to say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staleness {
    /// A sentence.
    pub text: String,
    /// Somebody does not answer.
    pub is_failure: bool,
}

impl Console {
    /// Says how old what is shown is and why, unless all is well.
    pub fn staleness(&self) -> Option<Staleness> {
        let wanted = self.wanted();
        wanted.iter().find_map(|ask| self.failure(ask)).or_else(|| {
            let (at, _) = self.feeds.age(wanted.first()?);
            let text = match at {
                None => "asking the cluster".to_owned(),
                Some(at) if self.is_paused => {
                    let old = age(self.now.since(at));
                    format!("HELD: what is shown is {old} old; space goes on")
                }
                Some(_) => return None,
            };
            Some(Staleness {
                text,
                is_failure: false,
            })
        })
    }

    fn failure(&self, ask: &Ask) -> Option<Staleness> {
        let (at, error) = self.feeds.age(ask);
        let under_way = self.feeds.under_way_ms(self.now, ask);
        let why = match (error, under_way) {
            (Some(why), _) => why.to_owned(),
            (None, Some(ms)) if ms >= SLOW_MS => format!("no answer for {}", age(ms)),
            _ => return None,
        };
        let what = match ask {
            Ask::Nodes => "the nodes",
            Ask::Top { .. } => "the actors",
            Ask::Actor(_) => "the actor",
            Ask::Tree => "the tree",
            Ask::Rooms => "the rooms",
            Ask::Sessions(_) => "the sessions",
            Ask::Warnings => "the warnings",
            Ask::Acts => "the acts",
            Ask::Trace { .. } => "the trace",
        };
        let text = match at {
            Some(at) => {
                let old = age(self.now.since(at));
                format!("OLD: {what} as of {old} ago: {why}")
            }
            None => format!("{what}: nothing yet: {why}"),
        };
        Some(Staleness {
            text,
            is_failure: true,
        })
    }
}
