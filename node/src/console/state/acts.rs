//! What an operator may do, in words: what will happen, and what comes of it.

use rookery_protocol::inspect::{Act, ActorDetail, ActorId, ActorKind};
use rookery_protocol::time::Millis;

/// An act that waits for `y`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm {
    /// What would be done.
    pub act: Act,
    /// What comes of it; sentences.
    pub consequence: String,
}

/// Where an actor may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choose {
    /// Which.
    pub actor: ActorId,
    /// The nodes; none gives the choice back to the cluster.
    pub nodes: Vec<Option<String>>,
    /// The one that is chosen.
    pub index: usize,
}

/// What lies over the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Popup {
    /// The keys.
    Help,
    /// An act waits for `y`.
    Confirm(Confirm),
    /// A node is to be chosen.
    Choose(Choose),
}

/// What is said under the screen until it is dismissed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// A sentence.
    pub text: String,
    /// It did not work.
    pub is_failure: bool,
}

/// An act that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acting {
    /// What.
    pub act: Act,
    /// Since when.
    pub since: Millis,
}

/// What comes of an act. `detail` is what is known of the actor.
pub(super) fn consequence(act: &Act, detail: Option<&ActorDetail>) -> String {
    match act {
        Act::Restart { actor } => format!(
            "The state of {} is thrown away and loaded anew from the store. Nothing that was acknowledged is lost; what is \
             under way is answered 503 and is to be asked again. It counts as a restart.",
            whose(*actor)
        ),
        Act::Passivate { actor } => format!(
            "{} is put to sleep if it is idle, and its memory is given back. The next message wakes it up again. If it is \
             not idle, nothing happens.",
            capital(&whose(*actor))
        ),
        Act::Migrate { to, .. } => {
            let what = match detail.and_then(|detail| detail.shard) {
                Some(shard) => format!("All of shard {shard}, of which it is one,"),
                None => "It, and all that share its shard,".to_owned(),
            };
            match to {
                Some(node) => format!(
                    "{what} will live at {node}, and stay there until the choice is given back to the cluster. What is \
                     under way meanwhile waits, or is answered 503 and is to be asked again."
                ),
                None => format!(
                    "{what} will live where the cluster puts it. If that is another node, what is under way meanwhile \
                     waits, or is answered 503 and is to be asked again."
                ),
            }
        }
        Act::Drain { node, stay: true } => format!(
            "All entities and rooms of {node} go to other nodes. It stays in the cluster without them until it is undrained; \
             clients stay connected to it. The others must have room for what it has."
        ),
        Act::Drain { node, stay: false } => format!(
            "All that {node} has goes to other nodes, its clients are told to reconnect, and then its process ends. Whether \
             it is started again is up to what supervises it, not to this console."
        ),
        Act::Undrain { node } => format!(
            "{node} takes part again: it is given shards by and by, and takes new clients. Those who are connected \
             elsewhere stay there."
        ),
        // The console offers none of these; they have commands.
        Act::Suspend { .. }
        | Act::ResetPassword { .. }
        | Act::MakeOperator { .. }
        | Act::MakeToken { .. }
        | Act::RevokeToken { .. }
        | Act::Backup { .. } => String::new(),
    }
}

fn whose(actor: ActorId) -> String {
    let kind = match actor.kind {
        ActorKind::User => "the account",
        ActorKind::Group => "the group",
        ActorKind::Room => "the voice room",
    };
    format!("{kind} {}", actor.id)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
