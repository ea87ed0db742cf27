//! Fuzzes what reads a frame of another node.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rookery_tests::fuzz::link_frame(bytes));
