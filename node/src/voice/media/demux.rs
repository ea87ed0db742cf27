//! Whose a datagram is: by the address it came from, or by the name that a STUN request calls.
//!
//! A name is the first half of the request's USERNAME, the ufrag that we made. It leads a request to its peer; the address
//! is believed only when the peer's session has authenticated the request.

use std::collections::HashMap;
use std::net::SocketAddr;

use rookery_protocol::limits;

/// What a datagram is by its first bytes.
///
/// Source: RFC 7983.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datagram {
    /// A request to bind, the only STUN that an ICE-lite agent answers.
    StunRequest,
    /// Other STUN.
    Stun,
    /// DTLS.
    Dtls,
    /// RTP, with its SSRC.
    Rtp(u32),
    /// RTCP.
    Rtcp,
    /// Nothing that has business here.
    Other,
}

/// What a datagram is.
pub fn classify(bytes: &[u8]) -> Datagram {
    match bytes {
        [0, 1, ..] if bytes.len() >= 20 => Datagram::StunRequest,
        [0..=1, ..] if bytes.len() >= 20 => Datagram::Stun,
        [20..=63, ..] => Datagram::Dtls,
        [128..=191, second, ..] => match (second & 0x7f, bytes.get(8..12)) {
            (64..=95, _) => Datagram::Rtcp,
            (_, Some(&[a, b, c, d])) => Datagram::Rtp(u32::from_be_bytes([a, b, c, d])),
            _ => Datagram::Other,
        },
        _ => Datagram::Other,
    }
}

/// The name that a STUN request calls us by: its USERNAME up to the colon.
///
/// Source: RFC 8489, section 14; RFC 8445, section 7.2.2.
pub fn local_ufrag(request: &[u8]) -> Option<&str> {
    const USERNAME: u16 = 0x0006;
    let mut rest = request.get(20..)?;
    while let [kind_high, kind_low, length_high, length_low, ..] = rest {
        let kind = u16::from_be_bytes([*kind_high, *kind_low]);
        let length = usize::from(u16::from_be_bytes([*length_high, *length_low]));
        let value = rest.get(4..4 + length)?;
        if kind == USERNAME {
            let text = std::str::from_utf8(value).ok()?;
            return text.split_once(':').map(|(ours, _)| ours);
        }
        rest = rest.get(4 + length.next_multiple_of(4)..)?;
    }
    None
}

/// Whether a datagram is the answer that says that a request to bind was authenticated.
pub(super) fn is_binding_success(bytes: &[u8]) -> bool {
    bytes.starts_with(&[1, 1])
}

/// The table of a worker; `P` is a peer.
#[derive(Debug)]
pub(super) struct Demux<P> {
    addresses: HashMap<SocketAddr, P>,
    names: HashMap<String, P>,
}

/// What a peer has in the table.
#[derive(Debug, Default)]
pub(super) struct Entry {
    name: Option<String>,
    addresses: Vec<SocketAddr>,
}

impl<P: Copy + PartialEq> Demux<P> {
    pub(super) fn new() -> Self {
        Self {
            addresses: HashMap::new(),
            names: HashMap::new(),
        }
    }

    pub(super) fn by_address(&self, address: SocketAddr) -> Option<P> {
        self.addresses.get(&address).copied()
    }

    pub(super) fn by_name(&self, name: &str) -> Option<P> {
        self.names.get(name).copied()
    }

    /// A peer has a name from now on, and the addresses that it showed with its last one do not count any more. False:
    /// somebody else has the name.
    pub(super) fn name(&mut self, peer: P, entry: &mut Entry, name: String) -> bool {
        if self.names.get(&name).is_some_and(|other| *other != peer) {
            return false;
        }
        if let Some(old) = entry.name.replace(name.clone()) {
            self.names.remove(&old);
        }
        self.names.insert(name, peer);
        // What it sends from where it was is still taken until it is somewhere else.
        let keep = entry.addresses.len().saturating_sub(1);
        for old in entry.addresses.drain(..keep) {
            self.addresses.remove(&old);
        }
        true
    }

    /// Whether a peer may show itself at an address: it has it, or it has not yet too many.
    pub(super) fn admits(&self, entry: &Entry, address: SocketAddr) -> bool {
        entry.addresses.len() < limits::PEER_ADDRESSES || entry.addresses.contains(&address)
    }

    /// A peer was authenticated at an address: it is his, whoever had it before.
    pub(super) fn bind(&mut self, peer: P, entry: &mut Entry, address: SocketAddr) {
        if entry.addresses.contains(&address) {
            self.addresses.insert(address, peer);
        } else if self.admits(entry, address) {
            entry.addresses.push(address);
            self.addresses.insert(address, peer);
        }
    }

    /// A peer is gone.
    pub(super) fn remove(&mut self, peer: P, entry: &mut Entry) {
        if let Some(name) = entry.name.take() {
            self.names.remove(&name);
        }
        for address in entry.addresses.drain(..) {
            if self.addresses.get(&address) == Some(&peer) {
                self.addresses.remove(&address);
            }
        }
    }
}
