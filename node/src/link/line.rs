//! The connection under a link, as ractor gets it: both halves share one control block, which any side can end.
//!
//! ractor notices neither a peer that hangs nor one that does not read, and it keeps a writing task whose session was
//! stopped. So every poll fails once the line is dead, whoever waits in one is woken, and a line is dead as soon as one of its
//! halves is dropped.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use parking_lot::Mutex;
use ractor_cluster::{BoxRead, BoxWrite, ClusterBidiStream};
use rookery_protocol::limits::{
    LINK_IDLE_MS, LINK_STALL_MS, LINK_WINDOW_BYTES, LINK_WINDOW_FRAMES,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsStream;

use super::counters::Refusal;
use super::scan::{End, MESSAGE_BYTES, Scanner};

/// No write waits.
const NEVER: u64 = u64::MAX;
/// Bytes of a peer's frames that may wait here: more than one that keeps to its window sends.
const BACKLOG_BYTES: usize = 2 * LINK_WINDOW_BYTES + MESSAGE_BYTES;
/// The same in frames; empty ones do not count for a window.
const BACKLOG_FRAMES: usize = 4 * LINK_WINDOW_FRAMES;

/// Why a line is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Death {
    /// The connection ended, or ractor ended its session.
    Closed,
    /// Nothing came for too long.
    Idle,
    /// Nothing could be written for too long.
    Stalled,
    /// ractor's handshake took too long.
    Unready,
    /// The peer did something that none of ours does.
    Refused(Refusal),
    /// A newer connection or incarnation takes its place.
    Replaced,
    /// The view does not show the peer any more.
    Forgotten,
    /// The links of this node end.
    Stopped,
}

/// How far a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// ractor shakes hands.
    Opening,
    /// ractor's session of this number carries messages.
    Ready(u64),
    /// It is over.
    Dead(Death),
}

/// The control block of a connection.
#[derive(Debug)]
pub(super) struct Line {
    label: String,
    stage: watch::Sender<Stage>,
    /// ractor has forgotten the session.
    gone: watch::Sender<bool>,
    is_dead: AtomicBool,
    wakers: Mutex<[Option<Waker>; 2]>,
    start: Instant,
    /// Milliseconds from the start to the last byte.
    read_at: AtomicU64,
    /// Milliseconds from the start to when a write began to wait.
    stalled_at: AtomicU64,
    backlog: Mutex<Backlog>,
}

/// What came from the peer and has not reached the switchboard yet.
#[derive(Debug, Default)]
struct Backlog {
    frames: std::collections::VecDeque<usize>,
    bytes: usize,
}

impl Line {
    /// A line whose label is not used twice: ractor's events name it.
    pub(super) fn new(label: String) -> Arc<Self> {
        Arc::new(Self {
            label,
            stage: watch::Sender::new(Stage::Opening),
            gone: watch::Sender::new(false),
            is_dead: AtomicBool::new(false),
            wakers: Mutex::default(),
            start: Instant::now(),
            read_at: AtomicU64::new(0),
            stalled_at: AtomicU64::new(NEVER),
            backlog: Mutex::default(),
        })
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    pub(super) fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::Acquire)
    }

    /// Ends it; the first reason counts.
    pub(super) fn kill(&self, death: Death) {
        let killed = self.stage.send_if_modified(|stage| {
            let lives = !matches!(stage, Stage::Dead(_));
            if lives {
                *stage = Stage::Dead(death);
            }
            lives
        });
        if killed {
            self.is_dead.store(true, Ordering::Release);
            let wakers = std::mem::take(&mut *self.wakers.lock());
            wakers.into_iter().flatten().for_each(Waker::wake);
        }
    }

    /// ractor's session carries messages.
    pub(super) fn ready(&self, session: u64) {
        self.stage.send_if_modified(|stage| {
            let opens = *stage == Stage::Opening;
            if opens {
                *stage = Stage::Ready(session);
            }
            opens
        });
    }

    /// ractor has forgotten the session, so that another one may have its name.
    pub(super) fn forget(&self) {
        self.kill(Death::Closed);
        self.gone.send_replace(true);
    }

    pub(super) fn stages(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }

    /// Waits until ractor has forgotten the session.
    pub(super) async fn gone(&self) {
        // The sender is here.
        let _ = self.gone.subscribe().wait_for(|gone| *gone).await;
    }

    /// Waits until it is dead.
    pub(super) async fn dead(&self) -> Death {
        let mut stages = self.stages();
        let dead = stages.wait_for(|stage| matches!(stage, Stage::Dead(_)));
        match dead.await.map(|stage| *stage) {
            Ok(Stage::Dead(death)) => death,
            Ok(_) | Err(_) => Death::Closed,
        }
    }

    /// Ends it if nothing was read, or could be written, for too long.
    pub(super) fn check(&self) {
        let now = self.now();
        if now.saturating_sub(self.read_at.load(Ordering::Relaxed)) >= LINK_IDLE_MS {
            self.kill(Death::Idle);
        }
        let stalled = self.stalled_at.load(Ordering::Relaxed);
        if stalled != NEVER && now.saturating_sub(stalled) >= LINK_STALL_MS {
            self.kill(Death::Stalled);
        }
    }

    /// A frame has reached the switchboard.
    pub(super) fn took(&self) {
        let mut backlog = self.backlog.lock();
        if let Some(bytes) = backlog.frames.pop_front() {
            backlog.bytes -= bytes;
        }
    }

    /// A frame begins to arrive; whether there is room for it.
    fn admit(&self, bytes: usize) -> bool {
        let mut backlog = self.backlog.lock();
        backlog.frames.push_back(bytes);
        backlog.bytes += bytes;
        backlog.bytes <= BACKLOG_BYTES && backlog.frames.len() <= BACKLOG_FRAMES
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Has one half woken when the line dies.
    fn park<T>(&self, half: usize, cx: &Context<'_>) -> Poll<io::Result<T>> {
        let mut wakers = self.wakers.lock();
        match &mut wakers[half] {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        drop(wakers);
        // It may have died just before.
        if self.is_dead() {
            dead()
        } else {
            Poll::Pending
        }
    }
}

const READER: usize = 0;
const WRITER: usize = 1;

fn dead<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
}

