/// How the bounds of a distribution's buckets are found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Bounds {
    Linear { count: u16, width: f64, offset: f64 },
    Exponential { count: u16, growth: f64, scale: f64 },
    Explicit(Vec<f64>),
}

/// The upper bounds.
pub(crate) fn bounds(of: &Bounds) -> Vec<f64> {
    match of {
        Bounds::Linear { count, width, offset } => (0..=*count).map(|at| offset + width * f64::from(at)).collect(),
        Bounds::Exponential { count, growth, scale } => (0..=*count).map(|at| scale * growth.powi(i32::from(at))).collect(),
        Bounds::Explicit(bounds) => bounds.clone(),
    }
}
