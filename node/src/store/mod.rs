//! Drivers of [`rookery_actors::store::Store`].

pub mod redb;
