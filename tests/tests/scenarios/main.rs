//! Scenarios: what people and operators do, against the real binary. A file per scenario.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cloned_ref_to_slice_refs,
    reason = "a panic in test code is the report, and tests read clocks"
)]

mod account_changes;
mod accounts;
mod attachments;
mod backup;
mod bad_forms;
mod bad_frames;
mod bad_tokens;
mod bots;
mod bulk_delete;
mod chat;
mod clients;
mod command_line;
mod compression;
mod corrupt_rows;
mod crash;
mod deletion;
mod direct;
mod drain;
mod embeds;
mod ephemeral;
mod friends;
mod full_disk;
mod group_direct;
mod groups;
mod images;
mod intents;
mod invites;
mod member_list;
mod member_requests;
mod mentions;
mod moderation;
mod nonces;
mod operate;
mod oracles;
mod permissions;
mod pins;
mod presence;
mod purges;
mod rate_limits;
mod reactions;
mod read_states;
mod restart;
mod resume;
mod roles;
mod shards;
mod slow_mode;
mod slow_reader;
mod store_faults;
mod tls;
mod twilight;
mod visibility;
mod voice;
mod web_client;
