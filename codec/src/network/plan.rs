//! How a network is run: which operations go together over a tile of points, and where each tensor lives.
//!
//! Operations of one lattice that read each other only at the same point are a **group**. A group runs tile by tile, so
//! that what passes between its operations stays in the cache; only tensors that a later group reads, or that are read
//! at other points, are kept whole.
use super::check::{Checked, Lattice};
use super::graph::{Graph, Operation, Window};
use std::ops::Range;

/// Where a tensor lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// In the caller's slice.
    Input,
    /// Whole, in a buffer that other tensors use before and after it.
    Whole(usize),
    /// One tile at a time.
    Tile(usize),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub home: Home,
    /// Values from a point to the next.
    pub stride: usize,
    /// Points of zeros before each row, where whole.
    pub left: usize,
    /// Points of zeros behind each row, where whole.
    pub right: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Group {
    pub operations: Range<usize>,
    pub lattice: usize,
    /// Points of a tile.
    pub tile: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub groups: Vec<Group>,
    pub places: Vec<Place>,
    /// Number of whole buffers.
    pub whole: usize,
    /// Number of tile buffers.
    pub tiles: usize,
}

/// Bytes of tensors that a tile may have: what a first-level cache holds beside weights.
const TILE_BYTES: usize = 24 << 10;

/// A tensor that an operation reads, and whether it reads it at the point alone that it makes.
fn sources(operation: &Operation, checked: &Checked) -> Vec<(usize, bool)> {
    match operation {
        Operation::Convolution(c) | Operation::Depthwise(c) => vec![(c.source, c.window == Window::POINT)],
        Operation::Table { source, .. } | Operation::Summary { source } => vec![(*source, true)],
        Operation::Add { sources, .. } => sources.iter().map(|&s| (s, true)).collect(),
        Operation::Scale { source, gate, .. } => {
            let same = checked.tensors[*source].lattice == checked.tensors[*gate].lattice;
            vec![(*source, true), (*gate, same)]
        }
        Operation::Mean { source }
        | Operation::Repeat { source, .. }
        | Operation::Spread { source, .. }
        | Operation::Shuffle { source, .. } => vec![(*source, false)],
    }
}

/// Whether the caller's slice can be read in place: no padding of channels or rows is needed.
fn input_in_place(graph: &Graph, reads: &[Vec<(usize, bool)>]) -> bool {
    let readers = || graph.operations.iter().zip(reads).filter(|(_, r)| r.iter().any(|(s, _)| *s == 0));
    let local = readers().all(|(_, r)| r.iter().all(|(s, local)| *s != 0 || *local));
    let dense = readers().all(|(o, _)| matches!(o, Operation::Convolution(_)));
    local && (graph.channels.is_multiple_of(8) || dense && graph.channels.is_multiple_of(2))
}

impl Plan {
    pub(super) fn new(graph: &Graph, checked: &Checked) -> Plan {
        let reads: Vec<_> = graph.operations.iter().map(|o| sources(o, checked)).collect();
        let mut groups: Vec<Group> = Vec::new();
        for (k, read) in reads.iter().enumerate() {
            let lattice = checked.tensors[k + 1].lattice;
            match groups.last_mut() {
                Some(g)
                    if g.lattice == lattice && read.iter().all(|(s, local)| *local || *s < g.operations.start + 1) =>
                {
                    g.operations.end = k + 1;
                }
                _ => groups.push(Group { operations: k..k + 1, lattice, tile: 0 }),
            }
        }
        let tensors = checked.tensors.len();
        // The group that makes each tensor, the last that reads it, and whether it must be whole.
        let (mut made, mut last) = (vec![0; tensors], vec![0; tensors]);
        for (g, group) in groups.iter().enumerate() {
            for k in group.operations.clone() {
                made[k + 1] = g;
                last[k + 1] = g;
                reads[k].iter().for_each(|(s, _)| last[*s] = g);
            }
        }
        let mut places: Vec<Place> = checked
            .tensors
            .iter()
            .map(|t| Place { home: Home::Tile(0), stride: t.channels.next_multiple_of(8), left: 0, right: 0 })
            .collect();
        for operation in &graph.operations {
            if let Operation::Convolution(c) | Operation::Depthwise(c) = operation {
                let place = &mut places[c.source];
                place.left = place.left.max(usize::from(c.window.before[2]));
                place.right = place.right.max(usize::from(c.window.after[2]));
            }
        }
        let mut free: Vec<usize> = Vec::new();
        let (mut whole, mut tiles) = (0, 0);
        let mut take = |free: &mut Vec<usize>| {
            free.pop().unwrap_or_else(|| {
                whole += 1;
                whole - 1
            })
        };
        if input_in_place(graph, &reads) {
            (places[0].home, places[0].stride) = (Home::Input, graph.channels);
        } else {
            places[0].home = Home::Whole(take(&mut free));
        }
        for (g, group) in groups.iter_mut().enumerate() {
            let (mut in_tile, mut bytes) = (0, 0);
            for tensor in group.operations.start + 1..group.operations.end + 1 {
                bytes += 2 * places[tensor].stride;
                if last[tensor] > g {
                    places[tensor].home = Home::Whole(take(&mut free));
                } else {
                    places[tensor].home = Home::Tile(in_tile);
                    in_tile += 1;
                }
            }
            tiles = tiles.max(in_tile);
            group.tile = (TILE_BYTES / bytes).clamp(24, 1024) / 24 * 24;
            // Freed only now: what a group reads whole must outlast it.
            for tensor in 0..=group.operations.end {
                if let (Home::Whole(slot), true) = (places[tensor].home, last[tensor] == g && made[tensor] <= g) {
                    free.push(slot);
                }
            }
        }
        Plan { groups, places, whole, tiles }
    }
}

/// Extents of every lattice for an input of these; `None` if a window is larger than what it moves over or a number
/// of points overflows.
pub(super) fn extents(checked: &Checked, shape: [usize; 4]) -> Option<Vec<[usize; 4]>> {
    let mut all: Vec<[usize; 4]> = Vec::with_capacity(checked.lattices.len());
    for lattice in &checked.lattices {
        let mut n = match lattice {
            Lattice::Input => shape,
            Lattice::Pooled => [shape[0], 1, 1, 1],
            Lattice::Windowed(from, _) | Lattice::Expanded(from, _) => all[*from],
        };
        for a in 0..3 {
            n[a + 1] = match lattice {
                Lattice::Windowed(_, w) => {
                    let padded = n[a + 1].checked_add(usize::from(w.before[a]) + usize::from(w.after[a]))?;
                    padded.checked_sub(usize::from(w.kernel[a]))? / usize::from(w.stride[a]) + 1
                }
                Lattice::Expanded(_, factors) => n[a + 1].checked_mul(usize::from(factors[a]))?,
                _ => n[a + 1],
            };
        }
        n.iter().try_fold(1usize, |product, e| product.checked_mul(*e))?;
        all.push(n);
    }
    Some(all)
}
