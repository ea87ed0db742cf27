//! Figures of fan-out: what a delivery costs the server.

use std::time::{Duration, Instant};

use super::Room;

/// One measurement.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// Messages times members.
    pub deliveries: f64,
    /// How long it took.
    pub seconds: f64,
    /// CPU time of the server.
    pub cpu_us: f64,
}

impl Figure {
    /// CPU-microseconds of the server for each delivery.
    pub fn cost(self) -> f64 {
        self.cpu_us / self.deliveries
    }

    /// Deliveries for each second of CPU time: what one core does.
    pub fn per_core(self) -> f64 {
        self.deliveries / (self.cpu_us / 1e6)
    }
}

/// Sends messages for a while, keeping `in_flight` under way.
pub async fn measure(
    room: &mut impl Room,
    members: usize,
    in_flight: u64,
    time: Duration,
) -> Figure {
    let (cpu, start) = (room.cpu(), Instant::now());
    let sent = room.send(in_flight, start + time).await;
    Figure {
        deliveries: sent as f64 * members as f64,
        seconds: start.elapsed().as_secs_f64(),
        cpu_us: (room.cpu() - cpu).micros(),
    }
}

/// The run with the median cost.
pub fn median(mut figures: Vec<Figure>) -> Figure {
    figures.sort_by(|a, b| a.cost().total_cmp(&b.cost()));
    figures[figures.len() / 2]
}

/// The values of an option `--name a,b` of a bench.
pub fn option<T: std::str::FromStr>(name: &str, default: &str) -> Vec<T> {
    let arguments: Vec<String> = std::env::args().collect();
    let given = arguments
        .windows(2)
        .find(|pair| pair[0] == format!("--{name}"));
    let text = given.map_or(default, |pair| &pair[1]);
    text.split(',')
        .filter_map(|part| part.parse().ok())
        .collect()
}
