//! Signs of life: every two seconds, and at once when a node has something new to say of itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ::redis::Script;
use rookery_protocol::limits::{BEAT_MS, HINT_MS, PRESENCE_SHARED_MS};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::sleep;

use super::link::{Link, Live, Patience};
use super::mirror::Mirror;
use super::names::{Channel, Names, parse_run, run};
use crate::ephemeral::hints::Noted;
use crate::ephemeral::{Hint, Hints, NodeState};

pub(super) fn script() -> Script {
    Script::new(include_str!("beat.lua"))
}

/// A sign of life.
#[derive(Debug, Serialize, Deserialize)]
struct Sign {
    #[serde(flatten)]
    hint: Hint,
    /// How much this run has told about who is online.
    told: u64,
}

/// A node's signs of life, and those of others.
pub(super) struct Beat {
    link: Arc<Link>,
    names: Arc<Names>,
    hints: Arc<Noted>,
    mirror: Arc<Mirror>,
    script: Script,
}

impl Beat {
    pub(super) fn new(
        link: Arc<Link>,
        names: Arc<Names>,
        hints: Arc<Noted>,
        mirror: Arc<Mirror>,
    ) -> Self {
        Self {
            link,
            names,
            hints,
            mirror,
            script: script(),
        }
    }

    /// Takes a sign of life.
    pub(super) fn hear(&self, message: &[u8]) {
        let Ok(sign) = serde_json::from_slice::<Sign>(message) else {
            return;
        };
        let Sign { hint, told } = sign;
        if hint.state == NodeState::Gone {
            self.mirror.forget(&hint.node, hint.incarnation);
        } else {
            self.mirror.beat(&hint.node, hint.incarnation, told);
        }
        self.hints.hear(hint);
    }

    /// Gives signs of life; for ever.
    pub(super) async fn run(self: Arc<Self>) {
        let mut news = self.hints.news();
        let mut filled = self.mirror.filled();
        loop {
            let live = self.link.arrived().await;
            let _ = self.stay(&live, &mut news, &mut filled).await;
        }
    }

    /// Gives signs of life on one connection, until it is lost.
    async fn stay(
        &self,
        live: &Live,
        news: &mut watch::Receiver<u64>,
        filled: &mut watch::Receiver<u64>,
    ) -> Option<()> {
        self.meet(live).await?;
        let mut last = Instant::now();
        loop {
            let hint = self.hints.own();
            self.give(live, hint.clone()).await?;
            self.mirror.passed(last.elapsed());
            last = Instant::now();
            let said = async {
                // The hints of others are news too.
                while self.hints.own() == hint {
                    let _ = news.changed().await;
                }
            };
            tokio::select! {
                () = sleep(Duration::from_millis(BEAT_MS)) => {}
                () = said => {}
                _ = filled.changed() => {}
                () = self.link.departed(live.generation) => return None,
            }
        }
    }

    async fn give(&self, live: &Live, hint: Hint) -> Option<()> {
        let names = &self.names;
        let (node, incarnation) = (&names.node, names.incarnation);
        let sign = Sign {
            hint,
            told: self.mirror.told(),
        };
        let message = serde_json::to_vec(&sign).unwrap_or_default();
        let mut call = self.script.prepare_invoke();
        call.key(names.nodes()).key(names.hint(node, incarnation));
        call.key(names.presence(node, incarnation));
        call.arg(run(node, incarnation)).arg(message);
        call.arg(HINT_MS).arg(PRESENCE_SHARED_MS);
        call.arg(names.channel(Channel::Nodes));
        let is_anybody_there: bool = self
            .link
            .script(live.clone(), Patience::Background, &call)
            .await?;
        if !is_anybody_there {
            self.mirror.missing();
        }
        Some(())
    }

    /// Looks which nodes there are.
    async fn meet(&self, live: &Live) -> Option<()> {
        let names = &self.names;
        let mut list = ::redis::cmd("ZRANGE");
        list.arg(names.nodes()).arg(0).arg(-1);
        let runs: Vec<String> = self
            .link
            .command(live.clone(), Patience::Background, &list)
            .await?;
        let runs: Vec<(&str, u64)> = runs.iter().filter_map(|name| parse_run(name)).collect();
        if runs.is_empty() {
            return Some(());
        }
        let mut get = ::redis::cmd("MGET");
        for (node, incarnation) in &runs {
            self.mirror.meet(node, *incarnation);
            get.arg(names.hint(node, *incarnation));
        }
        let signs: Vec<Option<Vec<u8>>> = self
            .link
            .command(live.clone(), Patience::Background, &get)
            .await?;
        for sign in signs.into_iter().flatten() {
            self.hear(&sign);
        }
        Some(())
    }

    /// Says that this node has gone, if somebody can hear it.
    pub(super) async fn farewell(&self) {
        let Some(live) = self.link.live() else {
            return;
        };
        let names = &self.names;
        let (node, incarnation) = (&names.node, names.incarnation);
        let sign = Sign {
            hint: self.hints.own(),
            told: self.mirror.told(),
        };
        let message = serde_json::to_vec(&sign).unwrap_or_default();
        let mut commands = ::redis::pipe();
        commands.del(names.presence(node, incarnation)).ignore();
        commands
            .zrem(names.nodes(), run(node, incarnation))
            .ignore();
        commands
            .pset_ex(names.hint(node, incarnation), &message, HINT_MS)
            .ignore();
        commands
            .publish(names.channel(Channel::Nodes), &message)
            .ignore();
        let _ = self
            .link
            .pipeline(live, Patience::Background, &commands)
            .await;
    }
}
