//! A worker's UDP sockets: one port on each address, read and written in batches.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use rookery_protocol::limits;
use rustix::io::Errno;
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny, sendmmsg, sockopt};
use socket2::{Domain, Protocol, Socket, Type};

use super::MediaError;
use super::load::{Counters, count};
use super::queue::{Outgoing, Queue};

/// Datagrams to different receivers that one call to the kernel sends.
const SEND_BATCH: usize = 64;
/// Times that a free port is looked for that all addresses have.
const PORT_TRIES: usize = 16;

/// Where a worker is to be found.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    pub(super) port: u16,
    /// What candidates say.
    pub(super) advertised: Vec<SocketAddr>,
}

struct Bundle {
    socket: UdpSocket,
    state: UdpSocketState,
    /// The advertised addresses that lead here; sessions know the socket by the first.
    advertised: Vec<SocketAddr>,
    queue: Queue,
}

/// A worker's sockets.
pub(super) struct Sockets {
    bundles: Vec<Bundle>,
    port: u16,
    buffers: Vec<Vec<u8>>,
}

/// Listens on all addresses with one port.
pub(super) fn bind(port: u16, listen: &[IpAddr], public: &[IpAddr]) -> Result<Sockets, MediaError> {
    let mut tries = if port == 0 { PORT_TRIES } else { 1 };
    let sockets = loop {
        tries -= 1;
        match bind_all(port, listen) {
            Ok(sockets) => break sockets,
            Err(error) if tries == 0 => return Err(error),
            // A port that was free on the first address is taken on another.
            Err(_) => {}
        }
    };
    let port = sockets.first().map_or(0, |(port, _)| *port);
    let mut bundles = Vec::new();
    for ((_, socket), ip) in sockets.into_iter().zip(listen) {
        let fail = |source| MediaError::Bind {
            address: SocketAddr::new(*ip, port),
            source,
        };
        let state = UdpSocketState::new((&socket).into()).map_err(fail)?;
        let first = !bundles
            .iter()
            .any(|other: &Bundle| other.advertised.iter().any(|a| a.is_ipv4() == ip.is_ipv4()));
        let advertised = advertised(*ip, public, first)
            .into_iter()
            .map(|ip| SocketAddr::new(ip, port))
            .collect();
        bundles.push(Bundle {
            socket,
            state,
            advertised,
            queue: Queue::default(),
        });
    }
    let segments = bundles
        .iter()
        .map(|bundle| bundle.state.gro_segments())
        .max()
        .unwrap_or(1);
    // The kernel joins datagrams of one sender up to 64 kB.
    let bytes = (segments * limits::DATAGRAM_BYTES).clamp(limits::DATAGRAM_BYTES, 65_536);
    Ok(Sockets {
        bundles,
        port,
        buffers: vec![vec![0; bytes]; BATCH_SIZE],
    })
}

fn bind_all(port: u16, listen: &[IpAddr]) -> Result<Vec<(u16, UdpSocket)>, MediaError> {
    let mut sockets: Vec<(u16, UdpSocket)> = Vec::new();
    for ip in listen {
        let port = sockets.first().map_or(port, |(port, _)| *port);
        let address = SocketAddr::new(*ip, port);
        let socket = bind_one(address).map_err(|source| MediaError::Bind { address, source })?;
        sockets.push(socket);
    }
    Ok(sockets)
}

fn bind_one(address: SocketAddr) -> io::Result<(u16, UdpSocket)> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    let socket = UdpSocket::from(socket);
    let port = socket.local_addr()?.port();
    // As much as the kernel allows (`net.core.rmem_max`), or more for who may; a smaller one is no reason not to start.
    let bytes = limits::MEDIA_SOCKET_BYTES;
    if sockopt::set_socket_recv_buffer_size_force(&socket, bytes).is_err() {
        let _ = sockopt::set_socket_recv_buffer_size(&socket, bytes);
    }
    let _ = sockopt::set_socket_send_buffer_size(&socket, bytes);
    Ok((port, socket))
}

/// What is told of a listened address: the public ones of its family at its first socket, else itself.
fn advertised(ip: IpAddr, public: &[IpAddr], first: bool) -> Vec<IpAddr> {
    if !public.is_empty() {
        return public
            .iter()
            .copied()
            .filter(|public| first && public.is_ipv4() == ip.is_ipv4())
            .collect();
    }
    if ip.is_unspecified() {
        return vec![outward(ip)];
    }
    vec![ip]
}

/// The address from which this machine would reach others, or the loopback. Nothing is sent for it.
fn outward(any: IpAddr) -> IpAddr {
    // Addresses for documentation (RFC 5737, RFC 3849): only the route to them is looked up.
    let (somewhere, loopback): (IpAddr, IpAddr) = match any {
        IpAddr::V4(_) => (
            Ipv4Addr::new(192, 0, 2, 1).into(),
            Ipv4Addr::LOCALHOST.into(),
        ),
        IpAddr::V6(_) => (
            Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
            Ipv6Addr::LOCALHOST.into(),
        ),
    };
    UdpSocket::bind((any, 0))
        .and_then(|socket| {
            socket.connect((somewhere, 9))?;
            socket.local_addr()
        })
        .map_or(loopback, |address| address.ip())
}

