//! Readers of scientific array files for scicodec.
