//! What is known of who is online on other nodes, and how complete it is.
//!
//! Each run of a node numbers what it tells. A number that is left out, or a run that is met in the middle, has its people
//! read from Redis; what is told meanwhile is newer than what is read, which the number of each entry shows.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use rookery_protocol::ids::UserId;
use rookery_protocol::limits::{HINTS, PRESENCE_ELSEWHERE, PRESENCE_SHARED_MS};
use serde::{Deserialize, Serialize};

use crate::presence::elsewhere::{Peer, Told};

/// What a run of a node tells at a time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Telling {
    pub(super) node: String,
    pub(super) incarnation: u64,
    pub(super) number: u64,
    pub(super) people: Vec<(UserId, Option<Told>)>,
}

/// A change for the registry.
#[derive(Debug, PartialEq)]
pub(super) struct Change {
    pub(super) peer: Peer,
    pub(super) user: UserId,
    pub(super) told: Option<Told>,
}

/// The latest of a user on a run.
#[derive(Debug, Clone, Copy)]
struct Entry {
    number: u64,
    is_there: bool,
}

/// A run of another node.
#[derive(Debug)]
struct Run {
    peer: Peer,
    incarnation: u64,
    /// The highest number heard.
    number: u64,
    heard_at: Duration,
    people: HashMap<UserId, Entry>,
    /// Something was missed: its people are to be read.
    is_wanting: bool,
    /// Its people are being read: from which number on, and who was found.
    reading: Option<(u64, HashSet<UserId>)>,
}

/// The runs of other nodes.
#[derive(Debug)]
pub(super) struct Roll {
    own: String,
    runs: HashMap<String, Run>,
    peers: Peer,
    /// The time in which others could be heard.
    now: Duration,
}

impl Run {
    /// Notes what was told of a user, if it is news and there is room for him.
    fn note(
        &mut self,
        user: UserId,
        number: u64,
        told: Option<Told>,
        room: &mut usize,
    ) -> Option<Change> {
        let known = self.people.get(&user);
        if known.is_some_and(|known| known.number >= number) {
            return None;
        }
        if known.is_none() {
            *room = room.checked_sub(1)?;
        }
        let was_there = known.is_some_and(|known| known.is_there);
        let is_there = told.is_some();
        // Who has gone is remembered while an older entry of his may still be read.
        if is_there || self.is_wanting || self.reading.is_some() {
            self.people.insert(user, Entry { number, is_there });
        } else {
            self.people.remove(&user);
        }
        (is_there || was_there).then_some(Change {
            peer: self.peer,
            user,
            told,
        })
    }

    /// Everybody on it has gone.
    fn end(self) -> Vec<Change> {
        let people = self.people.into_iter();
        let there = people.filter(|(_, entry)| entry.is_there);
        let gone = there.map(|(user, _)| Change {
            peer: self.peer,
            user,
            told: None,
        });
        gone.collect()
    }
}

impl Roll {
    /// Of the node with this name.
    pub(super) fn new(own: &str) -> Self {
        Self {
            own: own.to_owned(),
            runs: HashMap::new(),
            peers: 0,
            now: Duration::ZERO,
        }
    }

    /// The run of a node, if it is not over; what an earlier run told is void.
    fn run(&mut self, node: &str, incarnation: u64, out: &mut Vec<Change>) -> Option<&mut Run> {
        if node == self.own {
            return None;
        }
        let known = self.runs.get(node).map(|run| run.incarnation);
        if known.is_some_and(|known| known > incarnation) {
            return None;
        }
        if known != Some(incarnation) {
            if let Some(earlier) = self.runs.remove(node) {
                out.extend(earlier.end());
            }
            if self.runs.len() >= HINTS {
                return None;
            }
            self.peers += 1;
            let run = Run {
                peer: self.peers,
                incarnation,
                number: 0,
                heard_at: self.now,
                people: HashMap::new(),
                is_wanting: true,
                reading: None,
            };
            self.runs.insert(node.to_owned(), run);
        }
        let now = self.now;
        let run = self.runs.get_mut(node)?;
        run.heard_at = now;
        Some(run)
    }

    /// A run exists.
    pub(super) fn meet(&mut self, node: &str, incarnation: u64) -> Vec<Change> {
        let mut out = Vec::new();
        let _ = self.run(node, incarnation, &mut out);
        out
    }

    /// A run lives, and has told so much.
    pub(super) fn beat(&mut self, node: &str, incarnation: u64, number: u64) -> Vec<Change> {
        let mut out = Vec::new();
        if let Some(run) = self.run(node, incarnation, &mut out)
            && number > run.number
        {
            run.number = number;
            run.is_wanting = true;
        }
        out
    }

