//! Tells other nodes who is online here, and the registry who is online there.
//!
//! A run of a node keeps its people in one hash, which expires as a whole when the node does not repeat itself. A change is
//! written there and told to whoever listens in one transaction; on a new connection the hash is written anew, so that a
//! Redis that comes back empty is filled again.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::Mutex;
use rookery_protocol::ids::UserId;
use rookery_protocol::limits::PRESENCE_SHARED_MS;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use super::link::{Link, Live, Patience};
use super::names::{Channel, Names};
use super::roll::{Change, Roll, Telling};
use crate::ephemeral::counters::Cells;
use crate::presence::Memory;
use crate::presence::elsewhere::Told;

/// How long changes are gathered.
const GATHER: Duration = Duration::from_millis(250);
/// People told of at a time.
const BATCH: usize = 64;
/// People read at a time, roughly.
const PAGE: usize = 256;

/// Presence over Redis.
pub(super) struct Mirror {
    link: Arc<Link>,
    names: Arc<Names>,
    cells: Arc<Cells>,
    registry: Arc<Memory>,
    roll: Mutex<Roll>,
    /// The number of what was told last.
    number: AtomicU64,
    /// Who was told of and has not gone since.
    told: Mutex<HashSet<UserId>>,
    /// Set when Redis has lost what it was told.
    is_missing: AtomicBool,
    wake: Notify,
    /// Counts how often everything was told.
    filled: watch::Sender<u64>,
}

impl Mirror {
    pub(super) fn new(
        link: Arc<Link>,
        names: Arc<Names>,
        cells: Arc<Cells>,
        registry: Arc<Memory>,
    ) -> Self {
        let roll = Mutex::new(Roll::new(&names.node));
        Self {
            link,
            names,
            cells,
            registry,
            roll,
            number: AtomicU64::new(0),
            told: Mutex::default(),
            is_missing: AtomicBool::new(false),
            wake: Notify::new(),
            filled: watch::Sender::new(0),
        }
    }

    /// The number of what other nodes can know of who is online here.
    pub(super) fn told(&self) -> u64 {
        self.number.load(Relaxed)
    }

    /// Changes when everything was told anew.
    pub(super) fn filled(&self) -> watch::Receiver<u64> {
        self.filled.subscribe()
    }

    /// Redis says that nobody is online here.
    pub(super) fn missing(&self) {
        if !self.told.lock().is_empty() {
            self.is_missing.store(true, Relaxed);
            self.wake.notify_one();
        }
    }

    /// There is a run of a node.
    pub(super) fn meet(&self, node: &str, incarnation: u64) {
        self.change(|roll| roll.meet(node, incarnation));
    }

    /// A run lives.
    pub(super) fn beat(&self, node: &str, incarnation: u64, number: u64) {
        self.change(|roll| roll.beat(node, incarnation, number));
    }

    /// A run is over.
    pub(super) fn forget(&self, node: &str, incarnation: u64) {
        self.change(|roll| roll.forget(node, incarnation));
    }

    /// Others could be heard for so long.
    pub(super) fn passed(&self, time: Duration) {
        self.change(|roll| roll.passed(time));
    }

    /// A run tells something.
    pub(super) fn hear(&self, message: &[u8]) {
        if let Ok(telling) = serde_json::from_slice::<Telling>(message) {
            self.change(|roll| roll.hear(telling));
        }
    }

    fn change(&self, change: impl FnOnce(&mut Roll) -> Vec<Change>) {
        // Held over the registry's part, so that changes arrive in their order.
        let mut roll = self.roll.lock();
        let changes = change(&mut roll);
        self.cells.presences_heard.add(changes.len());
        for Change { peer, user, told } in changes {
            self.registry.hear(peer, user, told);
        }
        if roll.is_wanting() {
            self.wake.notify_one();
        }
    }

    /// Tells and reads; for ever.
    pub(super) async fn run(self: Arc<Self>) {
        loop {
            let live = self.link.arrived().await;
            let _ = self.stay(&live).await;
            self.roll.lock().lost();
        }
    }

    /// Tells and reads on one connection, until it is lost.
    async fn stay(&self, live: &Live) -> Option<()> {
        self.fill(live).await?;
        loop {
            if self.is_missing.swap(false, Relaxed) {
                self.fill(live).await?;
            }
            while self.flush(live).await? {}
            while self.catch_up(live).await? {}
            tokio::select! {
                () = sleep(GATHER) => {}
                () = self.wake.notified() => {}
                () = self.link.departed(live.generation) => return None,
            }
        }
    }

