//! The chart in the README, and what was measured for it.

#![allow(missing_docs, clippy::disallowed_methods, clippy::indexing_slicing, clippy::unwrap_used, reason = "test code")]

#[path = "../examples/chart/drawing.rs"]
mod drawing;

use self::drawing::{Second, drawing, of_csv, to_csv};

const CSV: &str = include_str!("../chart.csv");

fn seconds() -> Vec<Second> {
    of_csv(CSV).unwrap()
}

#[test]
fn the_chart_is_drawn_from_the_table() {
    let again = "cargo run -p rate-limit --example chart";
    assert!(drawing(&seconds()) == include_str!("../chart.svg"), "chart.svg is not what chart.csv says: {again}");
    assert_eq!(to_csv(&seconds()), CSV);
}

/// A request is counted in the second in which it is sent: some a little later at the proxy.
#[test]
fn what_was_measured_is_what_the_limits_say() {
    let seconds = seconds();
    for second in &seconds {
        for limit in 0..2 {
            assert_eq!(second.admitted[limit] + second.refused[limit], second.offered);
        }
    }
    let most = |limit: usize, length: usize| {
        seconds.windows(length).map(|some| some.iter().map(|second| second.admitted[limit]).sum::<u32>()).max().unwrap()
    };
    // What it holds, and what is filled in; what a window has.
    assert!((240..=352).contains(&most(0, 5)) && most(0, 30) <= 100 + 50 * 30 + 5, "{} {}", most(0, 5), most(0, 30));
    assert!((245..=255).contains(&most(1, 5)), "{}", most(1, 5));
}
