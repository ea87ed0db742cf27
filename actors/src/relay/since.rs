//! What the event log says of a topic since an event, read page by page and without a gap.

use std::sync::Arc;

use rookery_protocol::event::{Frame, FrameSeq, SharedFrame};
use rookery_protocol::limits::EVENTS_PER_ENTITY;

use super::wire::Lost;

/// What is to be done with a reading.
#[derive(Debug)]
pub enum Reading {
    /// Read what lies above this event.
    Above(u64),
    /// All of it, or that it is not all there any more.
    Whole(Result<Vec<SharedFrame>, Lost>),
}

/// A reading of all events above one, at least up to another one.
#[derive(Debug)]
pub struct Since {
    since: u64,
    until: u64,
    events: Vec<SharedFrame>,
}

impl Since {
    /// Everything above `since`, at least up to `until`, of which the entity has told.
    pub fn new(since: u64, until: u64) -> Self {
        Self {
            since,
            until,
            events: Vec::new(),
        }
    }

    /// Where it stands.
    pub fn go_on(&mut self) -> Reading {
        let last = self.since + self.events.len() as u64;
        if last < self.until {
            Reading::Above(last)
        } else {
            Reading::Whole(Ok(std::mem::take(&mut self.events)))
        }
    }

    /// A page of the log. One that is empty is old: what the entity has told of is in the log, so it is read again.
    pub fn page(&mut self, page: Vec<Frame>) -> Reading {
        for frame in page {
            let FrameSeq::Logged(gseq) = frame.seq else {
                continue;
            };
            let last = self.since + self.events.len() as u64;
            if gseq != last + 1 || gseq - self.since > EVENTS_PER_ENTITY {
                return Reading::Whole(Err(Lost));
            }
            self.events.push(Arc::new(frame));
        }
        self.go_on()
    }
}

/// One page of what a lane missed above `since`; lost when the log does not reach back that far.
///
/// # Errors
/// It does not.
pub fn page_above(since: u64, page: Vec<Frame>) -> Result<Vec<SharedFrame>, Lost> {
    let follows = page
        .first()
        .is_none_or(|frame| frame.seq == FrameSeq::Logged(since + 1));
    if follows {
        Ok(page.into_iter().map(Arc::new).collect())
    } else {
        Err(Lost)
    }
}

/// Whether a group is shown anew to a session that comes again: some of what it missed up to its picture of the group changed
/// who sees what.
pub fn is_shown_anew(events: &[SharedFrame], gseq: u64) -> bool {
    let is_changed = |frame: &SharedFrame| {
        frame.event.access.is_some() && matches!(frame.seq, FrameSeq::Logged(n) if n <= gseq)
    };
    events.iter().any(is_changed)
}
