//! The shell of the console: the terminal, the clock, and the questions that are under way.

use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, EventStream};
use futures_util::{Stream, StreamExt};
use ratatui::Terminal;
use ratatui::backend::Backend;
use rookery_actors::entity::Clock;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::input::{Effect, Input};
use super::keys;
use super::source::{Source, answer};
use super::state::Console;
use super::view::{self, Look};
use crate::clock::SystemClock;
use crate::random;

/// How often the console is told that time passes.
const TICK: Duration = Duration::from_millis(250);
/// How long a question may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Shows the cluster in the terminal until the operator has seen enough. Nothing else may write to the terminal meanwhile,
/// so the log must not.
///
/// # Errors
/// There is no terminal that it could be shown in, or it went away.
pub async fn run(source: Arc<dyn Source>) -> Result<(), String> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(
            "the console needs a terminal: use the commands with --json instead".to_owned(),
        );
    }
    let look = Look::of(|name| std::env::var(name).ok())?;
    let mut ends = signal(SignalKind::terminate()).map_err(|e| e.to_string())?;
    let mut hangs_up = signal(SignalKind::hangup()).map_err(|e| e.to_string())?;
    let ends = async move {
        tokio::select! {
            _ = ends.recv() => {}
            _ = hangs_up.recv() => {}
        }
    };
    // Before the terminal is changed: it may fail half-way. A panic restores it before it is printed.
    let _restored = Restore;
    let mut terminal = ratatui::try_init().map_err(|e| no_terminal(&e))?;
    drive(&mut terminal, EventStream::new(), ends, source, look).await
}

/// Gives the terminal back as it was.
struct Restore;

impl Drop for Restore {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

fn no_terminal(error: &dyn Display) -> String {
    format!("the terminal cannot be used: {error}")
}

/// The loop: an input, a step, what it wants, a picture.
pub(super) async fn drive<B: Backend>(
    terminal: &mut Terminal<B>,
    mut events: impl Stream<Item = io::Result<Event>> + Unpin,
    ends: impl Future<Output = ()>,
    source: Arc<dyn Source>,
    look: Look,
) -> Result<(), String> {
    let clock = SystemClock::new();
    let size = terminal.size().map_err(|e| no_terminal(&e))?;
    let first_trace = u64::from_le_bytes(random::bytes());
    let mut console = Console::new(clock.now(), first_trace, size.width, size.height);
    let mut under_way: JoinSet<Input> = JoinSet::new();
    let mut effects = Vec::new();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    tokio::pin!(ends);
    loop {
        // It blocks when the terminal does; there is nobody else in this process who would wait for it.
        terminal
            .draw(|frame| view::draw(&console, look, frame))
            .map_err(|e| no_terminal(&e))?;
        let input = tokio::select! {
            event = events.next() => match event {
                Some(event) => keys::input(event.map_err(|e| no_terminal(&e))?),
                None => return Ok(()),
            },
            Some(done) = under_way.join_next() => {
                // The only way that it fails is a panic, which has taken the terminal from us.
                Some(done.map_err(|e| format!("a question failed: {e}"))?)
            }
            _ = ticks.tick() => Some(Input::Tick),
            () = &mut ends => return Ok(()),
        };
        let Some(input) = input else { continue };
        console.step(clock.now(), input, &mut effects);
        for effect in effects.drain(..) {
            let source = Arc::clone(&source);
            match effect {
                Effect::Ask(ask) => {
                    under_way.spawn(async move {
                        let answered = timeout(PATIENCE, answer(&*source, &ask)).await;
                        let answer = answered.unwrap_or_else(|_| {
                            Err(format!("no answer within {} s", PATIENCE.as_secs()))
                        });
                        Input::Answer { ask, answer }
                    });
                }
                Effect::Act(act) => {
                    under_way.spawn(async move {
                        let result = source.act(&act).await;
                        Input::Acted { act, result }
                    });
                }
                Effect::Quit => return Ok(()),
            }
        }
    }
}
