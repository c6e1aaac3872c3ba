use super::*;
use crate::{
    config::TrainingConfig,
    field::{TrainingField, tests::field},
    latents::LatentConfig,
    network::NetworkConfig,
    pool::Pool,
};
use std::sync::Arc;

fn fields() -> Arc<Vec<TrainingField>> {
    Arc::new(vec![field("a__x", &[60, 80], 1), field("b__x", &[20, 24, 28], 2)])
}

fn small() -> Config {
    Config {
        network: NetworkConfig { width: 8, blocks: 2, attention: true, ..NetworkConfig::default() },
        training: TrainingConfig {
            warmup_steps: 5,
            windows: 2,
            window_points: 600,
            crop_points: 4000,
            encodings: 4,
            ..TrainingConfig::default()
        },
    }
}

fn run(trainer: &mut Trainer, pool: &mut Pool, until: u64, of: u64) -> Vec<f64> {
    let mut losses = Vec::new();
    while trainer.standing.step < until {
        let progress = trainer.progress(Until::Steps(of));
        let windows = pool.windows(trainer.standing.step).unwrap();
        losses.push(trainer.step(&windows, progress).unwrap().loss);
    }
    losses
}

fn pool(step: u64) -> Pool {
    Pool::new(fields(), vec![0, 1], small().training.drawing(), None, 3, step)
}

#[test]
fn a_few_steps_lower_the_loss() {
    let mut config = small();
    config.training.learning_rate = 0.02;
    let mut t = Trainer::new(&config, "flex", 3).unwrap();
    // The same windows again and again: others may cost more.
    let windows = pool(0).windows(0).unwrap();
    let losses: Vec<f64> = (0..60).map(|_| t.step(&windows, 0.0).unwrap().loss).collect();
    assert!(losses[59] < 0.9 * losses[0], "{losses:?}");
}

#[test]
fn a_run_that_was_interrupted_goes_on_with_the_same_losses() {
    let with_latents = {
        let mut c = small();
        c.network.latents = Some(LatentConfig::default());
        c
    };
    for config in [small(), with_latents] {
        let mut whole = Trainer::new(&config, "flex", 3).unwrap();
        let losses = run(&mut whole, &mut pool(0), 14, 20);
        let mut first = Trainer::new(&config, "flex", 3).unwrap();
        run(&mut first, &mut pool(0), 6, 20);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.checkpoint");
        first.checkpoint().unwrap().write(&path).unwrap();
        let mut second = Trainer::resume(&Checkpoint::read(&path).unwrap(), "flex").unwrap();
        let again = run(&mut second, &mut pool(6), 14, 20);
        assert_eq!(again, losses[6..]);
        assert_eq!(parameters::read(&second.averaged()), parameters::read(&whole.averaged()));
    }
}

#[test]
fn windows_that_are_not_finite_are_skipped_and_a_run_of_them_is_an_error() {
    let mut t = Trainer::new(&small(), "flex", 3).unwrap();
    let mut windows = pool(0).windows(0).unwrap();
    t.step(&windows, 0.0).unwrap();
    t.mark().unwrap();
    let before = parameters::read(&t.network);
    windows[0].sample.target.fill(f32::NAN);
    let step = t.step(&windows, 0.0).unwrap();
    assert!(!step.taken && t.standing.skipped == 1);
    assert_eq!(parameters::read(&t.network), before);
    let end = (0..100).find_map(|_| t.step(&windows, 0.0).err());
    assert!(matches!(end, Some(Error::Diverged { .. })), "{end:?}");
}

#[test]
fn a_run_may_start_from_a_network_of_fewer_blocks_and_then_trains_all_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.bpk");
    let mut t = Trainer::new(&small(), "flex", 3).unwrap();
    run(&mut t, &mut pool(0), 6, 20);
    weights::write_floats(t.averaged(), &path).unwrap();
    let mut config = small();
    config.network.blocks = 3;
    let mut larger = Trainer::new(&config, "flex", 4).unwrap().starting_from(&path).unwrap();
    let windows = pool(0).windows(0).unwrap();
    let same =
        Trainer::new(&small(), "flex", 4).unwrap().starting_from(&path).unwrap().step(&windows, 0.0).unwrap().loss;
    let loss = larger.step(&windows, 0.0).unwrap().loss;
    assert!((loss - same).abs() < 1e-5, "{loss} {same}");
    run(&mut larger, &mut pool(0), 6, 20);
    let last = larger.averaged().blocks.pop().unwrap();
    assert!(parameters::values(last.contract.val()).iter().any(|v| *v != 0.0), "it learns");
    config.network.width = 9;
    assert!(matches!(Trainer::new(&config, "flex", 4).unwrap().starting_from(&path), Err(Error::Corrupt { .. })));
}
