//! The curves of a run: CSV, and a picture.
use crate::{
    Error, Score,
    coded::{CODED_BOUNDS, CodedScore},
    run::write,
    validate::BOUNDS,
};
use plotters::prelude::*;
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// A point of the training curve.
pub struct CurveRow {
    /// Steps done.
    pub step: u64,
    /// Seconds of training.
    pub seconds: f64,
    /// Moving mean of the loss.
    pub loss: f64,
    /// Learning rate.
    pub rate: f64,
    /// Norm of the gradient.
    pub norm: f64,
}

/// A validation.
pub struct ScoreRow {
    /// Steps done.
    pub step: u64,
    /// Seconds of training.
    pub seconds: f64,
    /// How many bits are saved.
    pub score: Score,
    /// How many the integer network saves.
    pub integers: Score,
    /// What it gains in files, if there was anything to code.
    pub coded: Option<CodedScore>,
}

/// The curves so far: lines of CSV without heads.
pub struct Curve {
    folder: PathBuf,
    rows: Vec<String>,
    scores: Vec<String>,
}

/// The lines of a file about steps up to `step`, without its head.
fn kept(path: &Path, step: u64) -> Result<Vec<String>, Error> {
    if step == 0 || !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(path).map_err(Error::io(path))?;
    let early = |l: &&str| l.split(',').next().and_then(|s| s.parse::<u64>().ok()).is_some_and(|s| s <= step);
    Ok(text.lines().skip(1).filter(early).map(str::to_owned).collect())
}

impl Curve {
    /// The curves in a folder up to a step: what came after the checkpoint that a run goes on from is dropped.
    pub fn open(folder: &Path, step: u64) -> Result<Curve, Error> {
        let rows = kept(&folder.join("curve.csv"), step)?;
        let scores = kept(&folder.join("validation.csv"), step)?;
        Ok(Curve { folder: folder.to_owned(), rows, scores })
    }

    /// Adds a point.
    pub fn row(&mut self, r: CurveRow) {
        self.rows.push(format!("{},{:.1},{:.5},{:.3e},{:.4}", r.step, r.seconds, r.loss, r.rate, r.norm));
    }

    /// Adds a validation, unless there is one of that step: a run that goes on validates once more.
    pub fn score(&mut self, r: ScoreRow) {
        if self.scores.last().is_some_and(|l| l.starts_with(&format!("{},", r.step))) {
            return;
        }
        let mut line = format!("{},{:.1},{:.5},{:.5}", r.step, r.seconds, r.score.mean(), r.integers.mean());
        for part in r.score.parts {
            // Writing to a string cannot fail.
            let _ = write!(line, ",{part:.5}");
        }
        if let Some(coded) = r.coded {
            let _ = write!(line, ",{:.5}", coded.mean());
            for gain in coded.gains {
                let _ = write!(line, ",{gain:.5}");
            }
        }
        self.scores.push(line);
    }

    /// Writes both tables and the picture.
    pub fn write(&self) -> Result<(), Error> {
        let table = |head: &str, lines: &[String]| {
            let mut text = head.to_owned();
            for l in lines {
                text.push('\n');
                text.push_str(l);
            }
            text + "\n"
        };
        let bounds: String = BOUNDS.iter().map(|b| format!(",rel={b:e}")).collect();
        let gains: String = CODED_BOUNDS.iter().map(|(name, _)| format!(",gain_{name}")).collect();
        write(&self.folder.join("curve.csv"), &table("step,seconds,loss,learning_rate,gradient_norm", &self.rows))?;
        write(
            &self.folder.join("validation.csv"),
            &table(&format!("step,seconds,bits,bits_of_integers{bounds},gain{gains}"), &self.scores),
        )?;
        let svg = self.picture().map_err(|e| Error::InvalidArgument(format!("cannot draw the curves: {e}")))?;
        write(&self.folder.join("curve.svg"), &svg)
    }

    /// Training loss and validation over steps.
    fn picture(&self) -> Result<String, Box<dyn std::error::Error>> {
        let column = |lines: &[String], k: usize| -> Vec<(f64, f64)> {
            let number = |l: &String, k: usize| l.split(',').nth(k)?.parse::<f64>().ok();
            lines.iter().filter_map(|l| Some((number(l, 0)?, number(l, k)?))).collect()
        };
        let (losses, scores) = (column(&self.rows, 2), column(&self.scores, 2));
        let sizes: Vec<(f64, f64)> =
            column(&self.scores, 4 + BOUNDS.len()).into_iter().map(|(step, gain)| (step, 1.0 / gain)).collect();
        let all = || losses.iter().chain(&scores).chain(&sizes);
        let last = all().map(|p| p.0).fold(1.0, f64::max);
        let (low, high) = all().map(|p| p.1).fold((0.9f64, 1.0f64), |(l, h), v| (l.min(v), h.max(v)));
        let mut svg = String::new();
        {
            let root = SVGBackend::with_string(&mut svg, (800, 480)).into_drawing_area();
            root.fill(&WHITE)?;
            let mut chart = ChartBuilder::on(&root)
                .margin(12)
                .x_label_area_size(40)
                .y_label_area_size(56)
                .build_cartesian_2d(0.0..last, low..high.min(1.5))?;
            chart.configure_mesh().x_desc("step").y_desc("bits with the network ÷ without").draw()?;
            chart
                .draw_series(LineSeries::new(losses.iter().copied(), &BLUE))?
                .label("training")
                .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], BLUE));
            chart
                .draw_series(LineSeries::new(scores.iter().copied(), RED.stroke_width(2)))?
                .label("fields not learned from")
                .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], RED));
            chart
                .draw_series(LineSeries::new(sizes.iter().copied(), BLACK.stroke_width(2)))?
                .label("bytes of files ÷ those without")
                .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], BLACK));
            chart.configure_series_labels().background_style(WHITE).border_style(BLACK).draw()?;
            root.present()?;
        }
        Ok(svg)
    }
}
