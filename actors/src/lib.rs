//! Rookery's decisions: what a user and a group do, how commits are grouped, what a relay lane sends to whom; and the
//! traits they need of the world. State machines are pure ([`entity::Core`], [`relay::Lane`]); their ractor shells are
//! thin. Drivers and sockets live in `rookery-node`.

pub mod commit;
pub mod entity;
pub mod group;
pub mod link;
pub mod links;
pub mod ownership;
mod permission;
pub mod relay;
pub mod room;
pub mod sfu;
mod snapshot;
pub mod store;
#[cfg(test)]
mod testkit;
mod turn;
pub mod user;
