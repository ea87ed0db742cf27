//! Fuzzes what answers SDP offers, and changes living sessions by them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rookery_tests::fuzz::media_session(bytes));
