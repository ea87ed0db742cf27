//! The watchman: notices by itself what is not as it should be. Pure: it is shown the node once a second.

use std::collections::{BTreeMap, HashMap};

use rookery_actors::commit::CommitCounters;
use rookery_actors::entity::{Buckets, Clock, Incident, KindView, Trouble, percentile_ns};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::inspect::{ActorId, ActorKind, LinkRow, Warning, WarningKind};
use rookery_protocol::limits;
use rookery_protocol::time::Millis;

use super::Inspector;

/// Milliseconds for which a warning is shown after it was seen last.
const SHOWN_MS: u64 = 60_000;
/// Warnings that are kept.
const WARNINGS: usize = 512;
/// Milliseconds that 99 of 100 messages may wait at most.
const WAIT_MS: u64 = 100;
/// Messages of a second below which their waits say little.
const ENOUGH: u64 = 20;
/// Milliseconds that a commit may take.
const COMMIT_MS: u64 = 250;
/// Milliseconds that must be left of a lease: it is renewed every second, and lasts five.
const LEASE_LEFT_MS: u64 = 2_500;
/// Restarts of an actor within [`LOOP_MS`] that make a loop.
const LOOP: usize = 3;
/// See [`LOOP`].
const LOOP_MS: u64 = 60_000;
/// Looks in a row in which a link is down before that is said: it is for a moment when nodes come.
const LOOKS: u32 = 5;
/// Looks between two for entities that are where they do not belong, of which each is asked for.
const PLACES: u64 = 5;

/// What the watchman is shown.
#[derive(Debug, Default)]
pub(super) struct Sight {
    pub(super) node: String,
    pub(super) now: Millis,
    /// Entities for whom too much waits.
    pub(super) crowded: Vec<(EntityRef, u64)>,
    /// Entities that belong to another node; not looked for every time.
    pub(super) misplaced: Option<Vec<EntityRef>>,
    pub(super) incidents: Vec<Incident>,
    pub(super) kinds: Vec<KindView>,
    pub(super) commit: CommitCounters,
    pub(super) links: Vec<LinkRow>,
    /// Milliseconds that are left of the lease; none of a node that is alone.
    pub(super) lease_left_ms: Option<u64>,
}

/// One thing that is warned of: another sight of it makes no other warning.
type About = (WarningKind, Option<ActorId>, String);

/// What it remembers.
#[derive(Debug, Default)]
pub(super) struct Watchman {
    warnings: HashMap<About, Warning>,
    counts: BTreeMap<WarningKind, u64>,
    depths: HashMap<EntityRef, u64>,
    /// Those that were where they do not belong at the last look.
    misplaced: Vec<EntityRef>,
    /// Looks so far.
    looks: u64,
    down: HashMap<String, u32>,
    dropped: HashMap<String, u64>,
    waits: HashMap<(ActorKind, &'static str), Buckets>,
    crashes: HashMap<EntityRef, Vec<Millis>>,
    commits: u64,
}

impl Inspector {
    pub(super) fn sight(&self) -> Sight {
        let directory = &self.parts.app.directory;
        let cluster = self.parts.cluster.as_ref();
        let is_due = self.watchman.lock().looks_for_places();
        Sight {
            node: self.node().to_owned(),
            now: self.parts.app.clock.now(),
            crowded: directory.crowded(),
            misplaced: (is_due && cluster.is_some()).then(|| directory.misplaced()),
            incidents: directory.take_incidents(),
            kinds: self.kinds(),
            commit: self.parts.lane.counters(),
            links: self.link_rows(),
            lease_left_ms: cluster.map(|cluster| cluster.lease_left_ms()),
        }
    }
}

impl Watchman {
    /// The warnings of the last minute, the newest first.
    pub(super) fn current(&self) -> Vec<Warning> {
        let mut warnings: Vec<Warning> = self.warnings.values().cloned().collect();
        warnings.sort_by(|a, b| (b.last_ms, &a.what).cmp(&(a.last_ms, &b.what)));
        warnings
    }

