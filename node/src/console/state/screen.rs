//! Which screens there are.

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// The cluster at a glance.
    Overview,
    /// Its nodes.
    Nodes,
    /// Its busiest actors.
    Actors,
    /// Who supervises whom.
    Tree,
    /// Voice rooms.
    Rooms,
    /// What nodes warn of.
    Warnings,
    /// What operators did.
    Acts,
}

impl Screen {
    /// Every screen; their keys are 1 to 7.
    pub const ALL: [Self; 7] = [
        Self::Overview,
        Self::Nodes,
        Self::Actors,
        Self::Tree,
        Self::Rooms,
        Self::Warnings,
        Self::Acts,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Nodes => "Nodes",
            Self::Actors => "Actors",
            Self::Tree => "Tree",
            Self::Rooms => "Rooms",
            Self::Warnings => "Warnings",
            Self::Acts => "Acts",
        }
    }

    /// Its place, from 0.
    pub fn index(self) -> usize {
        let mut all = Self::ALL.iter();
        all.position(|screen| *screen == self).unwrap_or(0)
    }

    /// The one so many places further on.
    pub fn after(self, places: usize) -> Self {
        Self::ALL[(self.index() + places) % Self::ALL.len()]
    }

    /// The one of a digit.
    pub fn of_digit(digit: char) -> Option<Self> {
        let place = digit.to_digit(10)?.checked_sub(1)?;
        Self::ALL.get(usize::try_from(place).ok()?).copied()
    }
}