/// What ractor is handed.
pub(super) struct LineStream {
    pub(super) line: Arc<Line>,
    pub(super) stream: TlsStream<TcpStream>,
    /// Which end the peer is, and the name it must have.
    pub(super) end: End,
    pub(super) name: String,
}

impl ClusterBidiStream for LineStream {
    fn split(self: Box<Self>) -> (BoxRead, BoxWrite) {
        let (read, write) = tokio::io::split(self.stream);
        let reader = Reader {
            half: read,
            line: Arc::clone(&self.line),
            scanner: Scanner::new(self.end, self.name),
        };
        let writer = Writer {
            half: write,
            line: self.line,
        };
        (Box::new(reader), Box::new(writer))
    }

    fn peer_label(&self) -> Option<String> {
        Some(self.line.label.clone())
    }
}

struct Reader {
    half: ReadHalf<TlsStream<TcpStream>>,
    line: Arc<Line>,
    scanner: Scanner,
}

impl AsyncRead for Reader {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.line.is_dead() {
            return dead();
        }
        let before = buffer.filled().len();
        match Pin::new(&mut this.half).poll_read(cx, buffer) {
            Poll::Pending => this.line.park(READER, cx),
            Poll::Ready(Err(error)) => {
                this.line.kill(Death::Closed);
                Poll::Ready(Err(error))
            }
            Poll::Ready(Ok(())) => {
                let new = buffer.filled().get(before..).unwrap_or_default();
                if new.is_empty() {
                    this.line.kill(Death::Closed);
                    return Poll::Ready(Ok(()));
                }
                let (line, now) = (&this.line, this.line.now());
                line.read_at.store(now, Ordering::Relaxed);
                let mut fits = true;
                let scanned = this
                    .scanner
                    .feed(now, new, &mut |bytes| fits &= line.admit(bytes));
                let refusal = match scanned {
                    Ok(()) if fits => return Poll::Ready(Ok(())),
                    Ok(()) => Refusal::Flood,
                    Err(violation) => violation.into(),
                };
                line.kill(Death::Refused(refusal));
                dead()
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.line.kill(Death::Closed);
    }
}

struct Writer {
    half: WriteHalf<TlsStream<TcpStream>>,
    line: Arc<Line>,
}

impl Writer {
    fn poll<T>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        poll: impl FnOnce(
            Pin<&mut WriteHalf<TlsStream<TcpStream>>>,
            &mut Context<'_>,
        ) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let this = self.get_mut();
        let line = &this.line;
        if line.is_dead() {
            return dead();
        }
        match poll(Pin::new(&mut this.half), cx) {
            Poll::Pending => {
                if line.stalled_at.load(Ordering::Relaxed) == NEVER {
                    line.stalled_at.store(line.now(), Ordering::Relaxed);
                }
                line.park(WRITER, cx)
            }
            Poll::Ready(result) => {
                line.stalled_at.store(NEVER, Ordering::Relaxed);
                if result.is_err() {
                    line.kill(Death::Closed);
                }
                Poll::Ready(result)
            }
        }
    }
}

impl AsyncWrite for Writer {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll(cx, |half, cx| half.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, |half, cx| half.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, |half, cx| half.poll_shutdown(cx))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.line.kill(Death::Closed);
    }
}
