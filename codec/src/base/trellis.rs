//! Trellis-coded quantisation: two quantisers of one step, and the parities of the integers before say which is next
//! (SPEC §8.4.4.3).
//!
//! M. W. Marcellin and T. R. Fischer, "Trellis coded quantization of memoryless and Gauss–Markov sources", IEEE Trans.
//! Commun. 38 (1990); with zero in both quantisers, as in H. Schwarz et al., "Hybrid video coding with trellis-coded
//! quantization", DCC 2019.

/// How many states there are.
pub const STATES: usize = 8;

/// States after an even integer and after an odd one.
pub const NEXT: [[u8; 2]; STATES] = [[0, 2], [5, 7], [1, 3], [6, 4], [2, 0], [4, 6], [3, 1], [7, 5]];

/// Where a trellis is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State(u8);

impl State {
    /// That of this number, below [`STATES`].
    pub fn new(number: usize) -> State {
        State((number % STATES) as u8)
    }

    /// Its number.
    pub fn number(self) -> usize {
        usize::from(self.0)
    }

    /// Whether the quantiser is the shifted one, whose points are half a step nearer to 0 than the integers.
    #[inline(always)]
    pub fn shifted(self) -> bool {
        self.0 & 1 == 1
    }

    /// The state after integer `q`.
    #[inline(always)]
    pub fn after(self, q: i32) -> State {
        State(NEXT[usize::from(self.0) % STATES][(q & 1) as usize])
    }

    /// The state after so many zeros.
    #[inline]
    pub fn after_zeros(self, n: usize) -> State {
        // Zeros go round in circles of one, two or four states.
        (0..n % 4).fold(self, |s, _| s.after(0))
    }

    /// The state from which so many zeros lead here.
    pub fn before_zeros(self, n: usize) -> State {
        self.after_zeros(4 - n % 4)
    }

    /// Twice the magnitude of the point of integer `q`, with its sign.
    #[inline(always)]
    pub fn halves(self, q: i64) -> i64 {
        2 * q - if self.shifted() { q.signum() } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_reached_from_two_and_zeros_go_round() {
        for s in (0..STATES).map(State::new) {
            let before = (0..STATES).flat_map(|from| [0, 1].map(|q| State::new(from).after(q)));
            assert_eq!(before.filter(|&to| to == s).count(), 2, "{s:?}");
            for n in 0..20 {
                assert_eq!((0..n).fold(s, |s, _| s.after(0)), s.after_zeros(n), "{s:?} {n}");
                assert_eq!(s.after_zeros(n).before_zeros(n), s, "{s:?} {n}");
            }
            assert_eq!(s.after(-3), s.after(1));
        }
    }

    #[test]
    fn the_points_of_both_quantisers_alternate() {
        let [plain, shifted] = [0, 1].map(State::new);
        assert_eq!([-2, -1, 0, 1, 2].map(|q| plain.halves(q)), [-4, -2, 0, 2, 4]);
        assert_eq!([-2, -1, 0, 1, 2].map(|q| shifted.halves(q)), [-3, -1, 0, 1, 3]);
    }
}
