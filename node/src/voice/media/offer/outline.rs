//! What an offer has, read from its lines before anything else looks at it: so that what is too much is refused early.

use std::collections::BTreeMap;

use rookery_protocol::client::voice::RIDS;
use rookery_protocol::limits;

use super::OfferError;

/// A media section of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its name.
    pub mid: String,
    /// It is audio, else video.
    pub audio: bool,
    /// It is in use: not rejected, and with a codec that we know.
    pub alive: bool,
    /// The client sends in it.
    pub sends: bool,
    /// The client receives in it.
    pub receives: bool,
    /// The layers that the client sends, the smallest first; none if it is no simulcast.
    pub rids: Vec<String>,
    codec: bool,
}

/// What an offer has. Two offers of one session have the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    /// Its sections, in order.
    pub sections: Vec<Section>,
    /// Transport-wide congestion control is offered.
    pub transport_cc: bool,
    /// The certificates that DTLS may have.
    fingerprints: Vec<String>,
    payloads: BTreeMap<u8, Payload>,
}

/// What a payload type means. All sections share one RTP session, so it means the same in all of them.
///
/// Source: RFC 8843, section 9.1.1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Payload {
    /// Name, clock and channels.
    codec: Option<String>,
    /// Of a resend: the payload type that is sent again.
    resends: Option<u8>,
}

impl Payload {
    /// It is media of ours and a resend.
    fn is_contradictory(&self) -> bool {
        let codec = self.codec.as_deref().unwrap_or("");
        self.resends.is_some() && (is_known(codec, true) || is_known(codec, false))
    }
}

