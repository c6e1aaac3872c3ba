//! The `scicodec` command line.
fn main() {}
