//! Where workers listen, and what they say of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::time::Duration;

use rookery_node::voice::media::{Media, MediaError, MediaSettings, PeerId};
use rookery_tests::voice::world::{ALL, settings};
use rookery_tests::voice::{Client, Layout, World};

const BOTH: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
];

#[test]
fn a_worker_has_one_port_on_all_its_addresses() {
    let media = Media::start(&MediaSettings {
        ports: vec![0, 0],
        listen: BOTH.to_vec(),
        ..settings()
    })
    .unwrap();
    let addresses = media.addresses();
    let ips: Vec<_> = addresses.iter().map(|address| address.ip()).collect();
    assert_eq!(ips, [BOTH, BOTH].concat());
    let ports: Vec<_> = addresses.iter().map(|address| address.port()).collect();
    assert!(ports[0] != 0 && ports[0] == ports[1], "{ports:?}");
    assert!(ports[2] != ports[0] && ports[2] == ports[3], "{ports:?}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let started = Media::start(&MediaSettings {
        ports: vec![address.port()],
        ..settings()
    });
    match started.err() {
        Some(MediaError::Bind { address: named, .. }) => assert_eq!(named, address),
        other => panic!("{other:?}"),
    }
}

#[test]
fn settings_without_a_port_or_with_a_thousand_are_refused() {
    for ports in [vec![], vec![0; 1_000]] {
        let refused = Media::start(&MediaSettings {
            ports,
            ..settings()
        });
        assert!(matches!(refused.err(), Some(MediaError::Settings { .. })));
    }
}

#[test]
fn public_addresses_are_what_candidates_say() {
    let public: IpAddr = Ipv4Addr::new(198, 51, 100, 7).into();
    let world = World::with(&MediaSettings {
        public: vec![public],
        ..settings()
    });
    let (_, offer) = Client::new(1, Layout::VIEWER).unwrap();
    let answer = world.offer(1, 1, ALL, &offer).unwrap();
    let port = world.address().port();
    assert!(
        answer.contains(&format!(" 198.51.100.7 {port} typ host")),
        "{answer}"
    );
    assert!(!answer.contains("127.0.0.1"), "{answer}");
}

#[test]
fn people_meet_over_ipv6() {
    let mut world = World::with(&MediaSettings {
        listen: BOTH.to_vec(),
        ..settings()
    });
    for user in 1..=2 {
        let ip = Ipv6Addr::LOCALHOST.into();
        let (mut client, offer) = Client::at(ip, user, Layout::PERSON).unwrap();
        let answer = world.offer(user, user, ALL, &offer).unwrap();
        client.accept(&answer).unwrap();
        world.clients.push(client);
    }
    world.room.slots(PeerId(1));
    assert!(world.connected());
    let heard = world.until(Duration::from_secs(8), |world| {
        let mut clients = world.clients.iter();
        clients.all(|c| c.audio.iter().any(|(_, audio)| audio.packets > 20))
    });
    assert!(heard, "{:?}", world.media.load());
}