    /// How often each kind was seen.
    pub(super) fn counts(&self) -> impl Iterator<Item = (WarningKind, u64)> {
        self.counts.iter().map(|(&kind, &count)| (kind, count))
    }

    /// Whether entities that are where they do not belong are to be looked for now.
    fn looks_for_places(&self) -> bool {
        self.looks.is_multiple_of(PLACES)
    }

    /// Looks at the node.
    pub(super) fn look(&mut self, sight: Sight) {
        let now = sight.now;
        self.looks += 1;
        self.warnings
            .retain(|_, warning| now.0.saturating_sub(warning.last_ms) < SHOWN_MS);
        self.mailboxes(&sight);
        self.places(&sight);
        self.incidents(&sight);
        self.waits(&sight);
        self.commits(&sight);
        self.links(&sight);
        if let Some(left) = sight.lease_left_ms
            && left < LEASE_LEFT_MS
        {
            let what = format!(
                "the lease was not renewed for a while: {left} ms are left of it, and without it requests are answered 503; \
                 look whether MongoDB answers"
            );
            self.warn(&sight, WarningKind::LeaseLate, None, "", what);
        }
    }

    fn warn(
        &mut self,
        sight: &Sight,
        kind: WarningKind,
        actor: Option<ActorId>,
        detail: &str,
        what: String,
    ) {
        let about = (kind, actor, detail.to_owned());
        let known = self.warnings.get_mut(&about);
        if let Some(known) = known {
            known.last_ms = sight.now.0;
            known.what = what;
            return;
        }
        *self.counts.entry(kind).or_default() += 1;
        if self.warnings.len() < WARNINGS {
            let warning = Warning {
                kind,
                node: sight.node.clone(),
                actor,
                what,
                since_ms: sight.now.0,
                last_ms: sight.now.0,
            };
            self.warnings.insert(about, warning);
        }
    }

    fn mailboxes(&mut self, sight: &Sight) {
        let before = std::mem::take(&mut self.depths);
        for &(entity, depth) in &sight.crowded {
            self.depths.insert(entity, depth);
            let is_worse = |&before: &u64| depth > before || depth >= limits::MAILBOX;
            if before.get(&entity).is_some_and(is_worse) {
                let what = format!(
                    "{depth} messages wait for {entity}, and they do not become fewer: it is asked more than it can do; above {} \
                     it refuses as busy",
                    limits::MAILBOX
                );
                let actor = Some(entity.into());
                self.warn(sight, WarningKind::Mailbox, actor, "", what);
            }
        }
    }

    /// An entity that goes is where it does not belong for a moment: only one that is so twice in a row is warned of.
    fn places(&mut self, sight: &Sight) {
        let Some(misplaced) = &sight.misplaced else {
            return;
        };
        let before = std::mem::replace(&mut self.misplaced, misplaced.clone());
        for entity in misplaced.iter().filter(|entity| before.contains(entity)) {
            let what = format!(
                "{entity} is active here although another node owns it: it may be active twice, and does not end"
            );
            let actor = Some((*entity).into());
            self.warn(sight, WarningKind::ActiveTwice, actor, "", what);
        }
    }

    fn incidents(&mut self, sight: &Sight) {
        let now = sight.now;
        self.crashes.retain(|_, crashes| {
            crashes.retain(|&at| now.since(at) < LOOP_MS);
            !crashes.is_empty()
        });
        for Incident { entity, what } in &sight.incidents {
            let actor = Some(ActorId::from(*entity));
            match what {
                Trouble::Slow { kind, ns } => {
                    let ms = ns / 1_000_000;
                    let what =
                        format!("{entity} took {ms} ms for one {kind}; others waited meanwhile");
                    self.warn(sight, WarningKind::Handler, actor, kind, what);
                }
                Trouble::Crashed { error, restarts } => {
                    let crashes = self.crashes.entry(*entity).or_default();
                    crashes.push(now);
                    let count = crashes.len();
                    if count >= LOOP {
                        let what = format!(
                            "{entity} crashed {count} times within a minute, {restarts} times in all; last of: {error}"
                        );
                        self.warn(sight, WarningKind::RestartLoop, actor, "", what);
                    }
                }
            }
        }
    }

