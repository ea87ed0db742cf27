//! Drives the real server: processes, HTTP and gateway clients, and a small community to start from.

mod cluster;
mod community;
mod form;
mod gateway;
mod http;
pub mod load;
mod node;
pub mod operator;
pub mod oracle;
mod redis;
mod socket;
mod voice;
pub mod wander;

use std::time::Duration;

pub use cluster::{Cluster, ClusterOptions, Database};
pub use community::{Community, PASSWORD, Person};
pub use form::Form;
pub use gateway::{Event, Gateway, Received, Resumable, Resumption};
pub use http::{Answer, Http};
pub use node::{Node, NodeOptions, binary, untold};
pub use operator::shape;
pub use redis::{Listens, RedisOptions, RedisServer};
pub use socket::{Socket, trusting};
pub use voice::{Admission, Said, VoiceSocket};

/// How long a test waits for something that must happen. Generous: the machines that run tests are slow and shared.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Awaits something that must happen within [`DEADLINE`].
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("not within {DEADLINE:?}: {what}"),
    }
}

/// The id of an object.
pub fn id(object: &serde_json::Value) -> String {
    object["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no id in {object}"))
        .to_owned()
}
