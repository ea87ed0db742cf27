//! What a client is told when something of ours fails: one place for the translation and its log line.

use rookery_actors::commit::{Outcome, QueueFull};
use rookery_actors::store::StoreError;
use rookery_protocol::error::{ApiError, ErrorCode};

/// A failed read.
pub(crate) fn read_failed(error: StoreError) -> ApiError {
    match error {
        StoreError::Unavailable(reason) => {
            tracing::warn!(reason, "the store does not answer");
            ErrorCode::Unavailable.into()
        }
        StoreError::Corrupt(row) => {
            tracing::error!(error = %row, "corrupt row");
            ErrorCode::Internal.into()
        }
    }
}

/// A commit of the node's own that has to succeed.
pub(crate) fn committed(result: Result<Outcome, QueueFull>) -> Result<(), ApiError> {
    match result {
        Ok(Outcome::Committed) => Ok(()),
        Ok(Outcome::Refused | Outcome::Fenced) => Err(ErrorCode::Unavailable.into()),
        Err(QueueFull) => Err(ErrorCode::Busy.into()),
    }
}
