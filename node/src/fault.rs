//! What a client is told when something of ours fails: one place for the translation and its log line.

use rookery_actors::store::StoreError;
use rookery_protocol::error::{ApiError, ErrorCode};

use crate::random;

/// Characters of the name of an incident.
const INCIDENT_CHARS: usize = 12;

/// A failed read.
pub(crate) fn read_failed(error: StoreError) -> ApiError {
    match error {
        StoreError::Unavailable(reason) => {
            tracing::warn!(reason, "the store does not answer");
            ErrorCode::Unavailable.into()
        }
        StoreError::Corrupt(row) => {
            let incident = random::code(INCIDENT_CHARS);
            tracing::error!(error = %row, incident, "corrupt row");
            ApiError::incident(incident)
        }
    }
}
