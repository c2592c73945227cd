//! `docs/faults.md`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
};

use crate::{cases, outcome::Outcome, table::Table};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/faults.md");

/// Between these lines the page is written by the test.
const MARK: &str = "<!-- written by tests/tests/sweep -->\n";

/// The statuses as ranges: `1–12`, `2, 10`.
fn ranges(statuses: &[u32]) -> String {
    let mut statuses = statuses.to_vec();
    statuses.sort_unstable();
    let mut text = String::new();
    let mut at = 0;
    while at < statuses.len() {
        let from = at;
        while at + 1 < statuses.len() && statuses[at + 1] == statuses[at] + 1 {
            at += 1;
        }
        let comma = if from > 0 { ", " } else { "" };
        let _ = if from == at { write!(text, "{comma}{}", statuses[at]) } else { write!(text, "{comma}{}–{}", statuses[from], statuses[at]) };
        at += 1;
    }
    text
}

fn written(table: &Table) -> String {
    let mut page = "\n| filter and request | when the proxy refuses |\n|---|---|\n".to_owned();
    for case in cases::all() {
        let Some(calls) = table.get(case.name) else { continue };
        let mut outcomes: BTreeMap<Outcome, Vec<String>> = BTreeMap::new();
        for (call, of_call) in calls {
            let all = of_call.values().flatten().collect::<BTreeSet<_>>().len();
            for (outcome, statuses) in of_call {
                let call = call.trim_start_matches("proxy_");
                let text = if statuses.len() == all { format!("`{call}`") } else { format!("`{call}` ({})", ranges(statuses)) };
                outcomes.entry(*outcome).or_default().push(text);
            }
        }
        let mut told: Vec<_> = outcomes.into_iter().map(|(outcome, calls)| format!("**{}:** {}", outcome.name(), calls.join(", "))).collect();
        if case.tells_errors {
            told.push("(the filter makes no failure of an error, but tells it in its answer)".to_owned());
        }
        for excuse in &case.excuses {
            let text = format!("(`{}`: {})", excuse.call.trim_start_matches("proxy_"), excuse.because);
            if !told.contains(&text) {
                told.push(text);
            }
        }
        let _ = writeln!(page, "| {} | {} |", case.name, told.join("<br>"));
    }
    page
}

/// Fails unless the page is what the sweep has found.
pub fn expect(table: &Table) {
    let now = written(table);
    let page = fs::read_to_string(FILE).unwrap();
    let (head, old) = page.split_once(MARK).expect("the page has its mark");
    if std::env::var("FAULTS").is_ok_and(|value| value == "overwrite") {
        fs::write(FILE, format!("{head}{MARK}{now}")).unwrap();
        return;
    }
    assert!(old == now, "docs/faults.md is not what the sweep has found: FAULTS=overwrite cargo test -p inproxy-tests --test sweep writes it anew");
}
