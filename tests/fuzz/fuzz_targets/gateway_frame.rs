//! Fuzzes what reads a frame from a gateway client.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rookery_tests::fuzz::gateway_frame(bytes));
