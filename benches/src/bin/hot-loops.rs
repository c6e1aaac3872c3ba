#![allow(clippy::print_stdout)]
//! Runs one hot loop TIMES times, for tools that count instructions: `hot-loops LOOP TIMES`. See `python/instructions.py`.
use scicodec::entropy::BitDecoder;
use scicodec_bench::{Result, hot};
use std::hint::black_box;

fn main() -> Result<()> {
    let usage = "usage: hot-loops context-encode|context-decode|range-encode|range-decode|interpolation TIMES";
    let mut words = std::env::args().skip(1);
    let (name, times) = (words.next().ok_or(usage)?, words.next().ok_or(usage)?.parse::<usize>()?);
    let (integers, bits, values) = (hot::integers(), hot::bits(), hot::values());
    let (mixed, ranged) = (hot::encode_contexts(&integers), hot::encode_range(&bits));
    for _ in 0..times {
        match name.as_str() {
            "context-encode" => drop(black_box(hot::encode_contexts(black_box(&integers)))),
            "context-decode" => drop(black_box(hot::decode_contexts(black_box(&mixed)))),
            "range-encode" => drop(black_box(hot::encode_range(black_box(&bits)))),
            "range-decode" => drop(black_box(hot::range_coder(&mut BitDecoder::new(black_box(&ranged)), &bits))),
            "interpolation" => {
                let mut copy = values.clone();
                hot::predict(black_box(&mut copy));
                black_box(copy);
            }
            _ => return Err(usage.into()),
        }
    }
    println!("{name}: {times} × {} integers", if name == "interpolation" { values.len() } else { hot::COUNT });
    Ok(())
}
