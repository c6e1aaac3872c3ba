//! Benchmarks of scicodec against its peers.
