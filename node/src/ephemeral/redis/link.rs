//! The connection to Redis, and whether it is there. Requests use what is there and never wait for what is not: the first
//! one that gets no answer in time opens the circuit for all, and only a probe in the background closes it again.

use std::sync::{Arc, Weak};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, Pipeline, PushInfo, PushKind, RedisResult,
    Script, ScriptInvocation, Value,
};
use parking_lot::RwLock;
use rookery_protocol::limits::{EPHEMERAL_BACKGROUND_MS, EPHEMERAL_CONNECT_MS, EPHEMERAL_PROBE_MS};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use super::names::{Channel, Names};
use super::{Ears, RedisOptions};
use crate::config::SecretUrl;
use crate::ephemeral::counters::Cells;

/// The first pause before Redis is looked for again; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest such pause: how long a Redis that is back may go unnoticed.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A connection that lasted so long was no false start.
const GOOD: Duration = Duration::from_secs(10);
/// Commands that wait to be written; behind them callers wait within their deadline.
const QUEUED: usize = 1_024;

/// How long somebody waits for Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// A request's: as long as the settings say.
    Request,
    /// That of work in the background.
    Background,
}

/// A connection that was of use last time.
#[derive(Clone)]
pub(super) struct Live {
    /// Which connection; from 1 on.
    pub(super) generation: u64,
    connection: MultiplexedConnection,
}

/// The link to Redis.
pub(super) struct Link {
    client: Client,
    /// The server, without credentials.
    url: SecretUrl,
    deadline: Duration,
    names: Arc<Names>,
    cells: Arc<Cells>,
    live: RwLock<Option<Live>>,
    /// The live connection's generation; 0 while there is none.
    generation: watch::Sender<u64>,
    lost: Notify,
    /// Loaded on every connection, so that a call is one round trip.
    scripts: Vec<Script>,
}

impl Link {
    pub(super) fn new(
        client: Client,
        options: &RedisOptions,
        names: Arc<Names>,
        cells: Arc<Cells>,
    ) -> Arc<Self> {
        let scripts = vec![
            super::limits::script(),
            super::profiles::fill_script(),
            super::profiles::void_script(),
            super::beat::script(),
        ];
        Arc::new(Self {
            client,
            url: options.url.clone(),
            deadline: options.deadline,
            names,
            cells,
            live: RwLock::new(None),
            generation: watch::Sender::new(0),
            lost: Notify::new(),
            scripts,
        })
    }

    /// The connection, if there is one.
    pub(super) fn live(&self) -> Option<Live> {
        self.live.read().clone()
    }

    /// Whether a connection is still the one in use.
    pub(super) fn is_current(&self, generation: u64) -> bool {
        *self.generation.borrow() == generation
    }

    /// Waits for a connection.
    pub(super) async fn arrived(&self) -> Live {
        let mut generation = self.generation.subscribe();
        loop {
            if let Some(live) = self.live() {
                return live;
            }
            // The sender is ours.
            let _ = generation.changed().await;
        }
    }

    /// Waits until the connection in use is another one than this, or none.
    pub(super) async fn departed(&self, generation: u64) {
        let mut current = self.generation.subscribe();
        let _ = current.wait_for(|current| *current != generation).await;
    }

    /// Runs a script; `None` when Redis did not answer in time, or not well. Then it is away for everybody.
    pub(super) async fn script<T: FromRedisValue>(
        &self,
        mut live: Live,
        patience: Patience,
        script: &ScriptInvocation<'_>,
    ) -> Option<T> {
        let generation = live.generation;
        let answer = script.invoke_async(&mut live.connection);
        self.within(generation, patience, answer).await
    }

    /// Runs a command; `None` as above.
    pub(super) async fn command<T: FromRedisValue>(
        &self,
        mut live: Live,
        patience: Patience,
        command: &Cmd,
    ) -> Option<T> {
        let generation = live.generation;
        let answer = command.query_async(&mut live.connection);
        self.within(generation, patience, answer).await
    }

    /// Runs several commands in one round trip; `None` as above.
    pub(super) async fn pipeline(
        &self,
        mut live: Live,
        patience: Patience,
        commands: &Pipeline,
    ) -> Option<()> {
        let generation = live.generation;
        let answer = commands.exec_async(&mut live.connection);
        self.within(generation, patience, answer).await
    }

