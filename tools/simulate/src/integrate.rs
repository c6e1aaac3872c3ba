//! The classical Runge–Kutta step of fourth order.
use std::ops::{Add, Mul};

/// Moves `state` on by `dt`; `rate` gives its time derivative.
pub(crate) fn rk4<T>(state: &mut [T], dt: f64, rate: impl Fn(&[T]) -> Vec<T>)
where
    T: Copy + Add<Output = T> + Mul<f64, Output = T>,
{
    let ahead = |slope: &[T], dt: f64| -> Vec<T> { state.iter().zip(slope).map(|(&s, &r)| s + r * dt).collect() };
    let first = rate(state);
    let second = rate(&ahead(&first, dt / 2.0));
    let third = rate(&ahead(&second, dt / 2.0));
    let fourth = rate(&ahead(&third, dt));
    for (i, s) in state.iter_mut().enumerate() {
        *s = *s + (first[i] + (second[i] + third[i]) * 2.0 + fourth[i]) * (dt / 6.0);
    }
}
