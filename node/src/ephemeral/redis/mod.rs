//! Sharing over Redis: one connection (RESP3, so that messages of other nodes come on it too), and on it the drivers.
//!
//! Redis 6 or newer, or Valkey; one server, not a cluster of them. Every key expires by itself.

mod beat;
mod limits;
mod link;
mod mirror;
mod names;
mod profiles;
mod queue;
mod roll;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::redis::{Client, IntoConnectionInfo, ProtocolVersion, RedisResult, TlsCertificates};
use rookery_actors::entity::Clock;
use rookery_protocol::limits::EPHEMERAL_MS;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::beat::Beat;
use self::limits::RedisBuckets;
use self::link::Link;
use self::mirror::Mirror;
use self::names::{Channel, Names};
use self::profiles::RedisProfiles;
use super::counters::Cells;
use super::hints::Noted;
use super::{Ephemeral, EphemeralCounters, Hints, NodeState, Voided};
use crate::config::{self, SecretUrl};
use crate::presence::Memory;

/// How a node shares over Redis.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// The server.
    pub url: SecretUrl,
    /// What all keys and channels begin with.
    pub prefix: String,
    /// PEM file of the authority that signed the server's certificate, if it is none of the system's.
    pub ca: Option<PathBuf>,
    /// This node's name.
    pub node: String,
    /// Which run of it.
    pub incarnation: u64,
    /// How long a request waits for Redis.
    pub deadline: Duration,
}

impl RedisOptions {
    /// With the default prefix and deadline.
    pub fn new(url: SecretUrl, node: &str, incarnation: u64) -> Self {
        Self {
            url,
            prefix: config::Ephemeral::default().prefix,
            ca: None,
            node: node.to_owned(),
            incarnation,
            deadline: Duration::from_millis(EPHEMERAL_MS),
        }
    }
}

/// Why a Redis can never be reached.
#[derive(Debug, thiserror::Error)]
pub enum UnusableUrl {
    /// The URL is none of Redis.
    #[error("the url {url} cannot be used: {reason}")]
    Url {
        /// The URL without its credentials.
        url: SecretUrl,
        /// What is wrong.
        reason: String,
    },
    /// The authority's file cannot be read.
    #[error("the file {} cannot be read: {reason}", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: std::io::Error,
    },
}

/// What runs in the background.
pub(super) struct Shared {
    link: Arc<Link>,
    beat: Arc<Beat>,
    hints: Arc<Noted>,
    cells: Arc<Cells>,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl Shared {
    pub(super) fn is_within_reach(&self) -> bool {
        self.link.live().is_some()
    }

    pub(super) fn counters(&self) -> EphemeralCounters {
        self.cells.read()
    }

    pub(super) async fn shutdown(&self) {
        self.hints.say(NodeState::Gone, None);
        self.stopping.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.beat.farewell().await;
        self.link.close();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.stopping.cancel();
        self.link.close();
    }
}

/// Starts sharing.
pub(super) fn start(
    options: RedisOptions,
    clock: Arc<dyn Clock>,
    accounts: Arc<dyn Voided>,
) -> Result<Ephemeral, UnusableUrl> {
    // The driver asks rustls for the process's provider. An error says that there is one already: it is this one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = client(&options)?;
    let names = Arc::new(Names::new(&options));
    let cells = Arc::new(Cells::default());
    let link = Link::new(client, &options, Arc::clone(&names), Arc::clone(&cells));
    let presence = Arc::new(Memory::telling());
    let hints = Arc::new(Noted::new(
        &options.node,
        options.incarnation,
        Arc::clone(&clock),
    ));
    let buckets = RedisBuckets::new(Arc::clone(&link), Arc::clone(&names), Arc::clone(&cells));
    let profiles = Arc::new(RedisProfiles::new(
        Arc::clone(&link),
        Arc::clone(&names),
        Arc::clone(&cells),
        accounts,
        clock,
    ));
    let mirror = Arc::new(Mirror::new(
        Arc::clone(&link),
        Arc::clone(&names),
        Arc::clone(&cells),
        Arc::clone(&presence),
    ));
    let beat = Arc::new(Beat::new(
        Arc::clone(&link),
        Arc::clone(&names),
        Arc::clone(&hints),
        Arc::clone(&mirror),
    ));
    let stopping = CancellationToken::new();
    let tasks = TaskTracker::new();
    let run = |task: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>| {
        let stopping = stopping.clone();
        tasks.spawn(async move {
            tokio::select! {
                () = task => {}
                () = stopping.cancelled() => {}
            }
        });
    };
    let ears = Ears {
        profiles: Arc::clone(&profiles),
        mirror: Arc::clone(&mirror),
        beat: Arc::clone(&beat),
    };
    run(Box::pin(Arc::clone(&link).run(Arc::new(ears))));
    run(Box::pin(Arc::clone(&profiles).post()));
    run(Box::pin(mirror.run()));
    run(Box::pin(Arc::clone(&beat).run()));
    Ok(Ephemeral {
        buckets: Arc::new(buckets),
        profiles,
        presence,
        hints: Arc::clone(&hints) as Arc<dyn Hints>,
        shared: Some(Shared {
            link,
            beat,
            hints,
            cells,
            stopping,
            tasks,
        }),
    })
}

/// What hears the messages of other nodes. It runs where the connection is read, so it is quick and never waits.
struct Ears {
    profiles: Arc<RedisProfiles>,
    mirror: Arc<Mirror>,
    beat: Arc<Beat>,
}

impl Ears {
    /// From here on everything is heard; what was said before may have been missed.
    fn open(&self) {
        self.profiles.missed();
    }

    fn hear(&self, channel: Channel, message: &[u8]) {
        match channel {
            Channel::Voids => self.profiles.hear(message),
            Channel::Presence => self.mirror.hear(message),
            Channel::Nodes => self.beat.hear(message),
        }
    }
}

fn client(options: &RedisOptions) -> Result<Client, UnusableUrl> {
    let authority = match &options.ca {
        None => None,
        Some(path) => {
            let read = std::fs::read(path).map_err(|reason| UnusableUrl::Authority {
                path: path.clone(),
                reason,
            });
            Some(read?)
        }
    };
    open(options.url.expose(), authority).map_err(|error| UnusableUrl::Url {
        url: options.url.clone(),
        reason: error.to_string(),
    })
}

fn open(url: &str, authority: Option<Vec<u8>>) -> RedisResult<Client> {
    let info = url.into_connection_info()?;
    let settings = info.redis_settings().clone();
    let info = info.set_redis_settings(settings.set_protocol(ProtocolVersion::RESP3));
    match authority {
        None => Client::open(info),
        Some(_) => Client::build_with_tls(
            info,
            TlsCertificates {
                client_tls: None,
                root_cert: authority,
            },
        ),
    }
}
