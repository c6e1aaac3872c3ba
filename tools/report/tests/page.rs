//! Fields of every kind get a page with every picture that can be drawn of them, and nothing outside the page is needed.
#![allow(clippy::unwrap_used)]
use scicodec_report::{Error, Pair, Point, Section, Speed, page, section};

fn draw(shape: &[usize], original: &[f64], decoded: &[f64], bound: Option<f64>) -> String {
    let pair = Pair { shape, original, decoded, bound, units: "m s⁻¹" };
    section(&Section { title: "u & v <w>".into(), pair: Some(pair), ..Section::default() }).unwrap()
}

fn waves(n: usize) -> (Vec<f64>, Vec<f64>) {
    let original: Vec<f64> = (0..n).map(|i| (i as f64 * 0.05).sin()).collect();
    let decoded = original.iter().enumerate().map(|(i, v)| v + 1e-3 * (i as f64 * 1.7).sin()).collect();
    (original, decoded)
}

#[test]
fn planes_volumes_and_stacks_have_three_maps_a_histogram_and_a_spectrum() {
    for shape in [vec![20, 30], vec![4, 20, 30], vec![2, 3, 20, 30], vec![1, 20, 1, 30], vec![2, 1, 3, 8, 40]] {
        let (a, b) = waves(shape.iter().product());
        let html = draw(&shape, &a, &b, Some(1e-3));
        assert_eq!((html.matches("<svg").count(), html.matches("<image").count()), (5, 6), "{shape:?}");
        assert!(html.contains("bound ±0.001 m s⁻¹") && html.contains("u &amp; v &lt;w&gt;"), "{shape:?}");
    }
}

#[test]
fn lines_are_curves() {
    let (a, b) = waves(5000);
    let html = draw(&[5000], &a, &b, None);
    assert_eq!((html.matches("<svg").count(), html.matches("<image").count()), (4, 0));
}

#[test]
fn small_constant_and_missing_fields_are_drawn_as_far_as_they_go() {
    let nan = f64::NAN;
    let cases: [(&[usize], Vec<f64>); 6] = [
        (&[1], vec![2.0]),
        (&[], vec![2.0]),
        (&[10, 10], vec![0.0; 100]),
        (&[10, 10], vec![-7.5e30; 100]),
        (&[2, 2], vec![nan, 1.0, f64::INFINITY, 2.0]),
        (&[10, 10], (0..100).map(|i| if i < 60 { nan } else { f64::from(i) }).collect()),
    ];
    for (shape, values) in cases {
        let html = draw(shape, &values, &values, Some(0.0));
        assert!(html.contains("<svg"), "{shape:?}");
        assert!(!html.contains("NaN\" ") && !html.contains("inf\" "), "{shape:?}: {html}");
    }
    assert!(draw(&[2], &[nan, nan], &[nan, nan], None).contains("No value is finite"));
    assert!(draw(&[0, 4], &[], &[], None).contains("no values"));
}

#[test]
fn codecs_have_curves_bars_and_a_legend() {
    let point = |codec: &str, bits_per_value, psnr| Point {
        codec: codec.into(),
        pointwise: true,
        bits_per_value,
        psnr,
        max_error: 10f64.powf(-psnr / 20.0),
    };
    let points = vec![point("ours", 0.5, 60.0), point("theirs", 1.0, 60.0), point("ours", 4.0, f64::INFINITY)];
    let speeds = vec![Speed { codec: "ours".into(), encode: Some(12.0), decode: Some(150.0) }];
    let html = section(&Section { points, speeds, ..Section::default() }).unwrap();
    assert_eq!(html.matches("<svg").count(), 3);
    assert!(html.contains("ours</span>") && html.contains("theirs</span>"));
}

#[test]
fn the_page_needs_nothing_outside_itself() {
    let (a, b) = waves(900);
    let html = page("A <b>", "<p>how</p>", &[draw(&[30, 30], &a, &b, Some(1e-3))]);
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains("<title>A &lt;b&gt;</title>"));
    let outside = html.replace("http://www.w3.org/2000/svg", "");
    assert!(!outside.contains("http") && !outside.contains("<script") && !outside.contains("url("));
}

#[test]
fn values_that_do_not_fit_the_shape_are_an_error() {
    let pair = Pair { shape: &[3], original: &[1.0; 3], decoded: &[1.0; 2], bound: None, units: "" };
    let made = section(&Section { pair: Some(pair), ..Section::default() });
    assert!(matches!(made, Err(Error::Shape { what: "decoded", got: 2, want: 3 })));
}
