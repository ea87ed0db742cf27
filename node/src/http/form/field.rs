//! A field of a form: what was found, and what it means when it is absent or null.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use rookery_protocol::error::FormErrors;
use rookery_protocol::text;

const REQUIRED: &str = "This field is required";

/// What is known of a field.
pub(super) enum State<T> {
    Absent,
    Null,
    /// Its fault is recorded.
    Bad,
    Good(T),
}

/// A field that was read; the last call says what it means when it is absent or null.
#[must_use]
pub struct Field<'a, T> {
    pub(super) state: State<T>,
    pub(super) path: String,
    pub(super) errors: &'a RefCell<FormErrors>,
}

impl<T> Field<'_, T> {
    /// It must be there. `None` when it is faulty.
    pub fn required(self) -> Option<T> {
        if matches!(self.state, State::Absent | State::Null) {
            self.fault("BASE_TYPE_REQUIRED", REQUIRED);
        }
        self.optional()
    }

    /// It may be absent or null, which mean the same.
    pub fn optional(self) -> Option<T> {
        match self.state {
            State::Good(value) => Some(value),
            State::Absent | State::Null | State::Bad => None,
        }
    }

    /// For a change: absent leaves the value as it is (outer `None`), null clears it (inner `None`).
    #[allow(clippy::option_option, reason = "the shape of every patch command")]
    pub fn patch(self) -> Option<Option<T>> {
        match self.state {
            State::Good(value) => Some(Some(value)),
            State::Null => Some(None),
            State::Absent | State::Bad => None,
        }
    }

    /// For a change of a value that cannot be cleared: absent leaves it as it is, null is a fault.
    pub fn change(self) -> Option<T> {
        if matches!(self.state, State::Null) {
            self.fault("BASE_TYPE_REQUIRED", REQUIRED);
        }
        self.optional()
    }

    /// The value, or another when there is none.
    pub fn or(self, other: T) -> T {
        self.optional().unwrap_or(other)
    }

    /// Checks a good value; it stays good, the faults are recorded.
    pub fn checked(self, check: impl FnOnce(&mut FormErrors, &str, &T)) -> Self {
        if let State::Good(value) = &self.state {
            check(&mut self.errors.borrow_mut(), &self.path, value);
        }
        self
    }

    fn fault(&self, code: &str, message: &str) {
        self.errors.borrow_mut().add(&self.path, code, message);
    }
}

impl Field<'_, String> {
    /// The text cleaned as a name (see [`text::clean_name`]), with a length in characters within `range`.
    pub fn name(mut self, range: RangeInclusive<usize>) -> Self {
        if let State::Good(name) = &mut self.state {
            *name = text::clean_name(name);
        }
        self.checked(|errors, path, name| {
            // An empty name is a missing one where there must be one.
            errors.check_length(path, name.chars().count(), range);
        })
    }

    /// With a length in bytes within `range`.
    pub fn bytes(self, range: RangeInclusive<usize>) -> Self {
        self.checked(|errors, path, value| errors.check_length(path, value.len(), range))
    }
}
