//! What all solvers share: a state that steps through time, and frames taken from it.
use crate::{Error, Field, Kind, Setup};

/// A state that can be moved on in time.
pub(crate) trait Solver {
    /// Name and unit of each variable of a frame.
    const VARIABLES: &'static [(&'static str, &'static str)];

    /// The longest step that is stable and accurate from here.
    fn longest_step(&self) -> f64;

    /// Moves on by `dt`.
    fn step(&mut self, dt: f64);

    /// The variables now, each over the grid in C order.
    fn frame(&self) -> Vec<Vec<f64>>;
}

/// Moves on by `duration`, in steps as long as the solver allows. Stops early where the state is not finite any more.
pub(crate) fn advance(solver: &mut impl Solver, duration: f64) {
    let mut left = duration;
    // Steps are equal as long as the solver's limit is, so that no sliver remains for the last one.
    while left > duration * 1e-12 {
        let steps = (left / solver.longest_step()).ceil();
        if !steps.is_finite() {
            return;
        }
        let dt = left / steps.max(1.0);
        solver.step(dt);
        left -= dt;
    }
}

/// Takes the first frame at time `start` and the others `interval` apart.
pub(crate) fn record<S: Solver>(
    kind: Kind,
    mut solver: S,
    setup: &Setup,
    start: f64,
    interval: f64,
) -> Result<Vec<Field>, Error> {
    let mut shape = vec![setup.frames];
    shape.extend(&setup.grid);
    let new = |&(name, units): &(&'static str, &'static str)| Field {
        name,
        units,
        shape: shape.clone(),
        values: Vec::with_capacity(shape.iter().product()),
    };
    let mut fields: Vec<Field> = S::VARIABLES.iter().map(new).collect();
    advance(&mut solver, start);
    for frame in 0..setup.frames {
        for (field, values) in fields.iter_mut().zip(solver.frame()) {
            field.values.extend(values.iter().map(|&v| v as f32));
            if !values.iter().all(|v| v.is_finite()) {
                return Err(Error::NotFinite { kind, seed: setup.seed, frame });
            }
        }
        if frame + 1 < setup.frames {
            advance(&mut solver, interval);
        }
    }
    Ok(fields)
}
