//! Fuzzes what reads an SDP offer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rookery_tests::fuzz::media_offer(bytes));
