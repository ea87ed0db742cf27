//! Profiles in Redis, behind the copies of this node.
//!
//! A value is the account's version and its profile, or the version alone: then everything older is void, and a reading of
//! the store that began before can not put it back. Only what everybody may see goes there; accounts, with their logins,
//! stay in the node.

use std::sync::Arc;
use std::time::Duration;

use ::redis::Script;
use async_trait::async_trait;
use parking_lot::Mutex;
use rookery_actors::entity::Clock;
use rookery_protocol::ids::UserId;
use rookery_protocol::limits::{COPY_HEARD_MS, COPY_UNHEARD_MS, PROFILE_SHARED_MS};
use rookery_protocol::profile::Profile;
use tokio::sync::Notify;

use super::link::{Link, Live, Patience};
use super::names::{Channel, Names};
use super::queue::Queue;
use crate::ephemeral::counters::Cells;
use crate::ephemeral::profiles::CAPACITY;
use crate::ephemeral::{Copies, Known, Looked, Profiles, Reading, Voided};

/// What is told at a time.
const BATCH: usize = 256;
/// The message that everything is void.
const EVERYTHING: &str = "*";

pub(super) fn fill_script() -> Script {
    Script::new(include_str!("fill.lua"))
}

pub(super) fn void_script() -> Script {
    Script::new(include_str!("void.lua"))
}

/// Profiles over Redis.
pub(super) struct RedisProfiles {
    link: Arc<Link>,
    names: Arc<Names>,
    cells: Arc<Cells>,
    copies: Copies<Known>,
    accounts: Arc<dyn Voided>,
    queue: Mutex<Queue>,
    waiting: Notify,
    fill: Script,
    void: Script,
}

impl RedisProfiles {
    pub(super) fn new(
        link: Arc<Link>,
        names: Arc<Names>,
        cells: Arc<Cells>,
        accounts: Arc<dyn Voided>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            link,
            names,
            cells,
            copies: Copies::new(CAPACITY, clock),
            accounts,
            queue: Mutex::default(),
            waiting: Notify::new(),
            fill: fill_script(),
            void: void_script(),
        }
    }

    /// Voids may have been missed.
    pub(super) fn missed(&self) {
        self.copies.void_all();
        self.accounts.void_all();
    }

    /// Takes a message: pairs of a user and a version.
    pub(super) fn hear(&self, message: &[u8]) {
        let message = std::str::from_utf8(message).unwrap_or(EVERYTHING);
        if message == EVERYTHING {
            self.missed();
            return;
        }
        let mut numbers = message.split(' ').map_while(|word| word.parse().ok());
        while let (Some(user), Some(version)) = (numbers.next(), numbers.next()) {
            self.cells.voids_heard.one();
            self.copies.void(UserId(user), version);
            self.accounts.void(UserId(user), version);
        }
    }

    /// What Redis knows of users, in their order.
    async fn ask(&self, live: Live, users: &[UserId]) -> Option<Vec<Option<Arc<Known>>>> {
        let mut get = ::redis::cmd("MGET");
        get.arg(
            users
                .iter()
                .map(|&user| self.names.profile(user))
                .collect::<Vec<_>>(),
        );
        let values: Vec<Option<Vec<u8>>> = self.link.command(live, Patience::Request, &get).await?;
        let known = values.iter().map(|value| value.as_deref().and_then(read));
        Some(known.map(|known| known.map(Arc::new)).collect())
    }

    /// Tells Redis what waits; for ever.
    pub(super) async fn post(self: Arc<Self>) {
        loop {
            let live = self.link.arrived().await;
            if self.tell(&live).await.is_some() {
                tokio::select! {
                    () = self.waiting.notified() => {}
                    () = self.link.departed(live.generation) => {}
                }
            }
        }
    }

    /// Tells what waits now. `None` when Redis was lost meanwhile.
    async fn tell(&self, live: &Live) -> Option<()> {
        if self.queue.lock().is_everything_void() {
            self.tell_void(live, &[], EVERYTHING).await?;
            self.queue.lock().told_everything();
        }
        loop {
            let voids = self.queue.lock().voids(BATCH);
            if voids.is_empty() {
                break;
            }
            let words = voids
                .iter()
                .map(|(user, version)| format!("{user} {version}"));
            let message = words.collect::<Vec<_>>().join(" ");
            self.tell_void(live, &voids, &message).await?;
            self.cells.voids_told.add(voids.len());
            self.queue.lock().told(&voids);
        }
        loop {
            let (offers, dropped) = self.queue.lock().offers(live.generation, BATCH);
            self.cells.offers_dropped.add(dropped);
            if offers.is_empty() {
                return Some(());
            }
            self.tell_offers(live, &offers).await?;
            self.cells.profiles_offered.add(offers.len());
        }
    }

    async fn tell_void(&self, live: &Live, voids: &[(UserId, u64)], message: &str) -> Option<()> {
        let mut call = self.void.prepare_invoke();
        call.arg(PROFILE_SHARED_MS);
        call.arg(self.names.channel(Channel::Voids)).arg(message);
        for (user, version) in voids {
            call.key(self.names.profile(*user)).arg(*version);
        }
        self.link
            .script(live.clone(), Patience::Background, &call)
            .await
    }

    async fn tell_offers(&self, live: &Live, offers: &[Arc<Known>]) -> Option<()> {
        let mut call = self.fill.prepare_invoke();
        call.arg(PROFILE_SHARED_MS);
        for known in offers {
            let Ok(profile) = serde_json::to_vec(&known.profile) else {
                continue;
            };
            call.key(self.names.profile(known.profile.id));
            call.arg(known.version).arg(profile);
        }
        self.link
            .script(live.clone(), Patience::Background, &call)
            .await
    }
}

