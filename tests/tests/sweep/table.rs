//! The sweep itself.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use inproxy_test::HostKind;

use crate::{
    case::{Case, Fault, Run, Served},
    outcome::{Outcome, is_declared, is_named},
    page,
};

/// By case and function, the statuses of each outcome. Different ones of several calls are all there.
pub type Table = BTreeMap<&'static str, BTreeMap<&'static str, BTreeMap<Outcome, Vec<u32>>>>;

/// What Envoy answers to calls that go through the `proxy-wasm` crate, which panics at any other: see `docs/panics.md`.
const THROUGH_PROXY_WASM: [(&str, &[u32]); 3] = [("proxy_http_call", &[2, 10]), ("proxy_grpc_call", &[4, 10]), ("proxy_grpc_stream", &[4, 10])];

/// The faults of a case. Of a function that is called often, the first two calls and the last: while the proxy starts, and from then on. The dispatcher's own calls are not among them.
fn faults(baseline: &Served, statuses: &[u32]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (&call, &(started, all)) in &baseline.calls {
        if call == "proxy_set_effective_context" {
            let own: Vec<_> = (1..=all).filter(|nth| !baseline.routed.contains(nth)).collect();
            let some = own.iter().take(2).chain(own.iter().skip(2).next_back());
            faults.extend(some.flat_map(|&nth| statuses.iter().map(move |&status| Fault { call, nth, status })));
            continue;
        }
        let through = THROUGH_PROXY_WASM.iter().find(|(name, _)| *name == call).map(|(_, statuses)| *statuses);
        let mut numbers = vec![1, 2, started, started + 1, started + 2, all];
        numbers.retain(|nth| (1..=all).contains(nth));
        numbers.sort_unstable();
        numbers.dedup();
        for nth in numbers {
            faults.extend(through.unwrap_or(statuses).iter().map(|&status| Fault { call, nth, status }));
        }
    }
    faults
}

/// Runs all cases, and gives the table and what was not declared.
fn sweep(host: HostKind, statuses: &[u32]) -> (Table, Vec<String>, usize) {
    let cases = crate::cases::all();
    let (table, wrong, runs) = (Mutex::new(Table::new()), Mutex::new(Vec::new()), AtomicUsize::new(0));
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    sweep_one(case, host, statuses, &table, &wrong, &runs);
                }
            });
        }
    });
    (table.into_inner().unwrap(), wrong.into_inner().unwrap(), runs.into_inner())
}

fn sweep_one(case: &Case, host: HostKind, statuses: &[u32], table: &Mutex<Table>, wrong: &Mutex<Vec<String>>, runs: &AtomicUsize) {
    let baseline = match case.run(host, None) {
        Run::Served(served) => served,
        other => return wrong.lock().unwrap().push(format!("{}: without a fault: {other:?}", case.name)),
    };
    for fault in faults(&baseline, statuses) {
        let run = case.run(host, Some(&fault));
        runs.fetch_add(1, Ordering::Relaxed);
        let outcome = Outcome::of(&run, &baseline);
        let mut table = table.lock().unwrap();
        let statuses = table.entry(case.name).or_default().entry(fault.call).or_default().entry(outcome).or_default();
        if !statuses.contains(&fault.status) {
            statuses.push(fault.status);
        }
        let unnamed = matches!(&run, Run::Refused(log) if !is_named(log, fault.status));
        if unnamed || !is_declared(case, &fault, outcome) {
            let seen = match &run {
                Run::Served(served) => format!("{} {} | {} | next {} | {}", served.status, served.answer, served.upstream, served.next, served.log),
                Run::Refused(text) | Run::Hung(text) => text.clone(),
            };
            wrong.lock().unwrap().push(format!(
                "{}: {} #{} answers {}: {}\n    {}",
                case.name,
                fault.call,
                fault.nth,
                fault.status,
                outcome.name(),
                seen.replace('\n', "\n    ")
            ));
        }
    }
}

fn expect_declared(host: HostKind, statuses: &[u32]) -> Table {
    let started = std::time::Instant::now();
    let (table, wrong, runs) = sweep(host, statuses);
    println!("{runs} faults on {host:?} in {:?}", started.elapsed());
    assert!(wrong.is_empty(), "{} outcomes that were not declared:\n{}", wrong.len(), wrong.join("\n"));
    table
}

#[test]
fn whatever_is_refused_comes_to_what_the_filter_declares() {
    let statuses: Vec<_> = (1..=12).collect();
    page::expect(&expect_declared(HostKind::Native, &statuses));
}

/// Starting a module takes longer: those statuses that something in the SDK tells apart, and one that it does not.
#[test]
fn whatever_is_refused_to_a_module_comes_to_what_the_filter_declares() {
    expect_declared(HostKind::Wasm, &[1, 2, 8, 10, 12]);
}
