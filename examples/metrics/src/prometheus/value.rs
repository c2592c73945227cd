/// A text that is no value of a metric.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoNumber {
    #[error("{0:?} is neither a number nor a duration")]
    Text(String),
    #[error("{0} cannot be counted: the proxy's metrics are whole numbers from zero up")]
    Negative(String),
    #[error("{0} is more than the proxy's metrics can have")]
    TooLarge(String),
}

/// The value of a metric: a number, or the seconds of a duration, as CEL shows it (`0.386s`).
pub(crate) fn number(text: &str) -> Result<f64, NoNumber> {
    let digits = text.strip_suffix('s').unwrap_or(text);
    // `inf`, `nan` and their like are numbers for Rust.
    let number =
        digits.parse().ok().filter(|number: &f64| number.is_finite() && digits.ends_with(|letter: char| letter.is_ascii_digit() || letter == '.'));
    number.ok_or_else(|| NoNumber::Text(text.to_owned()))
}

/// A value as the proxy takes it.
pub(crate) fn whole(number: f64, scale: u32) -> Result<u64, NoNumber> {
    let scaled = (number * f64::from(scale)).round();
    if scaled < 0.0 {
        return Err(NoNumber::Negative(number.to_string()));
    }
    // 2⁶³: the proxy takes more for a number below zero.
    if scaled >= 9_223_372_036_854_775_808.0 { Err(NoNumber::TooLarge(number.to_string())) } else { Ok(scaled as u64) }
}
