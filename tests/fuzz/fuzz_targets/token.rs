//! Fuzzes what reads an access, refresh or bot token.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rookery_tests::fuzz::token(bytes));
