//! A slot's own numbering: whatever stream or layer plays in it, its receiver sees one stream without a jump.

use rookery_protocol::time::Millis;

use super::packet::{Arrival, Picture};

/// Renumbers what goes into one slot.
///
/// Sequence numbers start at 1, so that SRTP's rollover counter starts at 0 (RFC 3711, section 3.3.1).
#[derive(Debug, Clone, Default)]
pub struct Rewriter {
    /// Of what was sent last in order.
    last: Option<Last>,
    /// What is added to the source's numbers.
    source: Option<Source>,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    seq: u64,
    time: u32,
    at: Millis,
    picture: Picture,
}

#[derive(Debug, Clone, Copy)]
struct Source {
    /// What is before it belongs to what the slot showed earlier.
    first: u64,
    seq: u64,
    time: u32,
    id: u16,
    tl0: u8,
    key: u8,
}

impl Rewriter {
    /// From this packet on another source plays: of video, the first packet of a keyframe.
    pub fn start(&mut self, now: Millis, packet: &Arrival) {
        let picture = packet.picture;
        let source = match &self.last {
            None => Source {
                first: packet.seq,
                seq: 1u64.wrapping_sub(packet.seq),
                time: 0,
                id: 0,
                tl0: 0,
                key: 0,
            },
            Some(last) => {
                // The time that passed, so that the receiver's clock of this slot stays right; at least one millisecond,
                // since two pictures with one timestamp would be one.
                let passed = now.0.saturating_sub(last.at.0).max(1);
                let ticks = u32::try_from(passed)
                    .unwrap_or(u32::MAX)
                    .wrapping_mul(packet.codec.ticks());
                Source {
                    first: packet.seq,
                    seq: (last.seq + 1).wrapping_sub(packet.seq),
                    time: last.time.wrapping_add(ticks).wrapping_sub(packet.time),
                    id: next(last.picture.id, picture.id),
                    tl0: last
                        .picture
                        .tl0
                        .unwrap_or(0)
                        .wrapping_add(1)
                        .wrapping_sub(picture.tl0.unwrap_or(0)),
                    key: last
                        .picture
                        .key
                        .unwrap_or(0)
                        .wrapping_add(1)
                        .wrapping_sub(picture.key.unwrap_or(0)),
                }
            }
        };
        self.source = Some(source);
    }

    /// Nothing plays until the next [`start`](Self::start).
    pub fn stop(&mut self) {
        self.source = None;
    }

    /// The numbers that a packet of the source goes out with; none if it is older than the source's start, or there is no
    /// source.
    pub fn pass(&mut self, now: Millis, packet: &Arrival) -> Option<(u64, u32, Picture)> {
        let source = self.source.as_ref()?;
        if packet.seq < source.first {
            return None;
        }
        let seq = packet.seq.wrapping_add(source.seq);
        let time = packet.time.wrapping_add(source.time);
        let mask = if packet.picture.wide { 0x7fff } else { 0x7f };
        let picture = Picture {
            id: packet
                .picture
                .id
                .map(|id| id.wrapping_add(source.id) & mask),
            wide: packet.picture.wide,
            tl0: packet.picture.tl0.map(|tl0| tl0.wrapping_add(source.tl0)),
            key: packet
                .picture
                .key
                .map(|key| key.wrapping_add(source.key) & 0x1f),
        };
        if self.last.as_ref().is_none_or(|last| seq > last.seq) {
            // A packet may lack a number that the one before had.
            let before = self.last.map(|last| last.picture).unwrap_or_default();
            self.last = Some(Last {
                seq,
                time,
                at: now,
                picture: Picture {
                    id: picture.id.or(before.id),
                    wide: picture.wide,
                    tl0: picture.tl0.or(before.tl0),
                    key: picture.key.or(before.key),
                },
            });
        }
        Some((seq, time, picture))
    }
}

/// What is added to a source's picture ids so that its first is the one after the last. 7-bit ids are 15-bit ones without
/// the upper bits, so one difference serves both.
fn next(last: Option<u16>, first: Option<u16>) -> u16 {
    last.unwrap_or(0)
        .wrapping_add(1)
        .wrapping_sub(first.unwrap_or(0))
}
