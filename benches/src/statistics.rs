//! Means, and how sure they are.

/// A mean with the bounds of its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) mean: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// The 97.5 % quantiles of Student's t, from one degree of freedom on.
const T: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/// The mean of values.
pub(crate) fn mean(values: &[f64]) -> Estimate {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    let t = T.get(values.len().saturating_sub(2)).or(T.last()).copied().unwrap_or(2.0);
    let half = t * (variance / count).sqrt();
    Estimate { mean, low: mean - half, high: mean + half }
}

/// The ratio of the means of values that were taken together, with the interval of the jackknife: each round is left out once, with both of its values. What drifts from round to round moves both and cancels out; a
/// single round, whose smaller cost may come out at nothing or less, is never divided by alone.
pub(crate) fn ratio(of: &[f64], to: &[f64]) -> Estimate {
    let (of_sum, to_sum) = (of.iter().sum::<f64>(), to.iter().sum::<f64>());
    let count = of.len() as f64;
    let whole = of_sum / to_sum;
    let pseudo: Vec<_> = of.iter().zip(to).map(|(of, to)| count * whole - (count - 1.0) * (of_sum - of) / (to_sum - to)).collect();
    mean(&pseudo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_has_an_interval_as_wide_as_the_values_are_apart() {
        let Estimate { mean, low, high } = mean(&[1.0, 2.0, 3.0]);
        assert!((mean - 2.0).abs() < 1e-9 && (high - low - 2.0 * 4.303 / 3_f64.sqrt()).abs() < 1e-3, "{low} {high}");
    }

    #[test]
    fn ratios_are_taken_in_pairs() {
        let Estimate { mean, low, high } = ratio(&[1.0, 10.0, 100.0], &[2.0, 20.0, 200.0]);
        assert!([mean, low, high].iter().all(|value| (value - 0.5).abs() < 1e-9));
        let Estimate { mean, low, high } = ratio(&[1.0, 1.2, 1.1, 0.9], &[2.0, 2.0, 2.4, 2.1]);
        assert!(low < 0.5 && 0.45 < mean && mean < 0.52 && high < 0.7, "{low} {mean} {high}");
    }
}
