//! Rookery's edge: sockets, HTTP, TLS, the stores, settings and the command line. Everything that reads a clock, draws
//! a random number or does I/O is here; what is decided is decided in `rookery-actors`.
#![allow(
    clippy::disallowed_methods,
    reason = "this crate is the edge: it reads clocks, draws random numbers and starts tasks"
)]

pub mod accounts;
pub mod admin;
pub mod app;
pub mod auth;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod console;
pub mod contacts;
pub mod doctor;
pub mod ephemeral;
mod fault;
pub mod gateway;
pub mod http;
pub mod ids;
pub mod index;
pub mod inspect;
pub mod janitor;
pub mod limit;
pub mod link;
pub mod listener;
pub mod lockout;
pub mod media;
pub mod memberlist;
pub mod net;
pub mod node;
mod open_files;
pub mod operator;
pub mod ownership;
pub mod presence;
pub mod progress;
pub mod purge;
pub mod random;
pub mod relay;
pub mod serve;
pub mod store;
pub mod tls;
pub mod voice;
mod web;
