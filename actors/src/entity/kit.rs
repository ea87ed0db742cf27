//! What the cores of a node share: the minter of ids and the signer of file links. Neither has a clock or randomness: the
//! same calls give the same results.

use crate::links::Links;

use super::minter::SharedMinter;

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Kit {
    /// Mints the ids of everything that entities make.
    pub ids: SharedMinter,
    /// Signs the URLs of files that messages show.
    pub links: Links,
}
