//! What golden networks are fed, and how what comes out is compared.
use scicodec::network::Network;
use sha2::{Digest, Sha256};

/// The input that golden outputs were made from: `low + ((i·2654435761 mod 2^32) >> 7) mod count` at offset i.
pub fn input(network: &Network, shape: [usize; 4]) -> Vec<i16> {
    let span = network.graph().span;
    let n = shape.iter().product::<usize>() * network.graph().channels;
    let scattered = (0..n as u32).map(|i| i.wrapping_mul(2_654_435_761) >> 7);
    scattered.map(|v| (i32::from(span.low) + (v % span.count() as u32) as i32) as i16).collect()
}

/// SHA-256 of an output's values, little-endian.
pub fn digest(values: &[i16]) -> String {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}
