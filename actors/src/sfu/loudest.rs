//! Whose voice is forwarded, and who is said to speak.

use rookery_protocol::limits;
use rookery_protocol::time::Millis;

use super::peer::PeerIndex;

/// Loudness (dB above silence, 127 dB down from full scale) from which somebody speaks.
const SPEAKS: f32 = 77.0;
/// Loudness below which he does not any more.
const SILENT: f32 = 70.0;
/// Decibels that a voice must be louder than the quietest that is forwarded to take its place.
const MARGIN: f32 = 6.0;
/// Loudness that is assumed of a packet that does not say it.
const ASSUMED: f32 = 90.0;
/// Bytes up to which an Opus packet that does not say its level is held for silence: comfort noise and DTX.
const SILENT_BYTES: u32 = 12;

/// A voice in the room.
#[derive(Debug, Clone, Copy)]
pub struct Voice {
    /// Whose.
    pub peer: PeerIndex,
    /// Smoothed, in dB above silence.
    loudness: f32,
    /// When it was last above the level of speech.
    voiced: Option<Millis>,
    /// It is said to speak.
    pub speaking: bool,
    /// Since when it is forwarded.
    since: Option<Millis>,
}

/// The voices of a room; at most [`limits::LOUDEST`] are forwarded.
#[derive(Debug, Default)]
pub struct Loudest {
    voices: Vec<Voice>,
}

/// What a packet of audio changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heard {
    /// The voice is forwarded.
    pub forwarded: bool,
    /// Who is forwarded has changed.
    pub changed: bool,
    /// It began to speak.
    pub began: bool,
}

impl Loudest {
    /// A packet of a peer's microphone: its level in dBov, if it says it, and its size.
    pub fn heard(&mut self, now: Millis, peer: PeerIndex, level: Option<i8>, bytes: u32) -> Heard {
        let loud = match level {
            Some(level) => 127.0 + f32::from(level.clamp(-127, 0)),
            None if bytes <= SILENT_BYTES => 0.0,
            None => ASSUMED,
        };
        let index = match self.voices.iter().position(|voice| voice.peer == peer) {
            Some(index) => index,
            None => {
                self.voices.push(Voice {
                    peer,
                    loudness: 0.0,
                    voiced: None,
                    speaking: false,
                    since: None,
                });
                self.voices.len() - 1
            }
        };
        let voice = &mut self.voices[index];
        // Up fast, so that a first word is heard; down slowly, over the gaps between words.
        let weight = if loud > voice.loudness { 0.5 } else { 0.05 };
        voice.loudness += (loud - voice.loudness) * weight;
        if loud >= SILENT && voice.loudness >= SILENT {
            voice.voiced = Some(now);
        }
        let mut heard = Heard::default();
        if !voice.speaking && voice.loudness >= SPEAKS {
            voice.speaking = true;
            voice.voiced = Some(now);
            heard.began = true;
        }
        if voice.since.is_none() {
            heard.changed = self.admit(now, index);
        }
        heard.forwarded = self.voices[index].since.is_some();
        heard
    }

    /// Lets a voice in if there is a place, or somebody's that is silent or clearly quieter.
    fn admit(&mut self, now: Millis, index: usize) -> bool {
        let inside = self.voices.iter().filter(|v| v.since.is_some()).count();
        if inside >= limits::LOUDEST {
            let challenger = self.voices[index];
            if !challenger.speaking {
                return false;
            }
            let Some(quietest) = self
                .voices
                .iter_mut()
                .filter(|voice| voice.since.is_some())
                .min_by(|a, b| {
                    (a.speaking, a.loudness)
                        .partial_cmp(&(b.speaking, b.loudness))
                        .unwrap_or(std::cmp::Ordering::Equal)
                })
            else {
                return false;
            };
            let held = quietest
                .since
                .is_some_and(|since| now.0.saturating_sub(since.0) < limits::VOICE_HOLD_MS);
            if quietest.speaking && (held || challenger.loudness < quietest.loudness + MARGIN) {
                return false;
            }
            quietest.since = None;
        }
        self.voices[index].since = Some(now);
        true
    }

    /// Time passed: says who fell silent.
    pub fn tick(&mut self, now: Millis, fell_silent: &mut Vec<PeerIndex>) {
        for voice in &mut self.voices {
            let quiet = voice
                .voiced
                .is_none_or(|at| now.0.saturating_sub(at.0) >= limits::SPEAKING_HOLD_MS);
            if voice.speaking && quiet {
                voice.speaking = false;
                voice.loudness = voice.loudness.min(SILENT);
                fell_silent.push(voice.peer);
            }
        }
    }

    /// A peer is gone or may not speak any more. Its voice, if it had one.
    pub fn remove(&mut self, peer: PeerIndex) -> Option<Voice> {
        let index = self.voices.iter().position(|voice| voice.peer == peer)?;
        Some(self.voices.swap_remove(index))
    }

    /// Whose voices are forwarded.
    pub fn forwarded(&self) -> impl Iterator<Item = PeerIndex> + '_ {
        self.voices
            .iter()
            .filter(|voice| voice.since.is_some())
            .map(|voice| voice.peer)
    }

    /// Who is said to speak.
    pub fn speaking(&self) -> impl Iterator<Item = PeerIndex> + '_ {
        self.voices
            .iter()
            .filter(|voice| voice.speaking)
            .map(|voice| voice.peer)
    }
}
