//! A client: one str0m session over one UDP socket of its own.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use rookery_node::voice::media::outline;
use rookery_protocol::client::voice::StreamKind;
use rookery_protocol::ids::UserId;
use socket2::SockRef;
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{
    Direction, KeyframeRequestKind, MediaKind, Mid, Pt, Rid, Simulcast, SimulcastLayer,
};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, ExtensionMap};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc};

use super::decoder::{Audio, Video};
use super::source::{Layer, Source};

/// The sections of a client's offer.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// A microphone.
    pub microphone: bool,
    /// Layers of a camera; 0: none.
    pub camera: usize,
    /// A screen.
    pub screen: bool,
    /// Its sound.
    pub screen_audio: bool,
    /// Sections that receive audio.
    pub audio_slots: usize,
    /// Sections that receive video.
    pub video_slots: usize,
    /// Transport-wide congestion control.
    pub transport_cc: bool,
}

impl Layout {
    /// A person with microphone and camera.
    pub const PERSON: Self = Self {
        microphone: true,
        camera: 3,
        screen: true,
        screen_audio: true,
        audio_slots: 4,
        video_slots: 4,
        transport_cc: true,
    };
    /// Somebody who only watches.
    pub const VIEWER: Self = Self {
        microphone: false,
        camera: 0,
        screen: false,
        screen_audio: false,
        audio_slots: 1,
        video_slots: 1,
        transport_cc: true,
    };
}

/// The layers of a camera: name, height, bits per second.
pub const LAYERS: [(&str, u16, u64); 3] = [
    ("q", 180, 120_000),
    ("h", 360, 400_000),
    ("f", 720, 1_200_000),
];

/// A client.
pub struct Client {
    /// Who.
    pub user: UserId,
    /// What it sends.
    pub sources: Vec<Source>,
    /// Slots of audio, in order.
    pub audio: Vec<(Mid, Audio)>,
    /// Slots of video, in order.
    pub video: Vec<(Mid, Video)>,
    /// Media flows.
    pub connected: Option<Instant>,
    /// ICE says that the other side is not there.
    pub disconnected: bool,
    /// The other side ended it.
    pub closed: bool,
    /// Datagrams that came.
    pub received: u64,
    /// Datagrams that it sent.
    pub transmitted: u64,
    /// The last request of STUN that it sent, and the last other datagram.
    pub sent: (Vec<u8>, Vec<u8>),
    /// It answers and reads nothing while this is false.
    pub alive: bool,
    rtc: Rtc,
    socket: UdpSocket,
    here: SocketAddr,
    pending: Option<SdpPendingOffer>,
    planned: Vec<(Mid, StreamKind, usize)>,
    deadline: Instant,
    rids: HashMap<(Mid, Option<Rid>), usize>,
}

impl Client {
    /// A client on the loopback, and its offer.
    pub fn new(user: u64, layout: Layout) -> io::Result<(Self, String)> {
        Self::at(Ipv4Addr::LOCALHOST.into(), user, layout)
    }

    /// A client at an address of this machine, and its offer.
    pub fn at(ip: IpAddr, user: u64, layout: Layout) -> io::Result<(Self, String)> {
        let (mut client, _) = Self::bare(ip, user, layout.transport_cc)?;
        let mut api = client.rtc.sdp_api();
        let mut planned = Vec::new();
        let mut send = |kind: StreamKind, layers: usize| {
            let simulcast = (layers > 1).then(|| {
                let mut simulcast = Simulcast::new();
                for (rid, ..) in LAYERS.iter().take(layers) {
                    simulcast.add_send_layer(SimulcastLayer::new(rid));
                }
                simulcast
            });
            let media = if kind.is_video() {
                MediaKind::Video
            } else {
                MediaKind::Audio
            };
            let mid = api.add_media(media, Direction::SendOnly, None, None, simulcast);
            planned.push((mid, kind, layers));
        };
        if layout.microphone {
            send(StreamKind::Audio, 1);
        }
        if layout.screen_audio {
            send(StreamKind::ScreenAudio, 1);
        }
        if layout.camera > 0 {
            send(StreamKind::Camera, layout.camera);
        }
        if layout.screen {
            send(StreamKind::Screen, 1);
        }
        let mut receive = |kind, count| -> Vec<Mid> {
            (0..count)
                .map(|_| api.add_media(kind, Direction::RecvOnly, None, None, None))
                .collect()
        };
        let audio = receive(MediaKind::Audio, layout.audio_slots);
        let video = receive(MediaKind::Video, layout.video_slots);
        let (offer, pending) = api
            .apply()
            .ok_or_else(|| io::Error::other("nothing to offer"))?;
        client.audio = audio.into_iter().map(|m| (m, Audio::default())).collect();
        client.video = video.into_iter().map(|m| (m, Video::default())).collect();
        client.pending = Some(pending);
        client.planned = planned;
        Ok((client, offer.to_sdp_string()))
    }

