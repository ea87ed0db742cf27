//! What a node keeps about itself, and the keys that sign tokens.

use serde::{Deserialize, Serialize};

use super::tables;
use crate::time::Millis;

tables! {
    /// `(node name)`: the node's incarnation.
    Nodes: NodeRow,
    /// `(kid)`: keys of access and bot tokens.
    SigningKeys: SigningKeyRow,
    /// `(0)`: there while the store is being filled from a backup.
    Restores: RestoreRow,
}

/// One node's durable state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRow {
    /// Rises with every start of the node.
    pub incarnation: u64,
    /// Ids minted by this node lie below; the next incarnation starts above.
    pub id_ceiling: Millis,
}

/// A restore that has begun and not ended: what is in the store is not all of it, and no node starts on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreRow {
    /// When the backup was made.
    pub created_at: Millis,
}

/// Where a lane of commits stands. Drivers keep it apart from the tables, and change it in each commit of the lane.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LaneRow {
    /// The last commit; 0: there was none.
    pub seq: u64,
    /// No further commit of the lane is taken.
    pub fenced: bool,
    /// The refused units of the last commit, so that a repetition of it is answered as it was.
    pub refused: Vec<u32>,
}

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyUse {
    /// Access tokens; rotated.
    Access,
    /// Bot tokens, which do not expire; never rotated.
    Bot,
    /// URLs of files; never rotated, the URLs expire by themselves.
    Files,
}

/// A symmetric key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKeyRow {
    /// Its name, in the `kid` of tokens.
    pub kid: String,
    /// What it signs.
    pub use_for: KeyUse,
    /// 32 random bytes.
    #[serde(with = "serde_bytes_vec")]
    pub secret: Vec<u8>,
    /// When it was made.
    pub created_at: Millis,
}

impl std::fmt::Debug for SigningKeyRow {
    /// Leaves the secret out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKeyRow")
            .field("kid", &self.kid)
            .field("use_for", &self.use_for)
            .finish_non_exhaustive()
    }
}

/// Bytes as BSON binary rather than an array of integers.
mod serde_bytes_vec {
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        Bytes::deserialize(deserializer).map(Vec::from)
    }
}
