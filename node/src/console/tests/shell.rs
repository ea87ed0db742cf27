//! The shell, with a terminal of the test and a made-up cluster.

use std::future::pending;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use futures_util::Stream;
use futures_util::stream::unfold;
use parking_lot::Mutex;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use rookery_protocol::inspect::{
    Act, ActRecord, Acted, ActorDetail, ActorId, ActorKind, Nodes, Rooms, Sessions, Sort, Top,
    TracePart, TreeNode, Warnings,
};
use tokio::sync::mpsc;

use super::cluster;
use crate::console::Source;
use crate::console::shell::drive;
use crate::console::view::Look;

/// Answers from the made-up cluster, says what was asked, and remembers what was done.
struct Made {
    asked: mpsc::UnboundedSender<&'static str>,
    done: Mutex<Vec<Act>>,
}

impl Made {
    fn says(&self, what: &'static str) {
        let _ = self.asked.send(what);
    }
}

#[async_trait]
impl Source for Made {
    async fn nodes(&self) -> Result<Nodes, String> {
        self.says("nodes");
        Ok(cluster::nodes(0))
    }
    async fn top(
        &self,
        _: Sort,
        _: Option<ActorKind>,
        _: Option<&str>,
        _: u32,
    ) -> Result<Top, String> {
        Ok(cluster::top())
    }
    async fn actor(&self, actor: ActorId) -> Result<ActorDetail, String> {
        Ok(cluster::detail(&actor.to_string()))
    }
    async fn tree(&self) -> Result<TreeNode, String> {
        Ok(cluster::tree())
    }
    async fn rooms(&self) -> Result<Rooms, String> {
        self.says("rooms");
        Err("there is no voice here".to_owned())
    }
    async fn sessions(&self, _: u64) -> Result<Sessions, String> {
        Ok(Sessions::default())
    }
    async fn warnings(&self) -> Result<Warnings, String> {
        self.says("warnings");
        Ok(cluster::warnings())
    }
    async fn acts(&self) -> Result<Vec<ActRecord>, String> {
        Ok(cluster::acts())
    }
    async fn trace(&self, _: u64, _: ActorId) -> Result<TracePart, String> {
        Ok(cluster::trace())
    }
    async fn act(&self, act: &Act) -> Result<Acted, String> {
        self.done.lock().push(act.clone());
        self.says("act");
        Ok(Acted {
            what: "so it is".to_owned(),
            secret: None,
        })
    }
}

fn key(code: KeyCode) -> io::Result<Event> {
    Ok(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

/// The events of a channel.
fn events(
    keys: mpsc::UnboundedReceiver<io::Result<Event>>,
) -> impl Stream<Item = io::Result<Event>> + Unpin {
    Box::pin(unfold(keys, async |mut keys| {
        let event = keys.recv().await?;
        Some((event, keys))
    }))
}

#[tokio::test]
async fn keys_become_questions_and_acts_and_the_end() {
    let (asked, mut asks) = mpsc::unbounded_channel();
    let (press, keys) = mpsc::unbounded_channel();
    let source = Arc::new(Made {
        asked,
        done: Mutex::default(),
    });
    let look = Look {
        has_colour: true,
        has_unicode: true,
    };
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let operator = async {
        let mut waits_for = async |what| while asks.recv().await != Some(what) {};
        waits_for("warnings").await;
        press.send(key(KeyCode::Char('5'))).unwrap();
        waits_for("rooms").await;
        press.send(key(KeyCode::Char('2'))).unwrap();
        // Shown once more after the rooms, the nodes are known.
        waits_for("nodes").await;
        press.send(key(KeyCode::Char('d'))).unwrap();
        press.send(key(KeyCode::Char('y'))).unwrap();
        waits_for("act").await;
        let held = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        press.send(Ok(Event::Key(held))).unwrap();
    };
    let shell = drive(
        &mut terminal,
        events(keys),
        pending(),
        Arc::clone(&source) as Arc<dyn Source>,
        look,
    );
    let (ended, ()) = tokio::join!(shell, operator);
    assert_eq!(ended, Ok(()));
    let drain = Act::Drain {
        node: "n1".to_owned(),
        stay: true,
    };
    assert_eq!(*source.done.lock(), [drain]);
}
