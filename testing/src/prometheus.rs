//! What the proxy shows Prometheus, taken apart.

use std::{collections::BTreeMap, fmt::Write};

/// One line of `/stats/prometheus`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Series {
    /// The name of the metric. A histogram has three: with `_bucket`, `_sum` and `_count` at the end.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value. Sums of histograms are approximate in Envoy.
    pub value: f64,
}

/// The buckets that Envoy has unless it is told of others.
pub(crate) const BUCKETS: [&str; 19] = [
    "0.5", "1", "5", "10", "25", "50", "100", "250", "500", "1000", "2500", "5000", "10000", "30000", "60000", "300000", "600000", "1800000",
    "3600000",
];

/// The series of a [text in Prometheus' format](https://prometheus.io/docs/instrumenting/exposition_formats/).
pub(crate) fn parse(text: &str) -> Vec<Series> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| series(line).unwrap_or_else(|| panic!("not a series: {line}")))
        .collect()
}

fn series(line: &str) -> Option<Series> {
    let (name, mut rest) = line.split_once('{')?;
    let mut labels = BTreeMap::new();
    while !rest.starts_with('}') {
        let (label, behind) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut chars = behind.chars();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => value.push(match chars.next()? {
                    'n' => '\n',
                    other => other,
                }),
                other => value.push(other),
            }
        }
        labels.insert(label.to_owned(), value);
        rest = chars.as_str().trim_start_matches(',');
    }
    let value = rest.strip_prefix("} ")?.trim().parse().ok()?;
    Some(Series { name: name.to_owned(), labels, value })
}

/// Writes one, as Envoy does.
pub(crate) fn write(text: &mut String, name: &str, labels: &[(String, String)], value: f64) {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    let _ = writeln!(text, "{name}{{{}}} {value}", labels.join(","));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let labels = [("a".to_owned(), "\"\\,} =\"{\nx".to_owned()), ("b".to_owned(), String::new())];
        let mut text = "# TYPE m counter\n".to_owned();
        write(&mut text, "m", &labels, 3.0);
        write(&mut text, "n", &[], 0.5);
        let read = parse(&text);
        assert_eq!(read[0], Series { name: "m".to_owned(), labels: labels.into(), value: 3.0 });
        assert_eq!(read[1], Series { name: "n".to_owned(), labels: BTreeMap::new(), value: 0.5 });
    }
}
