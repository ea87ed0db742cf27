//! Who is at the other end of a request: its socket, or behind a trusted proxy what the proxy says.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use axum::http::header::{HOST, USER_AGENT};
use ipnet::IpNet;

/// The socket a request came over; put into the request's extensions by the accept loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The other end.
    pub address: SocketAddr,
    /// Whether the socket speaks TLS.
    pub is_tls: bool,
}

/// The client as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its address.
    pub address: IpAddr,
    /// Whether it speaks TLS, to us or to a trusted proxy.
    pub is_secure: bool,
}

impl Client {
    /// Reads `X-Forwarded-For` and `X-Forwarded-Proto` if the peer is a trusted proxy: the right-most hop that is not
    /// trusted is the client, for what is left of it anybody may have written.
    pub fn resolve(peer: Peer, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
        let mut address = peer.address.ip().to_canonical();
        if !is_trusted(address) {
            return Self {
                address,
                is_secure: peer.is_tls,
            };
        }
        for hop in values(headers, "x-forwarded-for").iter().rev() {
            let Some(hop) = hop_address(hop) else { break };
            address = hop;
            if !is_trusted(hop) {
                break;
            }
        }
        let protocol = values(headers, "x-forwarded-proto");
        let is_secure = protocol.last().map_or(peer.is_tls, |protocol| {
            protocol.eq_ignore_ascii_case("https")
        });
        Self { address, is_secure }
    }

    /// The address that limits count by: of IPv6 the /64, which one subscriber has all of.
    pub fn subscriber(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(_) => self.address,
            IpAddr::V6(v6) => {
                let network = v6.to_bits() & !u128::from(u64::MAX);
                IpAddr::V6(network.into())
            }
        }
    }
}

/// The items of a list header, all its lines together.
fn values<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .collect()
}

/// The address of a hop, with or without a port.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let address = hop
        .parse::<IpAddr>()
        .ok()
        .or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .or_else(|| hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok())?;
    Some(address.to_canonical())
}

/// The URL of the gateway as this client should see it, without a trailing slash.
pub fn gateway_url(public_url: Option<&str>, headers: &HeaderMap, is_secure: bool) -> String {
    if let Some(url) = public_url {
        return url.replacen("http", "ws", 1);
    }
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .filter(|host| is_host(host))
        .unwrap_or("localhost");
    let scheme = if is_secure { "wss" } else { "ws" };
    format!("{scheme}://{host}")
}

/// Whether a `Host` can be repeated in a URL.
fn is_host(host: &str) -> bool {
    let is_allowed =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']' | b'_');
    !host.is_empty() && host.len() <= 255 && host.bytes().all(is_allowed)
}

/// `User-Agent`, shortened and printable.
pub fn device(headers: &HeaderMap) -> String {
    headers
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
        .chars()
        .filter(|c| !c.is_control())
        .take(128)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str], protocol: Option<&str>) -> (String, bool) {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        if let Some(protocol) = protocol {
            headers.insert("x-forwarded-proto", protocol.parse().unwrap());
        }
        let peer = Peer {
            address: peer.parse().unwrap(),
            is_tls: false,
        };
        let trusted: Vec<IpNet> = ["10.0.0.0/8", "::1/128"]
            .iter()
            .map(|net| net.parse().unwrap())
            .collect();
        let client = Client::resolve(peer, &headers, &trusted);
        (client.address.to_string(), client.is_secure)
    }

    #[test]
    fn only_trusted_proxies_are_believed_and_only_as_far_as_they_saw() {
        let table = [
            (
                "1.2.3.4:1",
                vec!["9.9.9.9"],
                Some("https"),
                ("1.2.3.4", false),
            ),
            (
                "10.0.0.1:1",
                vec!["9.9.9.9"],
                Some("https"),
                ("9.9.9.9", true),
            ),
            (
                "10.0.0.1:1",
                vec!["6.6.6.6, 9.9.9.9, 10.0.0.2"],
                None,
                ("9.9.9.9", false),
            ),
            (
                "10.0.0.1:1",
                vec!["6.6.6.6", "9.9.9.9"],
                Some("http"),
                ("9.9.9.9", false),
            ),
            (
                "10.0.0.1:1",
                vec!["evil, 10.0.0.3"],
                None,
                ("10.0.0.3", false),
            ),
            (
                "10.0.0.1:1",
                vec!["6.6.6.6, evil"],
                None,
                ("10.0.0.1", false),
            ),
            (
                "10.0.0.1:1",
                vec![],
                Some("https, http"),
                ("10.0.0.1", false),
            ),
            ("[::1]:1", vec!["9.9.9.9:443"], None, ("9.9.9.9", false)),
            (
                "[::1]:1",
                vec!["[2001:db8::1]:443"],
                None,
                ("2001:db8::1", false),
            ),
            (
                "[::ffff:10.0.0.1]:1",
                vec!["9.9.9.9"],
                None,
                ("9.9.9.9", false),
            ),
        ];
        for (peer, forwarded, protocol, (address, secure)) in table {
            let found = client(peer, &forwarded, protocol);
            assert_eq!(found, (address.to_owned(), secure), "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn an_ipv6_subscriber_is_a_64() {
        let client = |address: &str| Client {
            address: address.parse().unwrap(),
            is_secure: false,
        };
        assert_eq!(
            client("2001:db8::1").subscriber(),
            client("2001:db8::ffff").subscriber()
        );
        assert_ne!(
            client("2001:db8:0:1::1").subscriber(),
            client("2001:db8::1").subscriber()
        );
    }

    #[test]
    fn the_gateway_url_never_repeats_a_hostile_host() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "chat.example:8080".parse().unwrap());
        assert_eq!(gateway_url(None, &headers, true), "wss://chat.example:8080");
        headers.insert(HOST, "a/b?\"".parse().unwrap());
        assert_eq!(gateway_url(None, &headers, false), "ws://localhost");
        let public = Some("https://chat.example");
        assert_eq!(gateway_url(public, &headers, false), "wss://chat.example");
    }
}
