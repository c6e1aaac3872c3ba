//! Rows whose codes are all zero (SPEC §8.2).
use super::super::Geometry;
use super::super::rows::Row;
use super::super::thrift::kind;
use super::{Pass, Run};
use crate::entropy::{BitCoder, Residuals, log_class};

/// Rows of at least so many points tell first whether all their codes are zero.
pub(super) const QUIET_ROW: usize = 16;

/// Which rows of a pass had only zero codes: the last one, and those of the plane before.
pub(super) struct Flags {
    last: usize,
    plane: Vec<bool>,
}

impl Flags {
    pub(super) fn new(g: &Geometry, pass: &Pass) -> Flags {
        Flags { last: 1, plane: vec![true; (g.n[2] - pass.start[2]).div_ceil(pass.step[2])] }
    }

    /// Place of a row in its plane.
    #[inline]
    fn place(&self, pass: &Pass, at: [usize; 3]) -> usize {
        (at[2] - pass.start[2]) / pass.step[2]
    }
}

impl<R: Residuals> Run<'_, R> {
    /// The code of a value in a row of zeros (encoder).
    #[inline(always)]
    fn alone(&self, value: f64, p: f64) -> i64 {
        match &self.thrift {
            Some(thrift) => thrift.nearest(kind(0, 0, 0), self.quant.steps(value, p)),
            None => self.quant.quantise(value, p),
        }
    }

    /// Codes whether all codes of a row are zero; if so, the row is left at its prediction and true is returned.
    #[inline(always)]
    pub(super) fn quiet<C: BitCoder>(
        &mut self,
        c: &mut C,
        pass: &Pass,
        at: [usize; 3],
        first: usize,
        row: &Row,
        f: &mut Flags,
    ) -> bool {
        let step = pass.step[3];
        let w = if pass.fitted { pass.weights[7] } else { 0.0 };
        let masked = |i: usize| self.mask.is_some_and(|m| m[i]);
        let mut quiet = !C::DECODING;
        if !C::DECODING {
            let mut residual = 0.0;
            for k in 0..row.p.len() {
                let i = first + k * step;
                let p = self.quant.snap(if pass.fitted { row.p[k] + w * residual } else { row.p[k] });
                if !masked(i) && self.alone(self.values[i], p) != 0 {
                    quiet = false;
                    break;
                }
                residual = p - row.base[k];
            }
        }
        let rough = row.curve.iter().fold(0.0f64, |m, &v| if v > m { v } else { m });
        let rough = log_class(u64::from(self.quant.fine(rough))).min(47) as usize / 3;
        let column = f.place(pass, at);
        let from = first - pass.s * self.g.stride[pass.axis];
        let parents = self.codes[from..from + (row.p.len() - 1) * step + 1].iter().step_by(step).any(|&q| q != 0);
        let slot = ((f.last * 2 + usize::from(f.plane[column])) * 2 + usize::from(parents)) * 16 + rough;
        if !C::SILENT {
            let counter = &mut self.quiet_rows[slot];
            quiet = c.bit(quiet, counter.p16());
            counter.update(quiet, 255);
        }
        f.last = usize::from(quiet);
        f.plane[column] = quiet;
        if quiet {
            let mut residual = 0.0;
            for k in 0..row.p.len() {
                let i = first + k * step;
                let p = self.quant.snap(if pass.fitted { row.p[k] + w * residual } else { row.p[k] });
                self.values[i] = p;
                if pass.tracked {
                    residual = p - row.base[k];
                    self.residuals[i] = residual;
                }
            }
        }
        quiet
    }
}