/// Whether a codec, as it is called in `rtpmap`, is one of ours.
fn is_known(codec: &str, audio: bool) -> bool {
    let name = codec.split('/').next().unwrap_or("");
    let ours: &[&str] = if audio {
        &["opus"]
    } else {
        &["VP8", "VP9", "H264"]
    };
    ours.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Reads an offer's outline.
///
/// # Errors
///
/// It has too much of something, or sections that are not for us.
pub fn outline(offer: &str) -> Result<Outline, OfferError> {
    if offer.len() > limits::OFFER_BYTES {
        return Err(OfferError::TooLarge);
    }
    let mut outline = Outline::default();
    let mut candidates = 0;
    for line in offer.lines().map(str::trim_end) {
        if let Some(media) = line.strip_prefix("m=") {
            if outline.sections.len() >= limits::OFFER_SECTIONS {
                return Err(OfferError::TooManySections);
            }
            outline.sections.push(section(media)?);
            continue;
        }
        let Some(attribute) = line.strip_prefix("a=") else {
            continue;
        };
        let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
        match name {
            "candidate" => {
                candidates += 1;
                if candidates > limits::OFFER_CANDIDATES {
                    return Err(OfferError::TooManyCandidates);
                }
            }
            "fingerprint" => {
                if !outline.fingerprints.iter().any(|known| known == value) {
                    outline.fingerprints.push(value.to_owned());
                }
            }
            "extmap" if value.contains("transport-wide-cc-extensions") => {
                outline.transport_cc = true;
            }
            _ => {
                if let Some(section) = outline.sections.last_mut() {
                    section.read(name, value)?;
                    outline.payload(name, value)?;
                }
            }
        }
    }
    outline.check()?;
    Ok(outline)
}

fn section(media: &str) -> Result<Section, OfferError> {
    let mut words = media.split(' ');
    let audio = match words.next() {
        Some("audio") => true,
        Some("video") => false,
        _ => return Err(OfferError::UnknownSection),
    };
    Ok(Section {
        mid: String::new(),
        audio,
        alive: words.next() != Some("0"),
        // What a section is that does not say it (RFC 8866, section 6.7).
        sends: true,
        receives: true,
        rids: Vec::new(),
        codec: false,
    })
}

impl Section {
    fn read(&mut self, name: &str, value: &str) -> Result<(), OfferError> {
        match name {
            "mid" => {
                let fits = (1..=limits::SECTION_NAME_BYTES).contains(&value.len())
                    && value.bytes().all(|byte| byte.is_ascii_alphanumeric());
                if !fits || !self.mid.is_empty() {
                    return Err(OfferError::SectionName);
                }
                value.clone_into(&mut self.mid);
            }
            "sendrecv" => (self.sends, self.receives) = (true, true),
            "sendonly" => (self.sends, self.receives) = (true, false),
            "recvonly" => (self.sends, self.receives) = (false, true),
            "inactive" => (self.sends, self.receives) = (false, false),
            // Port 0 that is not a rejection (RFC 8843, section 6).
            "bundle-only" => self.alive = true,
            "rtpmap" => {
                let codec = value.split_once(' ').map_or("", |(_, codec)| codec);
                self.codec |= is_known(codec, self.audio);
            }
            "simulcast" => {
                let mut words = value.split_ascii_whitespace();
                while let (Some(direction), Some(list)) = (words.next(), words.next()) {
                    if direction == "send" {
                        self.layers(list)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A list of layers, each perhaps with alternatives, of which we take the first, and perhaps paused.
    ///
    /// Source: RFC 8853, section 5.1.
    fn layers(&mut self, list: &str) -> Result<(), OfferError> {
        let mut rids = Vec::new();
        for layer in list.split(';') {
            let first = layer
                .split(',')
                .next()
                .unwrap_or("")
                .trim_start_matches('~');
            let fits = (1..=limits::SECTION_NAME_BYTES).contains(&first.len())
                && first.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if !fits {
                return Err(OfferError::SectionName);
            }
            if rids.len() >= limits::SIMULCAST_LAYERS {
                return Err(OfferError::TooManyLayers);
            }
            rids.push(first.to_owned());
        }
        // Browsers list them as the page did; these names say themselves which is which.
        let rank = |rid: &String| RIDS.iter().position(|known| known == rid);
        if rids.iter().all(|rid| rank(rid).is_some()) {
            rids.sort_by_key(rank);
        }
        self.rids = rids;
        Ok(())
    }
}

impl Outline {
    /// Takes note of what a payload type means; one that is no number is left to the parser.
    fn payload(&mut self, name: &str, value: &str) -> Result<(), OfferError> {
        let Some((number, meaning)) = value.split_once(' ') else {
            return Ok(());
        };
        let Ok(number) = number.parse() else {
            return Ok(());
        };
        let is_same = match name {
            "rtpmap" => {
                let known = &mut self.payloads.entry(number).or_default().codec;
                let codec = known.get_or_insert_with(|| meaning.to_ascii_lowercase());
                codec.eq_ignore_ascii_case(meaning)
            }
            "fmtp" => {
                let mut params = meaning.split(';').map(str::trim);
                let resends = params.find_map(|param| param.strip_prefix("apt=")?.parse().ok());
                resends.is_none_or(|of| {
                    let known = &mut self.payloads.entry(number).or_default().resends;
                    *known.get_or_insert(of) == of
                })
            }
            _ => true,
        };
        is_same.then_some(()).ok_or(OfferError::PayloadType)
    }

    fn check(&mut self) -> Result<(), OfferError> {
        if self.sections.is_empty() {
            return Err(OfferError::Empty);
        }
        if self.payloads.values().any(Payload::is_contradictory) {
            return Err(OfferError::PayloadType);
        }
        for section in &mut self.sections {
            section.alive &= section.codec;
        }
        for (index, section) in self.sections.iter().enumerate() {
            let taken = self.sections[..index]
                .iter()
                .any(|other| other.mid == section.mid);
            if section.mid.is_empty() || taken {
                return Err(OfferError::SectionName);
            }
        }
        let slots = |audio| {
            self.sections
                .iter()
                .filter(|section| section.alive && section.receives && section.audio == audio)
                .count()
        };
        if slots(true) > limits::AUDIO_SLOTS || slots(false) > limits::VIDEO_SLOTS {
            return Err(OfferError::TooManySlots);
        }
        Ok(())
    }

    /// The offer with the sections that are not in use marked as rejected, so that they are rejected in the answer.
    pub(super) fn without_unknown(&self, offer: &str) -> String {
        let dead = |mid: &str| {
            self.sections
                .iter()
                .any(|section| !section.alive && section.mid == mid)
        };
        let mut sections = self.sections.iter();
        let mut out = String::with_capacity(offer.len());
        for line in offer.lines().map(str::trim_end) {
            if line.starts_with("m=") {
                match sections.next() {
                    Some(section) if !section.alive => {
                        let mut words = line.splitn(3, ' ');
                        let kind = words.next().unwrap_or("");
                        let rest = words.nth(1).unwrap_or("");
                        out.push_str(kind);
                        out.push_str(" 0 ");
                        out.push_str(rest);
                    }
                    _ => out.push_str(line),
                }
            } else if let Some(group) = line.strip_prefix("a=group:BUNDLE") {
                out.push_str("a=group:BUNDLE");
                for mid in group.split_ascii_whitespace().filter(|mid| !dead(mid)) {
                    out.push(' ');
                    out.push_str(mid);
                }
            } else {
                out.push_str(line);
            }
            out.push_str("\r\n");
        }
        out
    }
}
