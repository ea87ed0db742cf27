//! Bad input: bounded, counted, and the room goes on.

use std::net::UdpSocket;
use std::time::Duration;

use rookery_node::voice::media::{GoneReason, MediaEvent, MediaLoad, OfferError, PeerId};
use rookery_protocol::limits;
use rookery_tests::voice::world::ALL;
use rookery_tests::voice::{Client, Layout, World};

const SOON: Duration = Duration::from_secs(8);

/// Two people, the first of whom watches the second.
fn two() -> World {
    let mut world = World::new();
    world.join(Layout::PERSON);
    world.join(Layout::PERSON);
    world.want(0, &[(1, 720)]);
    assert!(world.connected());
    goes_on(&mut world);
    world
}

/// The first still sees the second, without an error and without a failure of a session.
fn goes_on(world: &mut World) -> MediaLoad {
    let frames = |w: &World| {
        w.clients[0]
            .video
            .iter()
            .map(|(_, v)| v.frames)
            .sum::<u64>()
    };
    let before = frames(world);
    assert!(
        world.until(SOON, |w| frames(w) > before + 20),
        "{:?}",
        world.media.load()
    );
    for (_, video) in &world.clients[0].video {
        assert_eq!(video.errors, 0, "{video:?}");
    }
    let load = world.media.load();
    assert_eq!((load.failed, load.peers), (0, 2), "{load:?}");
    load
}

fn rtp(ssrc: u32, seq: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 96];
    packet.extend(seq.to_be_bytes());
    packet.extend(1u32.to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend([7; 60]);
    packet
}

#[test]
fn strangers_that_send_anything_are_counted() {
    let mut world = two();
    let to = world.address();
    let stranger = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let before = world.media.load();
    for n in 0..500u16 {
        stranger.send_to(&rtp(u32::from(n), n), to).unwrap();
        stranger.send_to(&[22, 254, 253, 0], to).unwrap();
        stranger.send_to(b"GET / HTTP/1.1", to).unwrap();
        stranger.send_to(&[], to).unwrap();
        stranger.send_to(&vec![0x80; 3_000], to).unwrap();
        world.run(Duration::from_millis(1));
    }
    let load = goes_on(&mut world);
    assert!(load.unknown >= before.unknown + 1_000, "{load:?}");
    assert!(load.malformed >= before.malformed + 1_000, "{load:?}");
}

#[test]
fn a_faked_request_of_stun_gives_nobody_an_address() {
    let mut world = two();
    let stranger = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    // The right names, but the integrity of one that knows no password.
    let mut request = world.clients[1].sent.0.clone();
    assert!(!request.is_empty(), "the client has sent a request");
    let last = request.len() - 1;
    // Before the fingerprint, in the middle of the integrity.
    request[last - 16] ^= 0xff;
    for _ in 0..100 {
        stranger.send_to(&request, world.address()).unwrap();
    }
    let before = world.media.load();
    goes_on(&mut world);
    let mut answer = [0; 100];
    stranger.set_nonblocking(true).unwrap();
    assert!(stranger.recv_from(&mut answer).is_err(), "no answer");
    // What comes from there is nobody's.
    for n in 0..100 {
        stranger.send_to(&rtp(1, n), world.address()).unwrap();
    }
    let load = goes_on(&mut world);
    assert!(load.unknown >= before.unknown + 100, "{load:?}");
}

#[test]
fn a_peer_has_so_many_addresses_and_not_more() {
    let mut world = two();
    let request = world.clients[1].sent.0.clone();
    let mut answered = 0;
    let mut sockets = Vec::new();
    for _ in 0..3 * limits::PEER_ADDRESSES {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket.send_to(&request, world.address()).unwrap();
        sockets.push(socket);
        world.run(Duration::from_millis(10));
    }
    world.run(Duration::from_millis(300));
    for socket in &sockets {
        let mut answer = [0; 200];
        answered += usize::from(socket.recv_from(&mut answer).is_ok());
    }
    assert!(answered > 0, "a request that is authentic is answered");
    assert!(answered < limits::PEER_ADDRESSES, "{answered}");
    let load = goes_on(&mut world);
    let refused = 3 * limits::PEER_ADDRESSES - answered;
    assert!(load.flooded >= refused as u64, "{load:?}");
}

#[test]
fn a_flood_of_ssrcs_from_a_peers_own_address_is_cut_off() {
    let mut world = two();
    let to = world.address();
    for n in 0..5_000u32 {
        world.clients[1].fake(to, &rtp(n, n as u16)).unwrap();
        if n % 50 == 0 {
            world.run(Duration::from_millis(2));
        }
    }
    let load = goes_on(&mut world);
    assert!(
        load.flooded >= 5_000 - limits::PEER_SSRCS as u64 - 500,
        "{load:?}"
    );
}

#[test]
fn packets_that_are_cut_off_or_changed_harm_nobody() {
    let mut world = two();
    let to = world.address();
    for round in 0..20 {
        world.run(Duration::from_millis(30));
        let (stun, other) = world.clients[1].sent.clone();
        for packet in [&stun, &other] {
            for length in (0..packet.len()).step_by(3) {
                world.clients[1].fake(to, &packet[..length]).unwrap();
                let mut changed = packet.clone();
                changed[length] ^= 0x5a + round;
                world.clients[1].fake(to, &changed).unwrap();
            }
            world.run(Duration::from_millis(5));
        }
    }
    goes_on(&mut world);
}

