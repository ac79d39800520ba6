#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| echomingle_fuzz::targets::token(bytes));
