//! Fuzzes what reads a frame of the voice socket.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rookery_tests::fuzz::voice_frame(bytes));
