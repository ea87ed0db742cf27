//! What a client gets, judged as its decoder would: a picture counts if it is whole and follows the one before, or is a
//! keyframe.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::content::{self, Content};

/// A decoder that has not got on for so long asks for a keyframe.
const STUCK: Duration = Duration::from_millis(300);
/// And not more often than this.
const ASK: Duration = Duration::from_millis(500);
/// Ticks a second of the timestamps of video. Source: RFC 7741, 4.1
const VIDEO_HZ: u64 = 90_000;
/// Packets that it keeps.
const KEPT: usize = 4_096;

/// A slot that plays voices.
#[derive(Debug, Default)]
pub struct Audio {
    /// Packets that came.
    pub packets: u64,
    /// Whose was the last.
    pub last: Option<Content>,
    /// Sequence numbers that were left out, so far.
    pub missing: u64,
    /// Packets that came twice, or with an older timestamp than one before them in order.
    pub errors: u64,
    /// How many came of each.
    pub of: BTreeMap<u64, u64>,
    highest: Option<(u64, u32)>,
}

impl Audio {
    pub(super) fn packet(&mut self, seq: u64, time: u32, payload: &[u8]) {
        self.packets += 1;
        self.last = content::read_opus(payload);
        if let Some(content) = self.last {
            *self.of.entry(content.user).or_default() += 1;
        }
        match self.highest {
            Some((highest, at)) if seq > highest => {
                self.missing += seq - highest - 1;
                if (time.wrapping_sub(at) as i32) <= 0 {
                    self.errors += 1;
                }
                self.highest = Some((seq, time));
            }
            Some((highest, _)) if seq == highest => self.errors += 1,
            Some(_) => self.missing = self.missing.saturating_sub(1),
            None => self.highest = Some((seq, time)),
        }
    }
}

#[derive(Debug)]
struct Packet {
    vp8: content::Vp8,
    time: u32,
    marker: bool,
}

/// A slot that plays pictures.
#[derive(Debug, Default)]
pub struct Video {
    /// Packets that came.
    pub packets: u64,
    /// Pictures that were decoded.
    pub frames: u64,
    /// When the first was.
    pub first: Option<Instant>,
    /// When the last was.
    pub newest: Option<Instant>,
    /// Of whom the last was.
    pub last: Option<Content>,
    /// The longest time between two pictures.
    pub freeze: Duration,
    /// The same on the sender's clock: what was left out, however late the rest came.
    pub left_out: Duration,
    /// Pictures whose numbers do not follow the picture before, though their sequence numbers do.
    pub errors: u64,
    /// Keyframes it asked for.
    pub asked: u64,
    packets_kept: BTreeMap<u64, Packet>,
    next: Option<u64>,
    before: Option<(content::Vp8, u32)>,
    progress: Option<Instant>,
    ask: Option<Instant>,
}

impl Video {
    pub(super) fn packet(
        &mut self,
        now: Instant,
        seq: u64,
        time: u32,
        marker: bool,
        payload: &[u8],
    ) {
        self.packets += 1;
        let Some(vp8) = content::read_vp8(payload) else {
            self.errors += 1;
            return;
        };
        if self.next.is_some_and(|next| seq < next) {
            return;
        }
        self.packets_kept.insert(seq, Packet { vp8, time, marker });
        if self.packets_kept.len() > KEPT {
            self.packets_kept.pop_first();
        }
        while self.decode(now) {}
    }

    /// Forgets how long nothing came: the test paused it.
    pub fn reset_freeze(&mut self) {
        self.freeze = Duration::ZERO;
        self.left_out = Duration::ZERO;
        self.newest = None;
    }

    /// Whether to ask for a keyframe now.
    pub(super) fn wants_keyframe(&mut self, now: Instant) -> bool {
        let Some(progress) = self.progress else {
            return false;
        };
        let stuck = !self.packets_kept.is_empty() && now.duration_since(progress) > STUCK;
        let again = self.ask.is_none_or(|at| now.duration_since(at) > ASK);
        if stuck && again {
            self.ask = Some(now);
            self.asked += 1;
        }
        stuck && again
    }

