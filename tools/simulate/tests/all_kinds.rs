//! Claims about every kind: the same bits for a seed, other bits for another, shapes as told, values that vary.
#![allow(clippy::unwrap_used)]
use scicodec_simulate::{Error, Kind, Setup, simulate};
use std::process::Command;

fn small(kind: Kind, seed: u64) -> Setup {
    let grid = if kind.default_grid().len() == 3 { vec![16, 16, 18] } else { vec![18, 24] };
    Setup { seed, grid, frames: 2 }
}

#[test]
fn a_seed_gives_the_same_bits_and_another_seed_others() {
    for kind in Kind::ALL {
        let fields = simulate(kind, &small(kind, 7)).unwrap();
        let other = simulate(kind, &small(kind, 8)).unwrap();
        for (a, (b, c)) in fields.iter().zip(simulate(kind, &small(kind, 7)).unwrap().iter().zip(&other)) {
            let name = format!("{kind} {}", a.name);
            assert!(a.values.iter().zip(&b.values).all(|(a, b)| a.to_bits() == b.to_bits()), "{name}");
            assert_ne!(a.values, c.values, "{name}");
            // Shaped as told; neither even nor at rest.
            assert_eq!(a.shape, [&[2], &small(kind, 7).grid[..]].concat());
            assert_eq!(a.values.len(), a.shape.iter().product());
            let (first, second) = a.values.split_at(a.values.len() / 2);
            assert!(first.iter().any(|v| *v != first[0]), "{name}: even");
            assert_ne!(first, second, "{name}: stands still");
        }
    }
}

#[test]
fn grids_that_do_not_suit_are_refused() {
    for (kind, grid, frames) in [
        (Kind::Turbulence2d, vec![32, 32, 32], 1),
        (Kind::Turbulence3d, vec![32, 32], 1),
        (Kind::Flame, vec![32, 15], 1),
        (Kind::Elastic, vec![32, 4097], 1),
        (Kind::Acoustic, vec![32, 32], 0),
        (Kind::Advection, vec![4096, 4096], 65),
        (Kind::Convection, vec![16, 16], usize::MAX),
    ] {
        assert!(matches!(simulate(kind, &Setup { seed: 0, grid, frames }), Err(Error::Shape { .. })), "{kind}");
    }
    assert!("weather".parse::<Kind>().is_err());
    assert!(Kind::ALL.into_iter().all(|k| k.name().parse::<Kind>().unwrap() == k));
}

#[test]
fn the_program_writes_what_the_library_gives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("u.npy");
    let run = |more: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_scicodec-simulate"))
            .args(["reaction-diffusion", "--seed", "3", "--shape", "16,20,24", "--steps", "2", "--variable", "v", "-o"])
            .arg(&path)
            .args(more)
            .output()
            .unwrap()
    };
    let out = run(&[]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let bytes = std::fs::read(&path).unwrap();
    let npy = npyz::NpyFile::new(&bytes[..]).unwrap();
    assert_eq!(npy.shape(), [2, 16, 20, 24]);
    let setup = Setup { seed: 3, grid: vec![16, 20, 24], frames: 2 };
    assert_eq!(npy.into_vec::<f32>().unwrap(), simulate(Kind::ReactionDiffusion, &setup).unwrap()[1].values);
    assert!(!run(&[]).status.success(), "an existing file was replaced");
    assert!(run(&["--force"]).status.success());
}