#[test]
fn dtls_that_is_faked_from_a_peers_own_address_does_not_end_its_session() {
    let mut world = two();
    let to = world.address();
    for kind in 20..64u8 {
        for version in [0xfdu8, 0xff, 0x03] {
            let mut record = vec![kind, 254, version, 0, 0, 0, 0, 0, 0, 0, 9, 0, 32];
            record.extend([kind; 32]);
            world.clients[1].fake(to, &record).unwrap();
        }
        world.run(Duration::from_millis(2));
    }
    goes_on(&mut world);
}

#[test]
fn offers_that_cannot_be_answered_are_refused_with_a_reason_and_leave_nothing() {
    let mut world = two();
    let (_, good) = Client::new(9, Layout::PERSON).unwrap();
    let section = |n: usize| {
        format!("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:s{n}\r\na=rtpmap:111 opus/48000/2\r\n")
    };
    let many = |count: usize, extra: &str| {
        let head = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n";
        let sections: String = (0..count).map(|n| section(n) + extra).collect();
        format!("{head}{sections}")
    };
    let cases = [
        (String::new(), OfferError::Empty),
        ("no sdp at all".to_owned(), OfferError::Empty),
        ("a".repeat(limits::OFFER_BYTES + 1), OfferError::TooLarge),
        (many(2_000, ""), OfferError::TooManySections),
        (
            many(limits::AUDIO_SLOTS + 1, "a=recvonly\r\n"),
            OfferError::TooManySlots,
        ),
        (many(1, ""), OfferError::Unreadable),
        (
            many(
                1,
                &"a=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n".repeat(100),
            ),
            OfferError::TooManyCandidates,
        ),
        (many(1, "a=mid:again\r\n"), OfferError::SectionName),
        (
            many(2, "").replace("a=mid:s1", "a=mid:s0"),
            OfferError::SectionName,
        ),
        (
            many(1, "").replace("a=mid:s0", "a=mid:a-b"),
            OfferError::SectionName,
        ),
        (
            many(1, "a=simulcast:send a;b;c;d\r\n"),
            OfferError::TooManyLayers,
        ),
        (
            many(
                1,
                "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\n",
            ),
            OfferError::UnknownSection,
        ),
        // str0m panics on the first; found by the fuzz target `media_session`.
        (
            many(2, "").replacen("111 opus", "111 PCMU", 1),
            OfferError::PayloadType,
        ),
        (
            many(
                1,
                "a=rtpmap:99 rtx/90000\r\na=fmtp:99 apt=111\r\na=fmtp:99 apt=98\r\n",
            ),
            OfferError::PayloadType,
        ),
        (many(1, "a=fmtp:111 apt=98\r\n"), OfferError::PayloadType),
        (
            good.replace("a=ice-ufrag", "a=x-ufrag"),
            OfferError::Unreadable,
        ),
        (
            good.replace("a=fingerprint", "a=x-fingerprint"),
            OfferError::Unreadable,
        ),
    ];
    for (offer, expected) in cases {
        let refused = world.offer(9, 9, ALL, &offer);
        assert_eq!(refused.err(), Some(expected), "{:.200}", offer);
    }
    goes_on(&mut world);
}

#[test]
fn sections_with_codecs_that_nobody_knows_are_rejected_and_the_others_live() {
    let world = two();
    let (_, offer) = Client::new(9, Layout::PERSON).unwrap();
    let unknown = offer
        .replace("VP8/90000", "XYZ/90000")
        .replace("rtx/90000", "abc/90000");
    let answer = world.offer(9, 9, ALL, &unknown).unwrap();
    let rejected = answer.matches("m=video 0 ").count();
    let alive = answer.matches("m=audio 9 ").count();
    assert_eq!(rejected, answer.matches("m=video ").count(), "{answer}");
    assert_eq!(alive, answer.matches("m=audio ").count(), "{answer}");
    assert!(rejected > 0 && alive > 0, "{answer}");
}

#[test]
fn a_client_with_another_certificate_than_it_said_is_ended_alone() {
    let mut world = two();
    let (mut liar, offer) = Client::new(9, Layout::PERSON).unwrap();
    let at = offer.find("a=fingerprint:sha-256 ").unwrap() + "a=fingerprint:sha-256 ".len();
    let digits = &offer[at..at + 5];
    let other = if digits == "00:00" { "11:11" } else { "00:00" };
    let forged = offer.replace(digits, other);
    assert_ne!(forged, offer);
    let answer = world.offer(9, 9, ALL, &forged).unwrap();
    liar.accept(&answer).unwrap();
    world.clients.push(liar);
    let gone = world.until(SOON, |world| {
        let mut events = world.events().into_iter();
        events.any(|e| matches!(e, MediaEvent::Gone(PeerId(9), GoneReason::Failed)))
    });
    assert!(gone, "{:?}", world.media.load());
    let load = world.media.load();
    assert_eq!((load.failed, load.peers), (1, 2), "{load:?}");
    let seen = |w: &World| {
        w.clients[0]
            .video
            .iter()
            .map(|(_, v)| v.frames)
            .sum::<u64>()
    };
    let before = seen(&world);
    assert!(world.until(SOON, |w| seen(w) > before + 20));
}
