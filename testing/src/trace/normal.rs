//! Two traces, side by side.
//!
//! What is each proxy's own is taken out first. Pointers are dropped, lengths stay. Ids (contexts, tokens, queues, metrics, versions of shared data) are numbered by their first appearance; tokens and
//! metrics keep their kind, which their low bits are. Of WASI's functions only name and result are compared. A tick in which the module calls nothing is timing, and is left out; of ticks
//! that make the same calls as the tick before them only the first is kept. Workers are compared whichever comes first.

use std::{collections::BTreeMap, fmt};

use super::{
    Call, Returned, Trace,
    functions::{Kind, kinds},
};

/// Where two traces part.
#[derive(Clone, Debug)]
pub struct Difference(String);

/// How many lines that agree are shown before a difference, and how many behind it.
const BEFORE: usize = 12;
const BEHIND: usize = 8;

/// How wide a column is.
const WIDTH: usize = 100;

// === impl Trace ===

impl Trace {
    /// One line for each call, without what is each proxy's own.
    pub fn lines(&self) -> Vec<String> {
        let mut workers: Vec<_> = self.0.iter().map(|calls| normal(calls)).collect();
        workers.sort();
        let several = workers.len() > 1;
        let titled = workers.into_iter().enumerate().map(|(at, lines)| several.then(|| format!("worker {at}")).into_iter().chain(lines));
        titled.flatten().collect()
    }

    /// Where this one parts from what was expected, if it does.
    pub fn difference(&self, expected: &Self) -> Option<Difference> {
        let (ours, theirs) = (self.lines(), expected.lines());
        let first = (0..ours.len().max(theirs.len())).find(|at| ours.get(*at) != theirs.get(*at))?;
        let mut shown = format!("  {:WIDTH$} | {}\n", "expected", "actual");
        for at in first.saturating_sub(BEFORE)..first + BEHIND {
            let [theirs, ours] = [&theirs, &ours].map(|lines| lines.get(at).map_or("", String::as_str));
            let mark = if theirs == ours { ' ' } else { '>' };
            shown.push_str(format!("{mark} {theirs:WIDTH$} | {ours}").trim_end());
            shown.push('\n');
        }
        Some(Difference(shown))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One line for each call of a worker.
fn normal(calls: &[Call]) -> Vec<String> {
    let mut names = Names::default();
    let mut lines: Vec<String> = Vec::new();
    let mut tick: Vec<String> = Vec::new();
    // Each callback with what lies in it.
    let starts: Vec<_> = (0..calls.len()).filter(|at| calls[*at].depth == 0).chain([calls.len()]).collect();
    for (from, to) in starts.iter().zip(starts.iter().skip(1)) {
        let inside = &calls[*from..*to];
        if inside[0].name != "proxy_on_tick" {
            lines.extend(inside.iter().map(|call| names.line(call)));
        } else if inside.len() > 1 {
            let again: Vec<_> = inside.iter().map(|call| names.line(call)).collect();
            if again != tick {
                lines.extend(again.iter().cloned());
                tick = again;
            }
        }
    }
    lines
}

/// A text whose UUIDs are all the same: each request has an id of its own.
fn without_ids(text: &str) -> String {
    const LENGTH: usize = 36;
    let is_id = |bytes: &[u8]| {
        bytes.iter().enumerate().all(|(at, byte)| if matches!(at, 8 | 13 | 18 | 23) { *byte == b'-' } else { byte.is_ascii_hexdigit() })
    };
    let mut out = text.as_bytes().to_vec();
    for at in 0..out.len().saturating_sub(LENGTH - 1) {
        if is_id(&out[at..at + LENGTH]) {
            out[at..at + LENGTH].fill(b'#');
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// What ids are called.
#[derive(Default)]
struct Names {
    /// By what they are; and how many there are of a kind.
    known: BTreeMap<(&'static str, u64), usize>,
    count: BTreeMap<&'static str, usize>,
}

// === impl Names ===

impl Names {
    fn line(&mut self, call: &Call) -> String {
        let kinds = kinds(&call.name);
        let arguments: Vec<_> = kinds.iter().zip(&call.arguments).filter_map(|(kind, argument)| self.argument(*kind, *argument)).collect();
        let mut line = format!("{}{}({}) -> {}", "  ".repeat(call.depth), call.name, arguments.join(", "), call.result);
        if call.given > 0 && call.result != Returned::Never {
            line += &format!(", {} bytes", call.given);
        }
        if !call.logged.is_empty() {
            line += &format!(" {}", without_ids(&call.logged).escape_debug());
        }
        line
    }

    fn argument(&mut self, kind: Kind, argument: u64) -> Option<String> {
        let kind = match kind {
            Kind::Pointer => return None,
            Kind::Number => return Some((argument as u32).to_string()),
            Kind::Long => return Some((argument as i64).to_string()),
            // None, or whichever.
            Kind::Context | Kind::Version if argument == 0 => return Some("0".to_owned()),
            Kind::Context => "context",
            Kind::Token => ["http call", "grpc call", "grpc stream", "token"][argument as usize % 4],
            Kind::Queue => "queue",
            Kind::Metric => ["counter", "gauge", "histogram", "metric"][argument as usize % 4],
            Kind::Version => "version",
        };
        let count = self.count.entry(kind).or_default();
        let number = *self.known.entry((kind, argument)).or_insert_with(|| {
            *count += 1;
            *count
        });
        Some(format!("{kind} {number}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Recording;

    fn trace(context: u64, ticks: usize, result: u32) -> Trace {
        let mut recording = Recording::default();
        for _ in 0..ticks {
            recording.begin(true, "proxy_on_tick", vec![context]);
            recording.begin(false, "proxy_get_log_level", vec![context * 8]);
            recording.end(Returned::Number(0));
            recording.end(Returned::Nothing);
        }
        recording.begin(true, "proxy_on_request_headers", vec![context, 7, 1]);
        recording.begin(false, "proxy_get_header_map_value", vec![0, context * 8, 5, 1, 1]);
        recording.end(Returned::Number(result));
        recording.end(Returned::Number(0));
        Trace(vec![recording.calls])
    }

    #[test]
    fn ids_and_pointers_and_how_often_it_ticks_do_not_matter() {
        assert!(trace(2, 1, 0).difference(&trace(17, 4, 0)).is_none());
    }

    #[test]
    fn a_status_matters_and_is_marked() {
        let difference = trace(2, 0, 2).difference(&trace(2, 0, 1)).expect("it differs").to_string();
        assert!(difference.contains(">   proxy_get_header_map_value(0, 5) -> 1 "), "{difference}");
        assert!(difference.contains("|   proxy_get_header_map_value(0, 5) -> 2"), "{difference}");
    }
}
