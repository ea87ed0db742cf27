//! Fuzzes what reads a JSON body read as a form.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rookery_tests::fuzz::form(bytes));
