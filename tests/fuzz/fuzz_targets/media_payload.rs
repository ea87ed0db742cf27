//! Fuzzes what reads the payload of an RTP packet.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rookery_tests::fuzz::media_payload(bytes));