    /// Tells everything anew: written beside what is there, and then put in its place.
    async fn fill(&self, live: &Live) -> Option<()> {
        let names = &self.names;
        let key = names.presence(&names.node, names.incarnation);
        let draft = format!("{key}:draft");
        let number = self.told() + 1;
        self.registry.tell_all();
        let mut told = HashSet::new();
        let mut begin = ::redis::pipe();
        begin.del(&draft).ignore();
        self.link
            .pipeline(live.clone(), Patience::Background, &begin)
            .await?;
        loop {
            let news = self.registry.news(BATCH);
            if news.is_empty() {
                break;
            }
            let mut commands = ::redis::pipe();
            commands.atomic();
            for (user, entry) in &news {
                if let Some(entry) = entry {
                    told.insert(*user);
                    commands.hset(&draft, user.0, value(number, entry)).ignore();
                } else if told.remove(user) {
                    commands.hdel(&draft, user.0).ignore();
                }
            }
            commands.pexpire(&draft, expiry()).ignore();
            self.link
                .pipeline(live.clone(), Patience::Background, &commands)
                .await?;
        }
        let mut end = ::redis::pipe();
        if told.is_empty() {
            end.del(&[&key, &draft]).ignore();
        } else {
            end.rename(&draft, &key).ignore();
        }
        self.link
            .pipeline(live.clone(), Patience::Background, &end)
            .await?;
        self.cells.presences_told.add(told.len());
        *self.told.lock() = told;
        self.number.store(number, Relaxed);
        self.filled.send_modify(|count| *count += 1);
        Some(())
    }

    /// Tells some of what changed; answers whether there was something.
    async fn flush(&self, live: &Live) -> Option<bool> {
        let mut people = self.registry.news(BATCH);
        if people.is_empty() {
            return Some(false);
        }
        {
            let told = self.told.lock();
            people.retain(|(user, entry)| entry.is_some() || told.contains(user));
        }
        if people.is_empty() {
            return Some(true);
        }
        let names = &self.names;
        let key = names.presence(&names.node, names.incarnation);
        let number = self.told() + 1;
        let mut commands = ::redis::pipe();
        commands.atomic();
        for (user, entry) in &people {
            match entry {
                Some(entry) => commands.hset(&key, user.0, value(number, entry)).ignore(),
                None => commands.hdel(&key, user.0).ignore(),
            };
        }
        commands.pexpire(&key, expiry()).ignore();
        let telling = Telling {
            node: names.node.clone(),
            incarnation: names.incarnation,
            number,
            people,
        };
        let message = serde_json::to_vec(&telling).unwrap_or_default();
        commands
            .publish(names.channel(Channel::Presence), message)
            .ignore();
        self.link
            .pipeline(live.clone(), Patience::Background, &commands)
            .await?;
        self.number.store(number, Relaxed);
        self.cells.presences_told.add(telling.people.len());
        let mut told = self.told.lock();
        for (user, entry) in telling.people {
            if entry.is_some() {
                told.insert(user);
            } else {
                told.remove(&user);
            }
        }
        Some(true)
    }

    /// Reads the people of one run of which something was missed; answers whether there was one.
    async fn catch_up(&self, live: &Live) -> Option<bool> {
        let Some((node, incarnation)) = self.roll.lock().begin_reading() else {
            return Some(false);
        };
        self.cells.presence_readings.one();
        let key = self.names.presence(&node, incarnation);
        let mut cursor = 0_u64;
        loop {
            let mut scan = ::redis::cmd("HSCAN");
            scan.arg(&key).arg(cursor).arg("COUNT").arg(PAGE);
            let page: (u64, Vec<Vec<u8>>) = self
                .link
                .command(live.clone(), Patience::Background, &scan)
                .await?;
            cursor = page.0;
            let people = page.1.chunks_exact(2).filter_map(|pair| {
                let user = std::str::from_utf8(&pair[0]).ok()?.parse().ok()?;
                let (number, told): (u64, Told) = serde_json::from_slice(&pair[1]).ok()?;
                Some((user, number, told))
            });
            let people = people.collect();
            self.change(|roll| roll.read(&node, incarnation, people));
            if cursor == 0 {
                break;
            }
        }
        self.change(|roll| roll.end_reading(&node, incarnation));
        Some(true)
    }
}

/// An entry of the hash.
fn value(number: u64, told: &Told) -> Vec<u8> {
    serde_json::to_vec(&(number, told)).unwrap_or_default()
}

fn expiry() -> i64 {
    i64::try_from(PRESENCE_SHARED_MS).unwrap_or(i64::MAX)
}
