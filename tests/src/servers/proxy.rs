//! A wire to a server that can be cut, held or slowed down in the middle of traffic, below any client.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What happens to bytes of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flow {
    /// They arrive.
    #[default]
    Pass,
    /// They wait, as on a network that loses every packet: they arrive when it no longer does.
    Hold,
    /// They arrive later.
    Delay(Duration),
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Up,
    Down,
}

#[derive(Debug, Default)]
struct State {
    /// Where new connections go; none: they end at once.
    server: Option<SocketAddr>,
    up: Flow,
    down: Flow,
    /// New connections end at once.
    refuses: bool,
    /// How often it was cut.
    cuts: u64,
    /// Connections that are there.
    open: usize,
    /// Bytes on their way to the server before which everything stops.
    trap: Option<Vec<u8>>,
}

impl State {
    fn flow(&self, way: Way) -> Flow {
        match way {
            Way::Up => self.up,
            Way::Down => self.down,
        }
    }
}

/// Forwards connections to a server, as it is told. When it is dropped they end.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: Arc<watch::Sender<State>>,
}

impl Proxy {
    /// A wire to a server, with an end of its own.
    pub async fn to(server: SocketAddr) -> Self {
        let proxy = Self::unaimed().await;
        proxy.aim(server);
        proxy
    }

    /// A wire that leads nowhere before [`Proxy::aim`].
    pub async fn unaimed() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(watch::Sender::new(State::default()));
        let wire = Wire {
            seen: state.subscribe(),
            state: Arc::downgrade(&state),
        };
        tokio::spawn(async move {
            let mut ended = wire.seen.clone();
            let closed = async move { while ended.changed().await.is_ok() {} };
            let serving = async move {
                while let Ok((near, _)) = listener.accept().await {
                    let (refuses, server) = {
                        let state = wire.seen.borrow();
                        (state.refuses, state.server)
                    };
                    if let (false, Some(server)) = (refuses, server) {
                        let wire = wire.clone();
                        tokio::spawn(async move {
                            wire.count(1);
                            wire.clone().carry(near, server).await;
                            wire.count(-1);
                        });
                    }
                }
            };
            tokio::select! {
                () = closed => {}
                () = serving => {}
            }
        });
        Self { address, state }
    }

    /// Its near end.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says what happens to bytes to the server, and from it.
    pub fn set(&self, up: Flow, down: Flow) {
        self.state.send_modify(|state| {
            state.up = up;
            state.down = down;
        });
    }

    /// Nothing arrives in either direction, and connections stay.
    pub fn blackhole(&self) {
        self.set(Flow::Hold, Flow::Hold);
    }

    /// Everything arrives again, what was held first; new connections too.
    pub fn heal(&self) {
        self.state.send_modify(|state| {
            state.up = Flow::Pass;
            state.down = Flow::Pass;
            state.refuses = false;
        });
    }

    /// From now on new connections go to another server; those that are there stay.
    pub fn aim(&self, server: SocketAddr) {
        self.state.send_modify(|state| state.server = Some(server));
    }

    /// Cuts every connection; new ones can be made at once.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }

    /// Cuts every connection and ends new ones at once, until [`Proxy::heal`].
    pub fn close(&self) {
        self.state.send_modify(|state| {
            state.cuts += 1;
            state.refuses = true;
        });
    }

    /// Waits until every connection has ended, at both ends.
    pub async fn drained(&self) {
        let mut state = self.state.subscribe();
        let drained = state.wait_for(|state| state.open == 0).await;
        drained.expect("the proxy is there");
    }

    /// Waits for some bytes on their way to the server, and holds them and everything after them.
    pub async fn hold_at(&self, bytes: &[u8]) {
        let mut state = self.state.subscribe();
        self.state
            .send_modify(|state| state.trap = Some(bytes.to_vec()));
        let sprung = state.wait_for(|state| state.trap.is_none()).await;
        sprung.expect("the proxy is there");
    }
}

/// What the tasks of a proxy share; it ends with the proxy.
#[derive(Clone)]
struct Wire {
    seen: watch::Receiver<State>,
    state: Weak<watch::Sender<State>>,
}

impl Wire {
    fn count(&self, change: isize) {
        if let Some(state) = self.state.upgrade() {
            state.send_modify(|state| state.open = state.open.saturating_add_signed(change));
        }
    }

    /// Carries one connection until it ends or is cut.
    async fn carry(mut self, near: TcpStream, server: SocketAddr) {
        let cuts = self.seen.borrow().cuts;
        let Ok(far) = TcpStream::connect(server).await else {
            return;
        };
        let _ = (near.set_nodelay(true), far.set_nodelay(true));
        let (near_read, near_write) = near.into_split();
        let (far_read, far_write) = far.into_split();
        let up = self.clone().pump(Way::Up, near_read, far_write);
        let down = self.clone().pump(Way::Down, far_read, near_write);
        let both = async { tokio::join!(up, down) };
        tokio::select! {
            _ = both => {}
            // An error: the proxy is gone.
            _ = self.seen.wait_for(|state| state.cuts != cuts) => {}
        }
    }

    /// Moves the bytes of one direction. Its end is moved like bytes; an error ends the direction.
    async fn pump(
        mut self,
        way: Way,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
    ) -> Option<()> {
        let mut buffer = vec![0; 64 * 1_024];
        loop {
            let read = from.read(&mut buffer).await.ok()?;
            let bytes = &buffer[..read];
            if matches!(way, Way::Up) {
                self.spring(bytes);
            }
            self.let_through(way).await?;
            if read == 0 {
                return to.shutdown().await.ok();
            }
            to.write_all(bytes).await.ok()?;
        }
    }

    /// Closes the trap if this is what it waits for. A command comes in one piece, but for large ones.
    fn spring(&self, bytes: &[u8]) {
        let is_it = |trap: &Vec<u8>| bytes.windows(trap.len()).any(|window| window == trap);
        if let Some(state) = self.state.upgrade() {
            state.send_if_modified(|state| {
                let sprung = state.trap.take_if(|trap| is_it(trap)).is_some();
                if sprung {
                    state.up = Flow::Hold;
                }
                sprung
            });
        }
    }

    /// Waits for as long as the direction says; `None` once the proxy is gone.
    async fn let_through(&mut self, way: Way) -> Option<()> {
        loop {
            let flow = self.seen.borrow_and_update().flow(way);
            match flow {
                Flow::Pass => return Some(()),
                Flow::Hold => self.seen.changed().await.ok()?,
                Flow::Delay(time) => {
                    tokio::time::sleep(time).await;
                    return Some(());
                }
            }
        }
    }
}