    fn waits(&mut self, sight: &Sight) {
        for kind in &sight.kinds {
            let before = self.waits.insert((kind.actor, kind.kind), kind.wait);
            // What was before the first look is not of this second.
            let Some(before) = before else { continue };
            let lately: Buckets = std::array::from_fn(|n| kind.wait[n].saturating_sub(before[n]));
            let count: u64 = lately.iter().sum();
            let p99_ms = percentile_ns(&lately, 99) / 1_000_000;
            if count >= ENOUGH && p99_ms > WAIT_MS {
                let (actor, kind) = (kind.actor, kind.kind);
                let what = format!(
                    "one {kind} in a hundred waited about {p99_ms} ms for its {actor} ({count} in a second)"
                );
                self.warn(sight, WarningKind::Wait, None, kind, what);
            }
        }
    }

    fn commits(&mut self, sight: &Sight) {
        let commit = &sight.commit;
        let ms = commit.last_ns / 1_000_000;
        if commit.commits > self.commits && ms > COMMIT_MS {
            let what = format!(
                "a commit took {ms} ms ({} units in it, {} wait): look at the disk, or at MongoDB",
                commit.last_batch, commit.outstanding
            );
            self.warn(sight, WarningKind::CommitSlow, None, "", what);
        }
        self.commits = commit.commits;
    }

