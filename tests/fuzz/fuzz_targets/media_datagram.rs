//! Fuzzes what reads a datagram to a media worker.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rookery_tests::fuzz::media_datagram(bytes));
