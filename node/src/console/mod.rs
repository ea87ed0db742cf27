//! `rookery console`: what a cluster does, in a terminal.
//!
//! `state` decides: it is given keys and answers, and says what is to be asked, done and drawn. `view` draws what it says.
//! `shell` has the terminal and the clock, and asks a [`Source`].

pub mod input;
mod keys;
pub mod shell;
pub mod source;
pub mod state;
pub mod view;

#[cfg(test)]
mod tests;

pub use self::shell::run;
pub use self::source::Source;