impl Sockets {
    pub(super) fn bound(&self) -> Bound {
        Bound {
            port: self.port,
            advertised: self
                .bundles
                .iter()
                .flat_map(|bundle| bundle.advertised.iter().copied())
                .collect(),
        }
    }

    /// Each socket, and whether it has something that could not be sent.
    pub(super) fn waits(&self) -> impl Iterator<Item = (BorrowedFd<'_>, bool)> {
        self.bundles
            .iter()
            .map(|bundle| (bundle.socket.as_fd(), bundle.queue.datagrams() > 0))
    }

    /// Reads a batch from the n-th socket and gives each datagram with its source and our address. False: nothing was
    /// there.
    pub(super) fn receive(
        &mut self,
        index: usize,
        mut each: impl FnMut(SocketAddr, SocketAddr, &[u8]),
    ) -> bool {
        let Some(bundle) = self.bundles.get(index) else {
            return false;
        };
        let mut meta = [RecvMeta::default(); BATCH_SIZE];
        let mut slices: Vec<_> = self
            .buffers
            .iter_mut()
            .map(|buffer| IoSliceMut::new(buffer))
            .collect();
        // An error is that of an earlier datagram to somebody who is not there, or that nothing waits.
        let Ok(read) = bundle
            .state
            .recv((&bundle.socket).into(), &mut slices, &mut meta)
        else {
            return false;
        };
        drop(slices);
        // A socket that advertises nothing has no sessions.
        let Some(here) = bundle.advertised.first().copied() else {
            return read > 0;
        };
        for (meta, buffer) in meta.iter().zip(&self.buffers).take(read) {
            let bytes = &buffer[..meta.len.min(buffer.len())];
            for datagram in bytes.chunks(meta.stride.max(1)) {
                each(meta.addr, here, datagram);
            }
        }
        read > 0
    }

    /// Puts a datagram into the queue of its socket; the queues are bounded.
    pub(super) fn push(&mut self, outgoing: Outgoing, counters: &Counters) {
        let bundle = self
            .bundles
            .iter_mut()
            .find(|bundle| bundle.advertised.contains(&outgoing.source));
        let Some(bundle) = bundle else {
            count(&counters.unsendable, 1);
            return;
        };
        if bundle.queue.datagrams() >= limits::DATAGRAMS_QUEUED {
            bundle.flush(counters);
        }
        if bundle.queue.datagrams() >= limits::DATAGRAMS_QUEUED {
            count(&counters.overflowed, 1);
            return;
        }
        let most = bundle.state.max_gso_segments();
        bundle.queue.push(outgoing, most);
    }

    /// Sends what waits, until the kernel takes no more.
    pub(super) fn flush(&mut self, counters: &Counters) {
        for bundle in &mut self.bundles {
            bundle.flush(counters);
        }
    }
}

impl Bundle {
    fn flush(&mut self, counters: &Counters) {
        while let Some(first) = self.queue.first() {
            let sent = if first.is_single() {
                self.send_singles()
            } else {
                self.send_train()
            };
            match sent {
                Ok(trains) => self.queue.sent(trains, counters),
                Err(Errno::AGAIN | Errno::NOBUFS) => break,
                Err(Errno::INTR) => {}
                // It cannot go where it should; what is behind it can.
                Err(_) => self.queue.refused(counters),
            }
        }
    }

    /// Sends datagrams of the queue's begin that go to one receiver each. Says how many.
    fn send_singles(&self) -> Result<usize, Errno> {
        let batch = self.queue.trains().take(SEND_BATCH);
        let batch: Vec<_> = batch.take_while(|train| train.is_single()).collect();
        let mut addresses = Vec::with_capacity(batch.len());
        let mut slices = Vec::with_capacity(batch.len());
        let mut controls: Vec<SendAncillaryBuffer<'_, '_, '_>> = Vec::with_capacity(batch.len());
        for train in batch {
            addresses.push(SocketAddrAny::from(train.to));
            slices.push([IoSlice::new(&train.bytes)]);
            controls.push(SendAncillaryBuffer::default());
        }
        let mut messages: Vec<_> = addresses
            .iter()
            .zip(&slices)
            .zip(&mut controls)
            .map(|((address, slice), control)| MMsgHdr::new_with_addr(address, slice, control))
            .collect();
        sendmmsg(&self.socket, &mut messages, SendFlags::DONTWAIT)
    }

    /// Sends the queue's first train, which the kernel or the network card cuts into datagrams.
    fn send_train(&self) -> Result<usize, Errno> {
        let Some(train) = self.queue.first() else {
            return Ok(0);
        };
        let transmit = Transmit {
            destination: train.to,
            ecn: None,
            contents: &train.bytes,
            segment_size: Some(train.segment),
            src_ip: None,
        };
        match self.state.try_send((&self.socket).into(), &transmit) {
            Ok(()) => Ok(1),
            Err(error) => Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
        }
    }
}
