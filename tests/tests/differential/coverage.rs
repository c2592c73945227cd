//! Together the cases have all that the ABI has.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use inproxy_test::{
    HostKind,
    trace::{Call, Returned},
};

use crate::case::{self, Case};

/// The host functions, as the probe imports them.
const IMPORTS: &str = include_str!("../../probe/src/abi.rs");

/// The callbacks, as the model has them.
const CALLBACKS: &str = include_str!("../../../testing/src/vm.rs");

/// What the cases show.
const CONFORMANCE: &str = include_str!("../../../docs/conformance.md");

/// Host functions that have no way to fail, or none that a filter could bring about.
const NEVER_FAIL: [&str; 6] = [
    "proxy_get_current_time_nanoseconds",
    "proxy_get_log_level",
    "proxy_get_status",
    "proxy_register_shared_queue",
    "proxy_send_local_response",
    "proxy_set_tick_period_milliseconds",
];

/// The calls of all cases.
fn traces() -> &'static [Vec<Call>] {
    static TRACES: OnceLock<Vec<Vec<Call>>> = OnceLock::new();
    TRACES.get_or_init(|| {
        let mut traces = Vec::new();
        inproxy_test::__private::run(HostKind::Wasm, "coverage", |_| async {
            for case in crate::all() {
                traces.push(case::trace(&case, None).await.calls().cloned().collect());
            }
        });
        traces
    })
}

fn between(text: &str, before: &str, after: char) -> BTreeSet<String> {
    text.split(before).skip(1).filter_map(|rest| rest.split_once(after)).map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn every_function_is_called_in_both_directions_with_success_and_failure() {
    let mut seen: BTreeMap<String, BTreeSet<Option<u32>>> = BTreeMap::new();
    for call in traces().iter().flatten() {
        let result = if let Returned::Number(number) = call.result { Some(number) } else { None };
        seen.entry(call.name.clone()).or_default().insert(result);
    }
    let functions = between(IMPORTS, "pub(crate) fn proxy_", '(').into_iter().map(|name| format!("proxy_{name}")).collect::<BTreeSet<_>>();
    assert_eq!(functions.len(), 39, "{functions:?}");
    let callbacks = between(CALLBACKS, "(\"proxy_on_", '"').into_iter().map(|name| format!("proxy_on_{name}")).collect::<BTreeSet<_>>();
    assert_eq!(callbacks.len(), 24, "{callbacks:?}");
    let missing: Vec<_> = functions.iter().chain(&callbacks).filter(|name| !seen.contains_key(*name)).collect();
    assert!(missing.is_empty(), "in no case: {missing:?}");
    let results = |name: &String| seen.get(name).cloned().unwrap_or_default();
    let never_fails: Vec<_> =
        functions.iter().filter(|name| !NEVER_FAIL.contains(&name.as_str()) && results(name).iter().all(|result| *result == Some(0))).collect();
    assert!(never_fails.is_empty(), "in no case refused: {never_fails:?}");
    let never_works: Vec<_> = functions.iter().filter(|name| !results(name).contains(&Some(0))).collect();
    assert!(never_works.is_empty(), "in no case accepted: {never_works:?}");
    // Each status that Envoy has for these functions.
    let statuses: BTreeSet<_> = functions.iter().flat_map(results).flatten().collect();
    assert!(statuses.is_superset(&[0, 1, 2, 3, 4, 7, 8, 10, 12].into()), "{statuses:?}");
}

/// Whether a body comes while the headers are held: with `allow_on_headers_stop_iteration` it does.
fn body_behind_held_headers(calls: &[Call]) -> bool {
    let name = |call: &Call| call.name == "proxy_on_request_headers" && call.result == Returned::Number(1);
    let held = calls.iter().position(name).unwrap_or(calls.len());
    let next = |name: &str| calls.iter().skip(held).position(|call| call.name == name);
    next("proxy_on_request_body").is_some_and(|body| next("proxy_continue_stream").is_none_or(|resumed| body < resumed))
}

#[test]
fn both_header_modes_are_there() {
    let (held, others): (Vec<_>, Vec<_>) = traces().iter().partition(|calls| body_behind_held_headers(calls));
    assert!(held.len() >= 5, "{}", held.len());
    let waits = |calls: &[Call]| {
        calls.iter().any(|call| call.name == "proxy_continue_stream") && calls.iter().any(|call| call.name == "proxy_on_request_body")
    };
    assert!(others.iter().filter(|calls| waits(calls)).count() >= 5);
}

#[test]
fn names_are_told_apart_and_there_are_enough_of_them() {
    let cases: Vec<Case> = crate::all();
    let names: BTreeSet<_> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len());
    assert!(cases.len() >= 100, "{}", cases.len());
}

#[test]
fn what_is_said_to_be_shown_has_a_case() {
    let cases: BTreeSet<_> = crate::all().iter().map(|case| case.name).collect();
    let rows: Vec<_> = CONFORMANCE.lines().filter(|line| line.starts_with("| ") && line.contains('`')).collect();
    assert!(rows.len() >= 50, "{}", rows.len());
    for row in rows {
        let column = row.trim_end_matches(['|', ' ']).rsplit('|').next().unwrap_or_default();
        let named: Vec<_> = column.split('`').skip(1).step_by(2).collect();
        let unknown: Vec<_> = named.iter().filter(|name| !cases.contains(*name)).collect();
        assert!(!named.is_empty() && unknown.is_empty(), "{row}\nhas no such case: {unknown:?}");
    }
}