#[async_trait]
impl Profiles for RedisProfiles {
    async fn look(&self, users: &[UserId]) -> Looked {
        let ticket = self.copies.ticket();
        let max_age = self.max_age();
        let mut looked = Looked {
            known: Vec::with_capacity(users.len()),
            reading: Reading {
                ticket,
                generation: 0,
            },
        };
        let mut missing = Vec::new();
        for &user in users {
            match self.copies.get(user, max_age) {
                Some(known) => looked.known.push(known),
                None => missing.push(user),
            }
        }
        let Some(live) = self.link.live().filter(|_| !missing.is_empty()) else {
            return looked;
        };
        let generation = live.generation;
        {
            let queue = self.queue.lock();
            missing.retain(|&user| !queue.is_void(user));
        }
        if missing.is_empty() {
            return looked;
        }
        let Some(found) = self.ask(live, &missing).await else {
            return looked;
        };
        looked.reading.generation = generation;
        for known in found {
            let Some(known) = known else {
                self.cells.profile_misses.one();
                continue;
            };
            self.cells.profile_hits.one();
            let (user, version) = (known.profile.id, known.version);
            self.copies.keep(ticket, user, version, Arc::clone(&known));
            looked.known.push(known);
        }
        looked
    }

    fn offer(&self, reading: Reading, known: Arc<Known>) {
        let (user, version) = (known.profile.id, known.version);
        self.copies
            .keep(reading.ticket, user, version, Arc::clone(&known));
        if reading.generation != 0 && self.link.is_current(reading.generation) {
            if self.queue.lock().offer(reading.generation, known) {
                self.cells.offers_dropped.one();
            }
            self.waiting.notify_one();
        }
    }

    fn invalidate(&self, user: UserId, version: u64) {
        self.copies.void(user, version);
        if !self.queue.lock().void(user, version) {
            self.cells.voids_overflowed.one();
        }
        self.waiting.notify_one();
    }

    fn max_age(&self) -> Option<Duration> {
        let hears = self.link.live().is_some();
        let ms = if hears {
            COPY_HEARD_MS
        } else {
            COPY_UNHEARD_MS
        };
        Some(Duration::from_millis(ms))
    }
}

/// The profile of a value, if it has one.
fn read(value: &[u8]) -> Option<Known> {
    let place = value.iter().position(|&byte| byte == b' ')?;
    let (version, profile) = value.split_at(place);
    let profile: Profile = serde_json::from_slice(&profile[1..]).ok()?;
    let version = std::str::from_utf8(version).ok()?.parse().ok()?;
    Some(Known { version, profile })
}
