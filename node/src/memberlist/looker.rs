//! What one session looks at of a list, and what of it has changed since it was last told.

/// The two ends of a range of rows, both included.
pub type Range = [u32; 2];

/// One session's view.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Looker {
    /// Ranges with the mark of the content the session has.
    ranges: Vec<(Range, Option<u64>)>,
    /// The mark of the headings and counts it has.
    head: Option<u64>,
}

impl Looker {
    /// Looks at these ranges from now on; what it has of those it looked at before stays.
    pub fn look(&mut self, ranges: &[Range]) {
        let before = std::mem::take(&mut self.ranges);
        for &range in ranges {
            if self.ranges.iter().all(|(other, _)| *other != range) {
                let known = before.iter().find(|(other, _)| *other == range);
                self.ranges.push((range, known.and_then(|(_, mark)| *mark)));
            }
        }
    }

    /// The ranges it looks at.
    pub fn ranges(&self) -> impl Iterator<Item = Range> {
        self.ranges.iter().map(|(range, _)| *range)
    }

    /// Takes note of what the list is now: `head` and `mark` tell contents apart. Answers the ranges to send; none when
    /// nothing is different.
    pub fn due(&mut self, head: u64, mark: impl Fn(Range) -> u64) -> Option<Vec<Range>> {
        let mut due = Vec::new();
        for (range, known) in &mut self.ranges {
            let now = Some(mark(*range));
            if *known != now {
                *known = now;
                due.push(*range);
            }
        }
        let is_news = self.head.replace(head) != Some(head);
        (is_news || !due.is_empty()).then_some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_due() {
        let mut looker = Looker::default();
        looker.look(&[[0, 99], [100, 199], [0, 99]]);
        assert_eq!(looker.ranges().count(), 2);
        assert_eq!(looker.due(1, |_| 7), Some(vec![[0, 99], [100, 199]]));
        assert_eq!(looker.due(1, |_| 7), None);
        let mark = |range: Range| if range == [100, 199] { 8 } else { 7 };
        assert_eq!(looker.due(1, mark), Some(vec![[100, 199]]));
        assert_eq!(looker.due(2, mark), Some(vec![]));
        looker.look(&[[100, 199], [200, 299]]);
        assert_eq!(looker.due(2, mark), Some(vec![[200, 299]]));
        looker.look(&[[0, 99]]);
        assert_eq!(looker.due(2, mark), Some(vec![[0, 99]]));
    }
}
