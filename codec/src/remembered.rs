//! What networks have said of a chunk while the encoder tried plans for it.
use crate::entropy::Left;
use crate::learned::{Hint, Said};
use crate::plan::{Base, Coder, Plan};
use std::sync::{Arc, Mutex, PoisonError};

/// So many plans' are kept: a step is sought among a few, and one of the last is taken.
const KEPT: usize = 4;
/// So many points' at most, if they are more than one plan's: each takes 16 bytes.
const MOST: usize = 1 << 21;

/// What was said, by the plan that it was said for: how that codes integers does not matter.
#[derive(Debug, Default)]
pub struct Remembered(Mutex<Vec<(Plan, Arc<[Hint]>)>>);

impl Remembered {
    /// What was said for a plan, or where to keep it; none where no network is asked.
    pub fn of(&self, plan: &Plan) -> Option<Said> {
        let plan = predictions(plan)?;
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.iter().find(|(known, _)| *known == plan);
        Some(known.map_or_else(|| Said::Now(Left::default()), |known| Said::Before(known.1.clone())))
    }

    /// Keeps what has been said for a plan.
    pub fn keep(&self, plan: &Plan, said: Option<Said>) {
        let (Some(Said::Now(left)), Some(plan)) = (said, predictions(plan)) else { return };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for hints in left.into_inner() {
            let all = |kept: &[(Plan, Arc<[Hint]>)]| kept.iter().map(|known| known.1.len()).sum::<usize>();
            while kept.len() >= KEPT || !kept.is_empty() && all(&kept) + hints.len() > MOST {
                kept.remove(0);
            }
            kept.push((plan.clone(), hints.into()));
        }
    }
}

/// What of a plan a network's words depend on; none where it asks none.
fn predictions(plan: &Plan) -> Option<Plan> {
    let asks = matches!(plan.base, Base::Learned { .. });
    asks.then(|| Plan { coder: Coder::ZerosFirst, primed: None, ..plan.clone() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::base::interpolation::Parameters;
    use crate::chunk::{ChunkBound, ChunkRequest, Effort, price, reconstruct, write};
    use crate::learned::Guiding;
    use crate::options::ModelChoice;
    use crate::plan::Map;
    use crate::prepare::Prepared;
    use scicodec_format::DType;

    fn wave() -> Prepared {
        let value = |i: usize| ((i / 80) as f32 * 0.11).sin() * ((i % 80) as f32 * 0.23).cos();
        let data: Vec<u8> = (0..60 * 80).flat_map(|i| value(i).to_ne_bytes()).collect();
        let (dtype, bound, model) = (DType::F32, ChunkBound::Abs(1e-3), ModelChoice::Default);
        let request =
            ChunkRequest { dtype, shape: &[60, 80], data: &data, bound, fill: None, effort: Effort::Default, model };
        Prepared::new(&request).unwrap()
    }

    fn guided(step: f64) -> Plan {
        let p = Parameters { order: vec![2, 3], alpha: 20, beta: 32, linear: false, fitted: 2 };
        let model = Guiding::of(&ModelChoice::Default).unwrap();
        let base = Base::Learned { p, step, levels: 4, model, latents: None };
        Plan { base, map: Map::Plain, masked: false, coder: Coder::ZerosFirst, primed: None, beside: None }
    }

    #[test]
    fn what_was_said_before_is_what_is_said_anew() {
        let x = wave();
        let coded = |coder, step| write(&x, &Plan { coder, ..guided(step) });
        for step in [1.9e-3, 1.5e-3] {
            // Heard by a coder of another kind, and where nothing was coded at all.
            if step == 1.5e-3 {
                reconstruct(&x, &guided(step));
            } else {
                price(&x, &Plan { coder: Coder::OneContext, ..guided(step) });
            }
            assert!(matches!(x.said.of(&guided(step)), Some(Said::Before(hints)) if hints.iter().any(|h| h.scale > 0)));
            for coder in [Coder::ZerosFirst, Coder::FullMix] {
                let (again, anew) = (coded(coder, step), write(&wave(), &Plan { coder, ..guided(step) }));
                assert_eq!((again.body, again.decoded), (anew.body, anew.decoded));
            }
        }
        let [a, b] = [1.9e-3, 1.5e-3].map(|step| coded(Coder::ZerosFirst, step).body);
        assert_ne!(a, b, "each step has its own");
    }

    #[test]
    fn few_are_kept_and_none_of_plans_that_ask_nobody() {
        let x = wave();
        let steps: Vec<f64> = (0..=KEPT).map(|k| 1.9e-3 - 1e-4 * k as f64).collect();
        for &step in &steps {
            price(&x, &guided(step));
        }
        let known = |&step: &f64| matches!(x.said.of(&guided(step)), Some(Said::Before(_)));
        assert_eq!(steps.iter().map(known).collect::<Vec<_>>(), [vec![false], vec![true; KEPT]].concat());
        assert!(x.said.of(&x.exactly()).is_none());
    }
}
