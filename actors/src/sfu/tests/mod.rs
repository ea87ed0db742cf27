//! Tests of the forwarding core: tables for its parts, and whole rooms.

#![allow(
    clippy::cast_possible_truncation,
    reason = "the numbers of a test are small"
)]

mod allocate;
mod demand;
mod fixture;
mod keyframe;
mod loudest;
mod properties;
mod rewrite;
mod room;
mod slots;