    fn links(&mut self, sight: &Sight) {
        let down = std::mem::take(&mut self.down);
        for link in &sight.links {
            let peer = &link.peer;
            let before = self.dropped.insert(peer.clone(), link.dropped);
            if before.is_some_and(|before| link.dropped > before) {
                let what = format!(
                    "the budget of the link to {peer} is used up: {} bytes are queued, and what may be lost is dropped",
                    link.queued_bytes
                );
                self.warn(sight, WarningKind::LinkFull, None, peer, what);
            }
            if link.is_up {
                continue;
            }
            let looks = down.get(peer).map_or(1, |looks| looks + 1);
            self.down.insert(peer.clone(), looks);
            if looks >= LOOKS {
                let what = format!(
                    "there is no link to {peer}: it is down, or the network between both is"
                );
                self.warn(sight, WarningKind::LinkDown, None, peer, what);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rookery_protocol::ids::GroupId;

    use super::*;

    fn group() -> EntityRef {
        GroupId(7).into()
    }

    fn at(second: u64) -> Sight {
        Sight {
            node: "n1".to_owned(),
            now: Millis(second * 1_000),
            ..Sight::default()
        }
    }

    fn kinds(watchman: &Watchman) -> Vec<WarningKind> {
        let warnings = watchman.current();
        warnings.iter().map(|warning| warning.kind).collect()
    }

    fn link(is_up: bool, dropped: u64) -> LinkRow {
        LinkRow {
            peer: "n2".to_owned(),
            is_up,
            links: 1,
            queued_bytes: 5,
            sent: 0,
            received: 0,
            dropped,
        }
    }

    #[test]
    fn a_crowded_mailbox_is_warned_of_while_it_grows_or_is_full() {
        let mut watchman = Watchman::default();
        for (second, depth) in [(1, 1_010), (2, 1_005), (3, 1_005)] {
            let crowded = vec![(group(), depth)];
            watchman.look(Sight {
                crowded,
                ..at(second)
            });
            assert_eq!(kinds(&watchman), []);
        }
        for second in 4..7 {
            let crowded = vec![(group(), 1_002 + second)];
            watchman.look(Sight {
                crowded,
                ..at(second)
            });
        }
        let warnings = watchman.current();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert_eq!(warnings[0].actor, Some(group().into()));
        assert_eq!((warnings[0].since_ms, warnings[0].last_ms), (4_000, 6_000));
        assert_eq!(
            watchman.counts().collect::<Vec<_>>(),
            [(WarningKind::Mailbox, 1)]
        );
        watchman.look(at(66));
        assert_eq!(kinds(&watchman), [], "a minute later it is over");
        for second in 67..69 {
            let crowded = vec![(group(), limits::MAILBOX)];
            watchman.look(Sight {
                crowded,
                ..at(second)
            });
        }
        assert_eq!(kinds(&watchman), [WarningKind::Mailbox]);
    }

    #[test]
    fn three_crashes_in_a_minute_are_a_loop() {
        let mut watchman = Watchman::default();
        let crash = |restarts| Incident {
            entity: group(),
            what: Trouble::Crashed {
                error: "of this".to_owned(),
                restarts,
            },
        };
        for (second, restarts) in [(1, 1), (50, 2), (100, 3)] {
            let incidents = vec![crash(restarts)];
            watchman.look(Sight {
                incidents,
                ..at(second)
            });
            assert_eq!(kinds(&watchman), []);
        }
        let incidents = vec![crash(4), crash(5)];
        watchman.look(Sight {
            incidents,
            ..at(105)
        });
        assert_eq!(kinds(&watchman), [WarningKind::RestartLoop]);
        assert!(watchman.current()[0].what.contains("of this"));
    }

    #[test]
    fn what_is_slow_is_named() {
        let mut watchman = Watchman::default();
        let what = Trouble::Slow {
            kind: "PostMessage",
            ns: 80_000_000,
        };
        let incidents = vec![Incident {
            entity: group(),
            what,
        }];
        let commit = CommitCounters {
            commits: 1,
            last_ns: 300_000_000,
            ..CommitCounters::default()
        };
        watchman.look(Sight {
            incidents,
            commit,
            lease_left_ms: Some(1_000),
            ..at(1)
        });
        let mut seen = kinds(&watchman);
        seen.sort();
        let expected = [
            WarningKind::Handler,
            WarningKind::CommitSlow,
            WarningKind::LeaseLate,
        ];
        assert_eq!(seen, expected);
        // The same commit is no news.
        watchman.look(Sight {
            commit,
            lease_left_ms: Some(4_000),
            ..at(62)
        });
        assert_eq!(kinds(&watchman), []);
    }

    #[test]
    fn waits_are_those_of_a_second() {
        let mut watchman = Watchman::default();
        let mut kind = KindView {
            actor: ActorKind::Group,
            kind: "PostMessage",
            wait: Buckets::default(),
            handle: Buckets::default(),
            busy_ns: 0,
        };
        // 2^18 microseconds and more.
        kind.wait[18] = 1_000;
        watchman.look(Sight {
            kinds: vec![kind],
            ..at(1)
        });
        assert_eq!(kinds(&watchman), [], "they were before it looked");
        kind.wait[0] += 100;
        watchman.look(Sight {
            kinds: vec![kind],
            ..at(2)
        });
        assert_eq!(kinds(&watchman), []);
        kind.wait[18] += 30;
        watchman.look(Sight {
            kinds: vec![kind],
            ..at(3)
        });
        assert_eq!(kinds(&watchman), [WarningKind::Wait]);
    }

    #[test]
    fn links_may_be_down_for_a_moment_and_entities_astray() {
        let mut watchman = Watchman::default();
        for second in 1..10 {
            let is_up = second % 4 == 0;
            let misplaced =
                (second % 2 == 0).then(|| if is_up { Vec::new() } else { vec![group()] });
            let links = vec![link(is_up, 0)];
            watchman.look(Sight {
                links,
                misplaced,
                ..at(second)
            });
        }
        assert_eq!(kinds(&watchman), []);
        for second in 10..16 {
            let links = vec![link(false, 1)];
            let misplaced = Some(vec![group()]);
            watchman.look(Sight {
                links,
                misplaced,
                ..at(second)
            });
        }
        let mut seen = kinds(&watchman);
        seen.sort();
        let expected = [
            WarningKind::ActiveTwice,
            WarningKind::LinkFull,
            WarningKind::LinkDown,
        ];
        assert_eq!(seen, expected);
    }
}
