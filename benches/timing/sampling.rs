//! Samples of classes in random order, and what tells two of them apart.

use std::hint::black_box;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// Beyond it two classes are told apart, for any number of samples: what dudect takes for a sign, before
/// 10, which it takes for proof. Every section also compares a class with itself.
const MOST_T: f64 = 4.5;

/// Samples that do not count, while caches and the branch predictor settle.
const UNCOUNTED: usize = 4_096;

/// How many thresholds crop the samples.
const CROPS: i32 = 100;

/// One class of inputs: runs one of them, and returns how long that took. What is made for a run is
/// made before its clock starts.
pub(crate) struct Class<'a> {
    pub(crate) name: &'static str,
    run: Box<dyn FnMut() -> Duration + 'a>,
}

impl<'a> Class<'a> {
    pub(crate) fn new(name: &'static str, run: impl FnMut() -> Duration + 'a) -> Self {
        Self { name, run: Box::new(run) }
    }
}

/// The times of one class, in nanoseconds.
pub(crate) struct Samples {
    name: &'static str,
    times: Vec<f64>,
}

/// Takes so many samples of each class, in an order that nobody can tell beforehand: neither the
/// branch predictor nor what else the machine does at regular times.
pub(crate) fn sample(mut classes: Vec<Class<'_>>, count: usize) -> Vec<Samples> {
    let mut random = SmallRng::seed_from_u64(rand::rng().random());
    let mut samples: Vec<Samples> = classes
        .iter()
        .map(|class| Samples { name: class.name, times: Vec::with_capacity(count) })
        .collect();
    let all = classes.len();
    for index in 0..(UNCOUNTED + count) * all {
        let class = random.random_range(0..all);
        let took = (classes[class].run)();
        if index >= UNCOUNTED * all {
            samples[class].times.push(took.as_nanos() as f64);
        }
    }
    samples
}

/// Returns as many bytes of one text as are shared, and the rest of the other: by the same steps for any
/// number, for what is done just before the clock starts shows in the time, too.
pub(crate) fn sharing<const N: usize>(shared: usize, one: &[u8; N], other: &[u8; N]) -> [u8; N] {
    std::array::from_fn(|at| {
        let mask = black_box(u8::from(at < shared)).wrapping_neg();
        one[at] & mask | other[at] & !mask
    })
}

/// What two classes may differ by.
pub(crate) enum Bound {
    /// Nothing that a test could tell.
    Alike,
    /// So many nanoseconds between the medians.
    Nanoseconds(f64),
    /// Anything: the figure is known to differ, and is printed.
    Printed,
}

/// Collects what became of the bounds.
#[derive(Default)]
pub(crate) struct Outcome {
    missed: usize,
}

impl Outcome {
    /// Compares one class with another.
    pub(crate) fn compare(&mut self, other: &Samples, one: &Samples, bound: &Bound) {
        let t = largest_t(&one.times, &other.times);
        let (median, reference) = (median(&one.times), median(&other.times));
        let (holds, bound) = match bound {
            Bound::Alike => (t.abs() < MOST_T, format!("|t| below {MOST_T}")),
            Bound::Nanoseconds(most) => {
                ((median - reference).abs() <= *most, format!("at most {most} ns apart"))
            }
            Bound::Printed => (true, String::new()),
        };
        self.missed += usize::from(!holds);
        let verdict = match () {
            () if !holds => "MISSED",
            () if bound.is_empty() => "",
            () => "met",
        };
        println!(
            "  {:<22} {median:>7.1} ns   {:<22} {reference:>7.1} ns   apart {:>6.1} ns   t {t:>8.1}   {bound:<22} {verdict}",
            one.name,
            other.name,
            median - reference,
        );
    }

    /// Tells whether all bounds are met.
    pub(crate) const fn is_good(&self) -> bool {
        self.missed == 0
    }
}

/// Returns the largest of Welch's t over all samples and over those below each of a row of thresholds:
/// what is long is so for the machine's reasons, and hides a difference of the code's.
fn largest_t(one: &[f64], other: &[f64]) -> f64 {
    let mut all = [one, other].concat();
    all.sort_by(f64::total_cmp);
    let crops = (0..CROPS).map(|crop| {
        // As dudect has them: close to each other at the upper end.
        let share = 1.0 - 0.5_f64.powf(10.0 * f64::from(crop + 1) / f64::from(CROPS));
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // A share of the length.
        all[((all.len() - 1) as f64 * share) as usize]
    });
    let tests = crops.chain([f64::INFINITY]).map(|most| welch_t(one, other, most));
    tests.fold(0.0, |largest: f64, t| if t.abs() > largest.abs() { t } else { largest })
}

/// Returns Welch's t of the samples up to a threshold: 0 where there are too few to say.
fn welch_t(one: &[f64], other: &[f64], most: f64) -> f64 {
    let (one, other) = (Moments::of(one, most), Moments::of(other, most));
    if one.count < 1_000.0 || other.count < 1_000.0 {
        return 0.0;
    }
    let error = (one.variance / one.count + other.variance / other.count).sqrt();
    if error > 0.0 { (one.mean - other.mean) / error } else { 0.0 }
}

struct Moments {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    fn of(times: &[f64], most: f64) -> Self {
        let kept = times.iter().filter(|time| **time <= most);
        let count = kept.clone().count() as f64;
        let mean = kept.clone().sum::<f64>() / count.max(1.0);
        let squares = kept.map(|time| (time - mean).powi(2)).sum::<f64>();
        Self { count, mean, variance: squares / (count - 1.0).max(1.0) }
    }
}

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}