    async fn within<T>(
        &self,
        generation: u64,
        patience: Patience,
        answer: impl Future<Output = RedisResult<T>>,
    ) -> Option<T> {
        let deadline = match patience {
            Patience::Request => self.deadline,
            Patience::Background => {
                Duration::from_millis(EPHEMERAL_BACKGROUND_MS).max(self.deadline)
            }
        };
        match timeout(deadline, answer).await {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(error)) => {
                self.lose(generation, &error.to_string());
                None
            }
            Err(_) => {
                self.cells.late.one();
                self.lose(generation, "no answer in time");
                None
            }
        }
    }

    fn arrive(&self, live: Live) {
        let mut current = self.live.write();
        self.generation.send_replace(live.generation);
        *current = Some(live);
    }

    /// Ends the connection: what hears on it holds on to what uses it.
    pub(super) fn close(&self) {
        *self.live.write() = None;
        self.generation.send_replace(0);
    }

    /// From now on Redis is away; said and counted once.
    fn lose(&self, generation: u64, reason: &str) {
        let mut live = self.live.write();
        if live
            .as_ref()
            .is_none_or(|live| live.generation != generation)
        {
            return;
        }
        *live = None;
        self.generation.send_replace(0);
        drop(live);
        self.say_away(reason);
        self.lost.notify_one();
    }

    fn say_away(&self, reason: &str) {
        self.cells.losses.one();
        tracing::warn!(url = %self.url, reason, "redis is away: limits count per node, and other nodes are not heard");
    }

    /// Keeps a connection; for ever.
    pub(super) async fn run(self: Arc<Self>, ears: Arc<Ears>) {
        let mut pause = FIRST_PAUSE;
        let mut is_away_said = false;
        let mut generation = 0;
        loop {
            generation += 1;
            match self.connect(generation, &ears).await {
                Ok(live) => {
                    self.arrive(live.clone());
                    self.cells.arrivals.one();
                    tracing::info!(url = %self.url, "redis is there");
                    is_away_said = true;
                    if timeout(GOOD, self.stay(&live)).await.is_err() {
                        pause = FIRST_PAUSE;
                        self.stay(&live).await;
                    }
                }
                Err(reason) if !is_away_said => {
                    is_away_said = true;
                    self.say_away(&reason);
                }
                Err(_) => {}
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Looks from time to time whether Redis is still there, until it is not.
    async fn stay(&self, live: &Live) {
        let probe = self.probe();
        loop {
            tokio::select! {
                () = self.lost.notified() => return,
                () = sleep(Duration::from_millis(EPHEMERAL_PROBE_MS)) => {}
            }
            let _: Option<Value> = self
                .command(live.clone(), Patience::Background, &probe)
                .await;
        }
    }

    /// A connection that hears, has the scripts, and answers a write as fast as a request needs it.
    async fn connect(self: &Arc<Self>, generation: u64, ears: &Arc<Ears>) -> Result<Live, String> {
        let (link, ears) = (Arc::clone(self), Arc::clone(ears));
        let connect = async move { link.make(generation, &ears).await };
        let runtime = tokio::runtime::Handle::current();
        // The driver reads the system's certificates from the disk, so it is no work for a thread of the runtime.
        let made = tokio::task::spawn_blocking(move || {
            let most = Duration::from_millis(EPHEMERAL_CONNECT_MS);
            runtime.block_on(async { timeout(most, connect).await })
        });
        match made.await {
            Ok(Ok(Ok(live))) => Ok(live),
            Ok(Ok(Err(error))) => Err(error.to_string()),
            Ok(Err(_)) => Err("no connection in time".to_owned()),
            Err(_) => Err("the connecting ended".to_owned()),
        }
    }

    async fn make(self: &Arc<Self>, generation: u64, ears: &Arc<Ears>) -> RedisResult<Live> {
        let (link, hears) = (Arc::downgrade(self), Arc::clone(ears));
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUED)
            .set_push_sender(move |push: PushInfo| pushed(&link, &hears, generation, push));
        let connect = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        let mut connection = connect.await?;
        for channel in Channel::ALL {
            connection.subscribe(self.names.channel(channel)).await?;
        }
        ears.open();
        for script in &self.scripts {
            script.load_async(&mut connection).await?;
        }
        let probe = self.probe();
        let answer = timeout(self.deadline, probe.exec_async(&mut connection)).await;
        answer.map_err(|_| std::io::Error::other("it answers too slowly"))??;
        Ok(Live {
            generation,
            connection,
        })
    }

    /// A write, since a Redis that takes none is of no use.
    fn probe(&self) -> Cmd {
        let mut probe = ::redis::cmd("SET");
        probe.arg(self.names.probe()).arg(1);
        probe.arg("PX").arg(EPHEMERAL_PROBE_MS * 2);
        probe
    }
}

/// Takes what the server says by itself.
fn pushed(
    link: &Weak<Link>,
    ears: &Ears,
    generation: u64,
    push: PushInfo,
) -> Result<(), std::convert::Infallible> {
    let Some(link) = link.upgrade() else {
        return Ok(());
    };
    match (push.kind, push.data.as_slice()) {
        (PushKind::Disconnection, _) => link.lose(generation, "the connection was closed"),
        (PushKind::Message, [Value::BulkString(channel), Value::BulkString(message)]) => {
            if let Some(channel) = link.names.channel_of(channel) {
                ears.hear(channel, message);
            }
        }
        _ => {}
    }
    Ok(())
}
