//! Fuzzes what reads what another node's ractor says.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rookery_tests::fuzz::link_stream(bytes));
