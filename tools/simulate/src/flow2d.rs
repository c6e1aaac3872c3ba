//! Incompressible flow in the plane, in terms of its vorticity.
use crate::spectral::Spectral;
use rustfft::num_complex::Complex64;

/// Velocity (y and x components, over the grid) that belongs to a vorticity ω = ∂v/∂x − ∂u/∂y.
///
/// With the stream function ψ, ∇²ψ = −ω: u = ∂ψ/∂y along x, v = −∂ψ/∂x along y.
pub(crate) fn velocity(s: &Spectral, vorticity: &[Complex64]) -> (Vec<f64>, Vec<f64>) {
    let stream: Vec<Complex64> =
        vorticity.iter().enumerate().map(|(i, &w)| if i == 0 { Complex64::ZERO } else { w / s.square(i) }).collect();
    let v = s.derivative(&stream, 1).iter().map(|d| -d).collect();
    (v, s.derivative(&stream, 0))
}

/// −(u·∇)q as coefficients, without aliases.
pub(crate) fn advection(s: &Spectral, (v, u): &(Vec<f64>, Vec<f64>), q: &[Complex64]) -> Vec<Complex64> {
    let (along_y, along_x) = (s.derivative(q, 0), s.derivative(q, 1));
    let product: Vec<f64> = (0..s.len()).map(|i| -(v[i] * along_y[i] + u[i] * along_x[i])).collect();
    let mut out = s.transform(&product);
    s.clear_aliases(&mut out);
    out
}

/// The greatest |u| + |v|.
pub(crate) fn fastest((v, u): &(Vec<f64>, Vec<f64>)) -> f64 {
    v.iter().zip(u).map(|(v, u)| v.abs() + u.abs()).fold(0.0, f64::max)
}
