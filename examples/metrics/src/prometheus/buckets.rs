use crate::config::metric::Buckets;

/// The upper bounds of buckets.
pub(crate) fn bounds(of: &Buckets) -> Vec<f64> {
    match of {
        Buckets::Linear { num_finite_buckets, width, offset } => (0..=*num_finite_buckets).map(|at| offset + width * f64::from(at)).collect(),
        Buckets::Exponential { num_finite_buckets, growth_factor, scale } => {
            (0..=*num_finite_buckets).map(|at| scale * growth_factor.powi(i32::from(at))).collect()
        }
        Buckets::Explicit { bounds } => bounds.clone(),
    }
}
