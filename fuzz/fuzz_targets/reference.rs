#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| countersign::fuzz::reference(data));