    /// A client that only receives what it is offered, as another server does it, and its answer.
    pub fn answering(ip: IpAddr, user: u64, offer: &str) -> io::Result<(Self, String)> {
        let outline = outline(offer).map_err(io::Error::other)?;
        let (mut client, _) = Self::bare(ip, user, outline.transport_cc)?;
        let offer = SdpOffer::from_sdp_string(offer).map_err(io::Error::other)?;
        let answer = client
            .rtc
            .sdp_api()
            .accept_offer(offer)
            .map_err(io::Error::other)?;
        client.drain();
        for section in &outline.sections {
            let mid = Mid::from(section.mid.as_str());
            if section.audio {
                client.audio.push((mid, Audio::default()));
            } else {
                client.video.push((mid, Video::default()));
            }
        }
        Ok((client, answer.to_sdp_string()))
    }

    fn bare(ip: IpAddr, user: u64, transport_cc: bool) -> io::Result<(Self, Instant)> {
        let socket = UdpSocket::bind((ip, 0))?;
        socket.set_nonblocking(true)?;
        // A thread that drives hundreds of clients may come late; what waits for it is not lost.
        SockRef::from(&socket).set_recv_buffer_size(1 << 21)?;
        let here = socket.local_addr()?;
        let now = Instant::now();
        let mut config = Rtc::builder()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true);
        if !transport_cc {
            let mut extensions = ExtensionMap::empty();
            extensions.set(1, Extension::AudioLevel);
            extensions.set(4, Extension::RtpMid);
            extensions.set(10, Extension::RtpStreamId);
            extensions.set(11, Extension::RepairedRtpStreamId);
            config = config.set_extension_map(extensions);
        }
        let mut rtc = config.build(now);
        rtc.add_local_candidate(Candidate::host(here, "udp").map_err(io::Error::other)?);
        let client = Self {
            user: UserId(user),
            sources: Vec::new(),
            audio: Vec::new(),
            video: Vec::new(),
            connected: None,
            disconnected: false,
            closed: false,
            received: 0,
            transmitted: 0,
            sent: Default::default(),
            alive: true,
            rtc,
            socket,
            here,
            pending: None,
            planned: Vec::new(),
            deadline: now,
            rids: HashMap::new(),
        };
        Ok((client, now))
    }

    /// Takes the server's answer.
    pub fn accept(&mut self, answer: &str) -> Result<(), String> {
        let answer = SdpAnswer::from_sdp_string(answer).map_err(|error| error.to_string())?;
        let pending = self.pending.take().ok_or("no offer is pending")?;
        self.rtc
            .sdp_api()
            .accept_answer(pending, answer)
            .map_err(|error| error.to_string())?;
        self.drain();
        // A restart of ICE has forgotten it.
        if let Ok(candidate) = Candidate::host(self.here, "udp") {
            self.rtc.add_local_candidate(candidate);
        }
        self.drain();
        let now = Instant::now();
        if self.sources.is_empty() {
            for (mid, kind, layers) in self.planned.clone() {
                let Some(pt) = self.pt(mid, kind.is_video()) else {
                    continue;
                };
                let source = self.source(mid, kind, layers, pt, now);
                self.sources.push(source);
            }
        }
        self.advance(now);
        Ok(())
    }

    /// An offer that restarts ICE, from another socket, as after a change of network.
    pub fn restart(&mut self) -> io::Result<String> {
        let socket = UdpSocket::bind(("127.0.0.1", 0))?;
        socket.set_nonblocking(true)?;
        self.here = socket.local_addr()?;
        self.socket = socket;
        let mut api = self.rtc.sdp_api();
        api.ice_restart(false);
        let (offer, pending) = api
            .apply()
            .ok_or_else(|| io::Error::other("nothing to offer"))?;
        self.pending = Some(pending);
        self.drain();
        Ok(offer.to_sdp_string())
    }

    /// Ends the session as a browser does that is closed.
    pub fn close(&mut self) {
        let _ = self.rtc.close();
        self.drain();
    }

    /// A stream that it sends.
    pub fn source_mut(&mut self, kind: StreamKind) -> Option<&mut Source> {
        self.sources.iter_mut().find(|source| source.kind == kind)
    }

    /// The layers of one.
    pub fn layers(&mut self, kind: StreamKind) -> &mut [Layer] {
        self.source_mut(kind)
            .map_or(&mut [], |source| &mut source.layers)
    }

    /// Sends bytes from where the client is, as somebody would who fakes its address.
    pub fn fake(&self, to: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        self.socket.send_to(bytes, to).map(drop)
    }

    fn source(&mut self, mid: Mid, kind: StreamKind, count: usize, pt: Pt, now: Instant) -> Source {
        let number = (self.user.0 as u32).wrapping_mul(7);
        let layers = (0..count)
            .map(|index| {
                let (rid, height, bps) = LAYERS[index];
                let rid = (count > 1).then(|| Rid::from(rid));
                self.rids.insert((mid, rid), index);
                let (height, bps) = if count > 1 {
                    (height, bps)
                } else {
                    (720, 600_000)
                };
                Layer::new(rid, height, bps, number + index as u32)
            })
            .collect();
        Source::new(mid, kind, pt, layers, self.user.0, now)
    }

    fn pt(&self, mid: Mid, video: bool) -> Option<Pt> {
        let agreed = self.rtc.media(mid)?.remote_pts();
        let codec = if video { Codec::Vp8 } else { Codec::Opus };
        let params = self.rtc.codec_config().params();
        params
            .iter()
            .find(|params| params.spec().codec == codec && agreed.contains(&params.pt()))
            .map(|params| params.pt())
    }

    /// When it has something to do by itself.
    pub fn due(&self) -> Instant {
        let sources = self.sources.iter().filter_map(Source::due);
        sources.fold(self.deadline, Instant::min)
    }

    /// Reads what came, sends what is due.
    pub fn step(&mut self, now: Instant) {
        if !self.alive {
            return;
        }
        let mut buffer = [0; 2_048];
        for _ in 0..256 {
            let Ok((length, source)) = self.socket.recv_from(&mut buffer) else {
                break;
            };
            self.received += 1;
            let Ok(receive) = Receive::new(Protocol::Udp, source, self.here, &buffer[..length])
            else {
                continue;
            };
            let _ = self.rtc.handle_input(Input::Receive(now, receive));
            self.drain();
        }
        if self.connected.is_some() {
            for index in 0..self.sources.len() {
                let mid = self.sources[index].mid;
                for (rid, write) in self.sources[index].take(now) {
                    let mut direct = self.rtc.direct_api();
                    if let Some(stream) = direct.stream_tx_by_mid(mid, rid) {
                        stream.write_rtp(write);
                    }
                    self.drain();
                    self.advance(now);
                }
            }
        }
        let mut asks = Vec::new();
        for (mid, video) in &mut self.video {
            if video.wants_keyframe(now) {
                asks.push(*mid);
            }
        }
        for mid in asks {
            let mut direct = self.rtc.direct_api();
            if let Some(stream) = direct.stream_rx_by_mid(mid, None) {
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
            self.drain();
            self.advance(now);
        }
        if now >= self.deadline {
            self.advance(now);
        }
    }

    fn advance(&mut self, now: Instant) {
        let _ = self.rtc.handle_input(Input::Timeout(now));
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    // One that has ended says a time that never comes.
                    self.deadline = at.min(Instant::now() + Duration::from_secs(1));
                    return;
                }
                Ok(Output::Transmit(transmit)) => {
                    let kept = if transmit.contents.starts_with(&[0, 1]) {
                        &mut self.sent.0
                    } else {
                        &mut self.sent.1
                    };
                    kept.clear();
                    kept.extend_from_slice(&transmit.contents);
                    let sent = self
                        .socket
                        .send_to(&transmit.contents, transmit.destination);
                    self.transmitted += u64::from(sent.is_ok());
                }
                Ok(Output::Event(event)) => self.event(event),
                Err(_) => return,
            }
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Connected => self.connected = Some(Instant::now()),
            Event::IceConnectionStateChange(state) => {
                self.disconnected = state == IceConnectionState::Disconnected;
            }
            Event::Closed => self.closed = true,
            Event::KeyframeRequest(request) => {
                let index = self.rids.get(&(request.mid, request.rid)).copied();
                let source = self.sources.iter_mut().find(|s| s.mid == request.mid);
                if let (Some(index), Some(source)) = (index, source) {
                    source.layers[index].ask();
                }
            }
            Event::RtpPacket(packet) => {
                let mid = {
                    let mut direct = self.rtc.direct_api();
                    direct.stream_rx(&packet.header.ssrc).map(|s| s.mid())
                };
                let (seq, time) = (*packet.seq_no, packet.header.timestamp);
                if let Some((_, audio)) = self.audio.iter_mut().find(|(m, _)| Some(*m) == mid) {
                    audio.packet(seq, time, &packet.payload);
                }
                if let Some((_, video)) = self.video.iter_mut().find(|(m, _)| Some(*m) == mid) {
                    let marker = packet.header.marker;
                    video.packet(packet.timestamp, seq, time, marker, &packet.payload);
                }
            }
            _ => {}
        }
    }
}
