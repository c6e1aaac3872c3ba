//! Interpolation of rows in whole numbers. Sums wrap around: what is hostile decodes to something, and what an encoder
//! writes never gets there.

/// `(9·near − far) / 16`, and |far − near|, for neighbours v0 v1 · v2 v3.
#[inline(always)]
pub fn cubic(v: [&[i32]; 4], p: &mut [i32], curve: &mut [i32]) {
    let n = p.len();
    let [v0, v1, v2, v3] = v.map(|v| &v[..n]);
    let curve = &mut curve[..n];
    for k in 0..n {
        let near = v1[k].wrapping_add(v2[k]);
        let far = v0[k].wrapping_add(v3[k]);
        p[k] = near.wrapping_mul(9).wrapping_sub(far).wrapping_add(8) >> 4;
        curve[k] = far.wrapping_sub(near).wrapping_abs();
    }
}

/// The mean of two neighbours; the curve is their difference.
#[inline(always)]
pub fn linear(v1: &[i32], v2: &[i32], p: &mut [i32], curve: &mut [i32]) {
    let n = p.len();
    let (v1, v2, curve) = (&v1[..n], &v2[..n], &mut curve[..n]);
    for k in 0..n {
        p[k] = v1[k].wrapping_add(v2[k]).wrapping_add(1) >> 1;
        curve[k] = v1[k].wrapping_sub(v2[k]).wrapping_abs();
    }
}

/// The mean of two neighbours, beside the curve that cubic interpolation would see.
#[inline(always)]
pub fn linear_with_curve(v: [&[i32]; 4], p: &mut [i32], curve: &mut [i32]) {
    let n = p.len();
    let [v0, v1, v2, v3] = v.map(|v| &v[..n]);
    let curve = &mut curve[..n];
    for k in 0..n {
        let near = v1[k].wrapping_add(v2[k]);
        p[k] = near.wrapping_add(1) >> 1;
        curve[k] = v0[k].wrapping_add(v3[k]).wrapping_sub(near).wrapping_abs();
    }
}

/// `(6·near side + 3·other side − far) / 8`: three neighbours, the far one next to `a`.
#[inline(always)]
pub fn skewed(far: &[i32], a: &[i32], b: &[i32], p: &mut [i32], curve: &mut [i32]) {
    let n = p.len();
    let (far, a, b, curve) = (&far[..n], &a[..n], &b[..n], &mut curve[..n]);
    for k in 0..n {
        let sum = a[k].wrapping_mul(6).wrapping_add(b[k].wrapping_mul(3)).wrapping_sub(far[k]);
        p[k] = sum.wrapping_add(4) >> 3;
        curve[k] = a[k].wrapping_sub(b[k]).wrapping_abs();
    }
}

/// `(3·near − far) / 2` beyond the last known neighbour.
#[inline(always)]
pub fn beyond(far: Option<&[i32]>, near: &[i32], p: &mut [i32], curve: &mut [i32]) {
    let n = p.len();
    let (near, curve) = (&near[..n], &mut curve[..n]);
    match far {
        Some(far) => {
            let far = &far[..n];
            for k in 0..n {
                p[k] = near[k].wrapping_mul(3).wrapping_sub(far[k]).wrapping_add(1) >> 1;
                curve[k] = near[k].wrapping_sub(far[k]).wrapping_abs();
            }
        }
        None => {
            p.copy_from_slice(near);
            curve.fill(0);
        }
    }
}
