#![no_main]

#[path = "../checks/template.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::hcl_template(data));
