//! The dashboard's panels as a picture, to be seen on white and on black.

use std::fmt::Write;

use super::dashboard::Line;

const COLOURS: [&str; 6] = ["#2f81f7", "#e8833a", "#3fb950", "#a371f7", "#db61a2", "#b08800"];
/// Of a panel.
const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 190.0;
/// Around its curves.
const LEFT: f64 = 64.0;
const TOP: f64 = 34.0;
const RIGHT: f64 = 16.0;
const BOTTOM: f64 = 44.0;

/// All panels, two beside each other: of each its title, its unit, its lines.
pub fn of(panels: &[(String, String, Vec<Line>)]) -> String {
    let rows = panels.len().div_ceil(2) as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"11\" fill=\"#808080\">\n<style>.frame{{fill:none;stroke:#808080;stroke-opacity:.35}}.grid{{stroke:#808080;stroke-opacity:.2}}.line{{fill:none;stroke-width:1.6}}</style>\n",
        2.0 * WIDTH,
        rows * HEIGHT
    );
    for (at, (title, unit, lines)) in panels.iter().enumerate() {
        let _ = writeln!(svg, r#"<g transform="translate({},{})">"#, (at % 2) as f64 * WIDTH, (at / 2) as f64 * HEIGHT);
        panel(&mut svg, title, unit, lines);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

fn panel(svg: &mut String, title: &str, unit: &str, lines: &[Line]) {
    let points = || lines.iter().flat_map(|line| &line.points).filter(|(_, value)| value.is_finite());
    let (from, to) = points().fold((f64::MAX, f64::MIN), |(from, to), (time, _)| (from.min(*time), to.max(*time)));
    let most = round_up(points().fold(0.0, |most: f64, (_, value)| most.max(*value)));
    let x = |time: f64| LEFT + (WIDTH - LEFT - RIGHT) * (time - from) / (to - from).max(1.0);
    let y = |value: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / most;
    let _ = writeln!(svg, r#"<rect class="frame" x="4" y="4" width="{}" height="{}" rx="4"/>"#, WIDTH - 8.0, HEIGHT - 8.0);
    let _ = writeln!(svg, r#"<text x="14" y="22" font-size="13" font-weight="bold">{title}</text>"#);
    for part in [0.0, 0.5, 1.0] {
        let at = y(most * part);
        let _ = writeln!(svg, r#"<path class="grid" d="M{LEFT} {at:.1}H{}"/>"#, WIDTH - RIGHT);
        let _ = writeln!(svg, r#"<text x="{}" y="{:.1}" text-anchor="end">{}</text>"#, LEFT - 6.0, at + 4.0, shown(most * part, unit));
    }
    let mut right = LEFT;
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let mut path = String::new();
        for (time, value) in line.points.iter().filter(|(_, value)| value.is_finite()) {
            let _ = write!(path, "{}{:.1} {:.1}", if path.is_empty() { 'M' } else { 'L' }, x(*time), y(*value));
        }
        let _ = writeln!(svg, r#"<path class="line" stroke="{colour}" d="{path}"/>"#);
        let name = line.name.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(
            svg,
            r#"<path d="M{right:.0} {}h10" stroke="{colour}" stroke-width="3"/><text x="{:.0}" y="{}">{name}</text>"#,
            HEIGHT - 18.0,
            right + 14.0,
            HEIGHT - 14.0
        );
        right += 26.0 + 6.2 * line.name.chars().count() as f64;
    }
    let _ = writeln!(svg, r#"<text x="{}" y="{}" text-anchor="end">{:.0} s</text>"#, WIDTH - RIGHT, HEIGHT - 30.0, to - from);
}

/// One, two or five times a power of ten; 1 if there is nothing.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|step| *step >= value).unwrap_or(value)
}

fn shown(value: f64, unit: &str) -> String {
    match unit {
        "percentunit" => format!("{:.0} %", value * 100.0),
        "Bps" => format!("{} kB/s", value / 1000.0),
        "ms" => format!("{value} ms"),
        "reqps" | "cps" => format!("{value}/s"),
        _ => value.to_string(),
    }
}
