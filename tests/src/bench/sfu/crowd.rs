//! The clients of a bench, driven by one thread, and what they got.

use std::time::{Duration, Instant};

use super::Sfu;
use crate::bench::Cpu;
use crate::voice::Client;

/// Clients.
#[derive(Default)]
pub struct Crowd {
    /// All of them.
    pub clients: Vec<Client>,
}

/// What flowed in a time.
#[derive(Debug, Clone, Copy)]
pub struct Flow {
    /// RTP packets that clients got.
    pub packets: u64,
    /// Of them, those a second.
    pub rate: f64,
    /// Microseconds of CPU of the server for each.
    pub micros: f64,
    /// The share of a core that the server used.
    pub core: f64,
}

impl Crowd {
    /// Packets of media that all got so far.
    pub fn packets(&self) -> u64 {
        let of = |client: &Client| -> u64 {
            let audio = client.audio.iter().map(|(_, a)| a.packets).sum::<u64>();
            audio + client.video.iter().map(|(_, v)| v.packets).sum::<u64>()
        };
        self.clients.iter().map(of).sum()
    }

    /// Runs until something holds; false if it does not in time.
    pub fn until(&mut self, most: Duration, mut holds: impl FnMut(&mut Self) -> bool) -> bool {
        let end = Instant::now() + most;
        loop {
            for client in &mut self.clients {
                client.step(Instant::now());
            }
            if holds(self) {
                return true;
            }
            if Instant::now() >= end {
                return false;
            }
            std::thread::sleep(Duration::from_micros(500));
        }
    }

    /// Waits until all are connected.
    pub fn connected(&mut self) {
        let most = Duration::from_secs(60);
        let all = self.until(most, |crowd| {
            crowd
                .clients
                .iter()
                .all(|client| client.connected.is_some())
        });
        let count = self
            .clients
            .iter()
            .filter(|c| c.connected.is_some())
            .count();
        assert!(all, "{count} of {} are connected", self.clients.len());
    }

    /// What flows in a time.
    pub fn measure(&mut self, server: &dyn Sfu, time: Duration) -> Flow {
        let (start, cpu, packets) = (Instant::now(), server.cpu(), self.packets());
        self.until(time, |_| false);
        let used: Cpu = server.cpu() - cpu;
        let (packets, seconds) = (self.packets() - packets, start.elapsed().as_secs_f64());
        Flow {
            packets,
            rate: packets as f64 / seconds,
            micros: used.micros() / packets.max(1) as f64,
            core: used.micros() / 1e6 / seconds,
        }
    }
}

/// A quantile of some times, in milliseconds.
pub fn quantile(times: &mut [Duration], q: f64) -> f64 {
    times.sort();
    let at = ((times.len().saturating_sub(1)) as f64 * q).round() as usize;
    times
        .get(at)
        .map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

/// The middle one of some figures.
pub fn middle(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
