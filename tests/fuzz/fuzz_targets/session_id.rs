//! Fuzzes what reads a session id of RESUME.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rookery_tests::fuzz::session_id(bytes));
