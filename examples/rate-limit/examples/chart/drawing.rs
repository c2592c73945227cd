//! A picture of what was measured. Its colours are to be seen on white and on black.

use std::fmt::Write;

/// What happened in a second: at the bucket, and at the window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Second {
    /// At each of the two.
    pub(crate) offered: u32,
    /// Status 200.
    pub(crate) admitted: [u32; 2],
    /// Status 429.
    pub(crate) refused: [u32; 2],
}

const HEAD: &str = "second,offered,bucket_admitted,bucket_refused,window_admitted,window_refused";

/// What is over each panel, and where it begins.
const PANELS: [(&str, f64); 2] = [("bucket: holds 100, 5 more every 100 ms", 40.0), ("quota: 250 in any 5 s", 280.0)];

/// What both limits let pass in the long run, each second.
const LIMIT: u32 = 50;

/// The measures of a panel, and what it shows at most.
const LEFT: f64 = 44.0;
const WIDTH: f64 = 660.0;
const HEIGHT: f64 = 176.0;
const MOST: f64 = 220.0;

/// As a table.
pub(crate) fn to_csv(seconds: &[Second]) -> String {
    let mut table = format!("{HEAD}\n");
    for (at, Second { offered, admitted: [bucket, window], refused: [no_token, no_room] }) in seconds.iter().enumerate() {
        let _ = writeln!(table, "{at},{offered},{bucket},{no_token},{window},{no_room}");
    }
    table
}

/// As a picture.
pub(crate) fn drawing(seconds: &[Second]) -> String {
    let mut svg = String::from(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 500" font-family="sans-serif" font-size="12" fill="#808080">
<style>.offered{fill:#e8833a;fill-opacity:.35;stroke:#e8833a}.admitted{fill:#2f81f7;fill-opacity:.6;stroke:#2f81f7}.limit{stroke:#808080;stroke-dasharray:5 4}.grid{stroke:#808080;stroke-opacity:.3}</style>
"##,
    );
    for (panel, (title, top)) in PANELS.into_iter().enumerate() {
        let y = |value: f64| top + HEIGHT - value / MOST * HEIGHT;
        let x = |second: usize| LEFT + WIDTH * second as f64 / seconds.len() as f64;
        let _ = writeln!(svg, r#"<text x="{LEFT}" y="{}" font-size="14" font-weight="bold">{title}</text>"#, top - 12.0);
        for value in [0, 50, 100, 150, 200] {
            let at = y(value.into());
            let line = if value == LIMIT { "limit" } else { "grid" };
            let _ = writeln!(svg, r#"<path class="{line}" d="M{LEFT} {at:.1}H{}"/>"#, LEFT + WIDTH);
            let _ = writeln!(svg, r#"<text x="{}" y="{:.1}" text-anchor="end">{value}</text>"#, LEFT - 6.0, at + 4.0);
        }
        for second in (0..=seconds.len()).step_by(5) {
            let unit = if second == 0 { " s" } else { "" };
            let _ = writeln!(svg, r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">{second}{unit}</text>"#, x(second), y(0.0) + 18.0);
        }
        let offered = seconds.iter().map(|second| second.offered);
        let admitted = seconds.iter().map(|second| second.admitted[panel]);
        for (class, values) in [("offered", offered.collect::<Vec<_>>()), ("admitted", admitted.collect())] {
            let mut path = format!("M{LEFT} {:.1}", y(0.0));
            for (second, value) in values.into_iter().enumerate() {
                let _ = write!(path, "V{:.1}H{:.1}", y(value.into()), x(second + 1));
            }
            let _ = writeln!(svg, r#"<path class="{class}" d="{path}V{:.1}Z"/>"#, y(0.0));
        }
    }
    let square = "v-8h14v8z";
    for (class, shape, text, at) in
        [("offered", square, "offered", 400.0), ("admitted", square, "admitted", 490.0), ("limit", "m0 -4h22", "50 a second", 585.0)]
    {
        let _ = writeln!(svg, r#"<path class="{class}" d="M{at} 25{shape}"/>"#);
        let _ = writeln!(svg, r#"<text x="{}" y="25">{text}</text>"#, at + if class == "limit" { 28.0 } else { 20.0 });
    }
    svg.push_str("</svg>\n");
    svg
}

/// Reads the table.
#[cfg(test)]
pub(crate) fn of_csv(table: &str) -> Option<Vec<Second>> {
    let mut lines = table.lines();
    let seconds = lines.next().filter(|head| *head == HEAD).map(|_| {
        lines.map(|line| {
            let numbers = line.split(',').map(str::parse).collect::<Result<Vec<u32>, _>>().ok()?;
            let [_, offered, bucket, no_token, window, no_room] = numbers[..] else { return None };
            Some(Second { offered, admitted: [bucket, window], refused: [no_token, no_room] })
        })
    })?;
    seconds.collect()
}
