//! The rule by which a store takes or turns away a lane's commit; the same for every driver.

use rookery_protocol::document::LaneRow;

use super::{CommitError, Committed};

/// Whether a lane may be opened, and where it stands.
///
/// # Errors
/// It is fenced.
pub fn open(row: &LaneRow) -> Result<u64, CommitError> {
    if row.fenced {
        return Err(CommitError::Fenced);
    }
    Ok(row.seq)
}

/// What to do with the commit `seq` of a lane that stands as `row` says (`None`: it was never opened): apply it
/// (`None`), or answer that it is already done.
///
/// # Errors
/// The lane is fenced or unknown, or `seq` is neither its last nor its next commit.
pub fn admit(row: Option<&LaneRow>, seq: u64) -> Result<Option<Committed>, CommitError> {
    let row = row.ok_or(CommitError::Fenced)?;
    if seq == row.seq && seq > 0 {
        let refused = row.refused.iter().map(|&index| index as usize).collect();
        return Ok(Some(Committed { refused }));
    }
    if row.fenced {
        return Err(CommitError::Fenced);
    }
    if seq != row.seq + 1 {
        return Err(CommitError::OutOfOrder {
            at: row.seq,
            got: seq,
        });
    }
    Ok(None)
}

/// How the lane stands after the commit `seq`.
pub fn advanced(seq: u64, refused: &[usize]) -> LaneRow {
    let index = |&index: &usize| u32::try_from(index).unwrap_or(u32::MAX);
    LaneRow {
        seq,
        fenced: false,
        refused: refused.iter().map(index).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_next_commit_is_applied_and_the_last_one_is_remembered() {
        let row = advanced(5, &[1, 3]);
        let repeated = Ok(Some(Committed {
            refused: vec![1, 3],
        }));
        assert_eq!(admit(Some(&row), 6), Ok(None));
        assert_eq!(admit(Some(&row), 5), repeated);
        for got in [0, 4, 7] {
            assert_eq!(
                admit(Some(&row), got),
                Err(CommitError::OutOfOrder { at: 5, got })
            );
        }
        let fenced = LaneRow {
            fenced: true,
            ..row
        };
        assert_eq!(admit(Some(&fenced), 5), repeated);
        assert_eq!(admit(Some(&fenced), 6), Err(CommitError::Fenced));
        assert_eq!(open(&fenced), Err(CommitError::Fenced));
        assert_eq!(admit(None, 1), Err(CommitError::Fenced));
    }

    #[test]
    fn a_fresh_lane_has_no_commit_to_repeat() {
        let row = LaneRow::default();
        assert_eq!(open(&row), Ok(0));
        assert_eq!(admit(Some(&row), 1), Ok(None));
        assert_eq!(
            admit(Some(&row), 0),
            Err(CommitError::OutOfOrder { at: 0, got: 0 })
        );
    }
}
