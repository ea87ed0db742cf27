//! Fuzzes what reads the greeting of another node.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rookery_tests::fuzz::link_hello(bytes));