    /// A run tells something.
    pub(super) fn hear(&mut self, telling: Telling) -> Vec<Change> {
        let mut out = Vec::new();
        let number = telling.number;
        let mut room = self.room();
        if let Some(run) = self.run(&telling.node, telling.incarnation, &mut out) {
            run.is_wanting |= number > run.number + 1;
            run.number = number.max(run.number);
            let people = telling.people.into_iter();
            let news = people.filter_map(|(user, told)| run.note(user, number, told, &mut room));
            out.extend(news);
        }
        out
    }

    /// A run is over.
    pub(super) fn forget(&mut self, node: &str, incarnation: u64) -> Vec<Change> {
        match self.runs.get(node) {
            Some(run) if run.incarnation <= incarnation => {
                self.runs.remove(node).map(Run::end).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// Others could be heard for so long since the last time; who has been silent for too long is forgotten.
    pub(super) fn passed(&mut self, time: Duration) -> Vec<Change> {
        self.now += time;
        let most = Duration::from_millis(PRESENCE_SHARED_MS);
        let now = self.now;
        let runs = self.runs.extract_if(|_, run| now - run.heard_at >= most);
        let silent: Vec<Run> = runs.map(|(_, run)| run).collect();
        silent.into_iter().flat_map(Run::end).collect()
    }

    /// Others are not heard: whatever they tell is missed.
    pub(super) fn lost(&mut self) {
        for run in self.runs.values_mut() {
            run.is_wanting = true;
            run.reading = None;
        }
    }

    /// Of how many more people something can be known.
    fn room(&self) -> usize {
        let known: usize = self.runs.values().map(|run| run.people.len()).sum();
        PRESENCE_ELSEWHERE.saturating_sub(known)
    }

    /// Whether the people of some run are to be read.
    pub(super) fn is_wanting(&self) -> bool {
        self.runs.values().any(|run| run.is_wanting)
    }

    /// A run whose people are to be read from now on.
    pub(super) fn begin_reading(&mut self) -> Option<(String, u64)> {
        let (node, run) = self.runs.iter_mut().find(|(_, run)| run.is_wanting)?;
        run.is_wanting = false;
        run.reading = Some((run.number, HashSet::new()));
        Some((node.clone(), run.incarnation))
    }

    /// Some of its people, with the numbers of what was told of them.
    pub(super) fn read(
        &mut self,
        node: &str,
        incarnation: u64,
        people: Vec<(UserId, u64, Told)>,
    ) -> Vec<Change> {
        let mut room = self.room();
        let run = self.runs.get_mut(node);
        let Some(run) = run.filter(|run| run.incarnation == incarnation) else {
            return Vec::new();
        };
        let mut out = Vec::new();
        for (user, number, told) in people {
            if let Some((_, found)) = &mut run.reading {
                found.insert(user);
            }
            out.extend(run.note(user, number, Some(told), &mut room));
        }
        out
    }

    /// That was all of them: who was not among them has gone.
    pub(super) fn end_reading(&mut self, node: &str, incarnation: u64) -> Vec<Change> {
        let run = self.runs.get_mut(node);
        let Some(run) = run.filter(|run| run.incarnation == incarnation) else {
            return Vec::new();
        };
        let Some((since, found)) = run.reading.take() else {
            return Vec::new();
        };
        let mut out = Vec::new();
        let (peer, is_wanting) = (run.peer, run.is_wanting);
        run.people.retain(|&user, entry| {
            if entry.is_there && entry.number <= since && !found.contains(&user) {
                out.push(Change {
                    peer,
                    user,
                    told: None,
                });
                return false;
            }
            entry.is_there || is_wanting
        });
        out
    }
}

#[cfg(test)]
mod tests {
    use rookery_protocol::client::presence::Status;
    use serde_json::json;

    use super::*;

    const ADA: UserId = UserId(1);
    const BEN: UserId = UserId(2);
    const CY: UserId = UserId(3);

    fn told(status: Status) -> Told {
        serde_json::from_value(json!({ "seats": [["web", status]] })).unwrap()
    }

    fn online() -> Told {
        told(Status::Online)
    }

    fn telling(number: u64, people: Vec<(UserId, Option<Told>)>) -> Telling {
        Telling {
            node: "b".to_owned(),
            incarnation: 1,
            number,
            people,
        }
    }

    fn users(changes: &[Change]) -> Vec<(UserId, bool)> {
        let mut users: Vec<_> = changes.iter().map(|c| (c.user, c.told.is_some())).collect();
        users.sort_unstable();
        users
    }

    /// A roll that has read all of run 1 of node `b`, which was at `number`.
    fn complete(number: u64, people: Vec<(UserId, u64, Told)>) -> Roll {
        let mut roll = Roll::new("a");
        roll.beat("b", 1, number);
        assert_eq!(roll.begin_reading(), Some(("b".to_owned(), 1)));
        roll.read("b", 1, people);
        roll.end_reading("b", 1);
        assert_eq!(roll.begin_reading(), None);
        roll
    }

    #[test]
    fn what_is_told_in_order_needs_no_reading() {
        let mut roll = complete(4, vec![(ADA, 2, online())]);
        let heard = roll.hear(telling(5, vec![(BEN, Some(online())), (ADA, None)]));
        assert_eq!(users(&heard), [(ADA, false), (BEN, true)]);
        assert_eq!(roll.beat("b", 1, 5), []);
        assert_eq!(roll.begin_reading(), None);
        // Of who never was there nothing is heard.
        assert_eq!(roll.hear(telling(6, vec![(CY, None)])), []);
    }

    #[test]
    fn a_gap_is_filled_by_reading_and_what_was_told_meanwhile_is_newer() {
        let mut roll = complete(4, vec![(ADA, 2, online()), (BEN, 3, online())]);
        let heard = roll.hear(telling(7, vec![(CY, Some(online()))]));
        assert_eq!(users(&heard), [(CY, true)]);
        roll.begin_reading().unwrap();
        // While it is read, Ada goes and Dan comes.
        let dan = UserId(4);
        roll.hear(telling(8, vec![(ADA, None), (dan, Some(online()))]));
        let read = vec![(ADA, 6, told(Status::Idle)), (CY, 7, online())];
        assert_eq!(roll.read("b", 1, read), []);
        assert_eq!(users(&roll.end_reading("b", 1)), [(BEN, false)]);
        assert_eq!(roll.begin_reading(), None);
        assert_eq!(users(&roll.forget("b", 1)), [(CY, false), (dan, false)]);
    }

    #[test]
    fn a_sign_of_life_shows_what_was_missed() {
        let mut roll = complete(4, vec![(ADA, 2, online())]);
        roll.beat("b", 1, 3);
        assert_eq!(roll.begin_reading(), None);
        roll.beat("b", 1, 5);
        assert!(roll.begin_reading().is_some());
        let read = roll.read("b", 1, vec![(ADA, 5, told(Status::Dnd))]);
        assert_eq!(read[0].told, Some(told(Status::Dnd)));
    }

    #[test]
    fn a_new_run_ends_the_old_one_which_says_nothing_any_more() {
        let mut roll = complete(4, vec![(ADA, 2, online())]);
        assert_eq!(users(&roll.beat("b", 2, 1)), [(ADA, false)]);
        assert_eq!(roll.hear(telling(5, vec![(BEN, Some(online()))])), []);
        assert_eq!(roll.forget("b", 1), []);
        assert_eq!(roll.begin_reading(), Some(("b".to_owned(), 2)));
    }

    #[test]
    fn who_is_silent_for_too_long_is_forgotten_but_only_while_he_could_be_heard() {
        let mut roll = complete(4, vec![(ADA, 2, online())]);
        let nearly = Duration::from_millis(PRESENCE_SHARED_MS - 1);
        assert_eq!(roll.passed(nearly), []);
        roll.beat("b", 1, 4);
        assert_eq!(roll.passed(nearly), []);
        assert_eq!(
            users(&roll.passed(Duration::from_millis(1))),
            [(ADA, false)]
        );
    }

    #[test]
    fn after_a_loss_everything_is_read_again() {
        let mut roll = complete(4, vec![(ADA, 2, online()), (BEN, 3, online())]);
        roll.lost();
        assert!(roll.begin_reading().is_some());
        roll.lost();
        assert_eq!(roll.end_reading("b", 1), []);
        assert!(roll.begin_reading().is_some());
        roll.read("b", 1, vec![(BEN, 9, online())]);
        assert_eq!(users(&roll.end_reading("b", 1)), [(ADA, false)]);
    }

    #[test]
    fn a_node_does_not_hear_itself() {
        let mut roll = Roll::new("b");
        assert_eq!(roll.hear(telling(1, vec![(ADA, Some(online()))])), []);
        roll.beat("b", 1, 9);
        assert_eq!(roll.begin_reading(), None);
    }
}