    fn decode(&mut self, now: Instant) -> bool {
        self.progress.get_or_insert(now);
        if let Some(next) = self.next
            && let Some(end) = self.whole(next)
        {
            self.show(now, next, end, true);
            return true;
        }
        // A whole keyframe further on.
        let start = self
            .packets_kept
            .iter()
            .filter(|(_, packet)| packet.vp8.start && packet.vp8.keyframe)
            .map(|(seq, _)| *seq)
            .find_map(|seq| Some((seq, self.whole(seq)?)));
        if let Some((seq, end)) = start {
            self.show(now, seq, end, false);
            return true;
        }
        false
    }

    /// The last packet of the picture that starts there, if all are there. Whoever leaves in the middle of a picture leaves one
    /// that never is: the next packet is of another time.
    fn whole(&self, start: u64) -> Option<u64> {
        let time = self.packets_kept.get(&start)?.time;
        let mut seq = start;
        loop {
            let packet = self.packets_kept.get(&seq)?;
            if packet.time != time {
                return None;
            }
            if packet.marker {
                return Some(seq);
            }
            seq += 1;
        }
    }

    fn show(&mut self, now: Instant, start: u64, end: u64, follows: bool) {
        let Some(packet) = self.packets_kept.get(&start) else {
            return;
        };
        let (vp8, time) = (packet.vp8, packet.time);
        if follows && let Some((before, at)) = self.before {
            let next = vp8.start
                && vp8.picture == (before.picture + 1) & 0x7fff
                && vp8.tl0 == before.tl0.wrapping_add(1)
                && (time.wrapping_sub(at) as i32) > 0
                && (vp8.keyframe || vp8.content == before.content)
                && vp8.key == (before.key + u8::from(vp8.keyframe)) & 0x1f;
            self.errors += u64::from(!next);
        }
        if self.newest.is_some()
            && let Some((_, at)) = self.before
        {
            let passed = u64::from(time.wrapping_sub(at)) * 1_000_000 / VIDEO_HZ;
            self.left_out = self.left_out.max(Duration::from_micros(passed));
        }
        self.before = Some((vp8, time));
        self.frames += 1;
        self.first.get_or_insert(now);
        if let Some(newest) = self.newest {
            self.freeze = self.freeze.max(now.duration_since(newest));
        }
        self.newest = Some(now);
        self.progress = Some(now);
        self.last = Some(vp8.content);
        self.next = Some(end + 1);
        self.packets_kept = self.packets_kept.split_off(&(end + 1));
    }
}

#[cfg(test)]
mod tests {
    use rookery_protocol::client::voice::StreamKind;

    use super::*;

    fn packet(picture: u16, key: u8, start: bool, keyframe: bool) -> Vec<u8> {
        let content = Content {
            user: u64::from(key),
            kind: StreamKind::Camera,
            layer: 0,
        };
        let vp8 = content::Vp8 {
            start,
            keyframe,
            picture,
            tl0: picture as u8,
            key,
            content,
        };
        content::vp8(vp8, 180, 100)
    }

    #[test]
    fn a_picture_that_another_ones_keyframe_cuts_off_is_left_out() {
        let mut video = Video::default();
        let now = Instant::now();
        video.packet(now, 1, 3_000, true, &packet(1, 1, true, true));
        // Its last packet never comes.
        video.packet(now, 2, 6_000, false, &packet(2, 1, true, false));
        video.packet(now, 3, 9_000, false, &packet(3, 2, true, true));
        video.packet(now, 4, 9_000, true, &packet(3, 2, false, true));
        video.packet(now, 5, 12_000, true, &packet(4, 2, true, false));
        assert_eq!((video.frames, video.errors), (3, 0), "{video:?}");
        let left_out = Duration::from_micros(66_666);
        assert_eq!(video.left_out, left_out, "from 3,000 to 9,000");
    }

    #[test]
    fn a_picture_that_does_not_follow_is_an_error() {
        let mut video = Video::default();
        let now = Instant::now();
        video.packet(now, 1, 3_000, true, &packet(1, 1, true, true));
        video.packet(now, 2, 6_000, true, &packet(3, 1, true, false));
        assert_eq!((video.frames, video.errors), (2, 1), "{video:?}");
    }
}
