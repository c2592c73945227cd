//! What a request costs each example and each filter of the benchmark: host calls, entries into the VM and allocations exactly, instructions and the module's size within 3 %.
//!
//! The numbers are in `tests/budgets.toml`, for the toolchain that `rust-toolchain.toml` names. `BUDGETS=overwrite cargo test --test budgets` writes them anew: a commit that does so says why.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code"
)]
#![allow(missing_docs, unreachable_pub, reason = "test code")]

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use inproxy::__private::Registered;
use inproxy_test::{Costs, HostKind, Proxy, Request, Response, Running, built_module};
use serde::{Deserialize, Serialize};

#[path = "../../../benches/guests/examples/hooks_check.rs"]
mod hooks_check;
#[path = "../../../benches/guests/examples/inproxy_body.rs"]
mod inproxy_body;
#[path = "../../../benches/guests/examples/inproxy_call.rs"]
mod inproxy_call;
#[path = "../../../benches/guests/examples/inproxy_check.rs"]
mod inproxy_check;
#[path = "../../../benches/guests/examples/inproxy_ten.rs"]
mod inproxy_ten;
mod modes;

/// So that allocations are counted.
#[global_allocator]
static ALLOCATOR: inproxy_test::CountingAllocator = inproxy_test::CountingAllocator;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/budgets.toml");

/// How far instructions and bytes may be off.
const TOLERANCE: f64 = 0.03;

/// How many requests go before, which fill tables that the later ones find.
const WARM: usize = 20;

/// What one request costs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Budget {
    vm_entries: u64,
    allocations: u64,
    fuel: u64,
    bytes: u64,
    host_calls: BTreeMap<String, u64>,
}

/// A module of the benchmark.
macro_rules! guest {
    ($name:ident, $example:literal) => {
        inproxy_tests::module_type!($name, "check", concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/guests#", $example));
    };
}

guest!(InproxyCheck, "inproxy_check");
guest!(HooksCheck, "hooks_check");
guest!(InproxyTen, "inproxy_ten");
guest!(InproxyBody, "inproxy_body");
guest!(InproxyCall, "inproxy_call");

/// The costs of a filter: the same as a module, and natively.
async fn measured<Module: Registered, Native: Registered>(configuration: &str, request: &Request) -> Budget {
    let wasm = costs::<Module>(HostKind::Wasm, configuration, request).await;
    let native = costs::<Native>(HostKind::Native, configuration, request).await;
    Budget {
        vm_entries: wasm.vm_entries,
        allocations: native.allocations,
        fuel: wasm.fuel,
        bytes: fs::metadata(built_module(Module::MANIFEST_DIR)).unwrap().len(),
        host_calls: wasm.host_calls.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
    }
}

async fn costs<F: Registered>(host: HostKind, configuration: &str, request: &Request) -> Costs {
    let proxy = Proxy::<F>::on(host, "budgets").configure_text(configuration).cluster("side", |_| Response::new(200));
    let proxy = modes::services(proxy).start().await;
    for _ in 0..WARM {
        send(&proxy, request).await;
    }
    let before = proxy.costs().unwrap();
    send(&proxy, request).await;
    proxy.costs().unwrap().since(&before)
}

async fn send(proxy: &Running, request: &Request) {
    proxy.send(request.clone()).await.expect(&Response::new(200));
}

async fn all() -> BTreeMap<String, Budget> {
    let checked = Request::get("/").with_header("x-key", "secret");
    let ten = (0..10).fold(Request::get("/"), |request, at| request.with_header(&format!("x-h{at}"), format!("value-{at}")));
    let key = r#"{"consumers":[{"name":"alice","key":"k"}]}"#;
    BTreeMap::from([
        ("bench/check", measured::<InproxyCheck, inproxy_check::Check>("{}", &checked).await),
        ("bench/check-hooks", measured::<HooksCheck, hooks_check::Check>("{}", &checked).await),
        ("bench/ten", measured::<InproxyTen, inproxy_ten::Ten>("{}", &ten).await),
        ("bench/body", measured::<InproxyBody, inproxy_body::Buffer>("{}", &Request::post("/").with_body(vec![b'x'; 64 * 1024])).await),
        ("bench/call", measured::<InproxyCall, inproxy_call::Ask>(r#"{"authority":"side"}"#, &Request::get("/")).await),
        ("hello", measured::<hello::Hello, hello::Hello>(r#"{"name":"x-hello","value":"hi"}"#, &Request::get("/")).await),
        ("api-key", measured::<api_key::ApiKey, api_key::ApiKey>(key, &Request::get("/").with_header("x-api-key", "k")).await),
    ])
    .into_iter()
    .chain(modes::all().await)
    .map(|(name, budget)| (name.to_owned(), budget))
    .collect()
}

/// What is beyond its budget, as a table.
fn beyond(budgets: &BTreeMap<String, Budget>, now: &BTreeMap<String, Budget>) -> String {
    let mut table = String::new();
    let names: std::collections::BTreeSet<_> = budgets.keys().chain(now.keys()).collect();
    for name in names {
        let (budget, now) = (budgets.get(name).cloned().unwrap_or_default(), now.get(name).cloned().unwrap_or_default());
        let mut row = |what: &str, budget: u64, now: u64, tolerance: f64| {
            if (now as f64 - budget as f64).abs() > budget as f64 * tolerance {
                let _ = writeln!(table, "{name:20} {what:34} {budget:>9} {now:>9}");
            }
        };
        row("entries into the VM", budget.vm_entries, now.vm_entries, 0.0);
        row("allocations", budget.allocations, now.allocations, 0.0);
        row("instructions (fuel)", budget.fuel, now.fuel, TOLERANCE);
        row("bytes of the module", budget.bytes, now.bytes, TOLERANCE);
        let calls: std::collections::BTreeSet<_> = budget.host_calls.keys().chain(now.host_calls.keys()).collect();
        for call in calls {
            let count = |of: &Budget| of.host_calls.get(call).copied().unwrap_or(0);
            row(call, count(&budget), count(&now), 0.0);
        }
    }
    table
}

#[test]
fn no_request_costs_more_than_its_budget() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let now = runtime.block_on(all());
    if std::env::var("BUDGETS").is_ok_and(|value| value == "overwrite") {
        let head = "# What a request costs: see tests/budgets/main.rs, which writes this file.\n\n";
        fs::write(FILE, head.to_owned() + &toml::to_string(&now).unwrap()).unwrap();
        return;
    }
    let budgets: BTreeMap<String, Budget> = toml::from_str(&fs::read_to_string(Path::new(FILE)).unwrap()).unwrap();
    let beyond = beyond(&budgets, &now);
    assert!(
        beyond.is_empty(),
        "{:20} {:34} {:>9} {:>9}\n{beyond}\nIf it is meant: BUDGETS=overwrite cargo test -p inproxy-tests --test budgets, and say why in the commit",
        "filter",
        "what",
        "budget",
        "now"
    );
}

#[test]
fn a_change_beyond_a_budget_is_told_in_a_table() {
    let budget = Budget { vm_entries: 4, fuel: 1000, bytes: 1000, host_calls: BTreeMap::from([("proxy_log".to_owned(), 1)]), ..Budget::default() };
    let of = |budget: &Budget| BTreeMap::from([("x".to_owned(), budget.clone())]);
    let near = Budget { fuel: 1030, bytes: 970, ..budget.clone() };
    assert_eq!(beyond(&of(&budget), &of(&near)), "");
    let far = Budget { vm_entries: 5, fuel: 1031, allocations: 1, host_calls: BTreeMap::new(), ..budget.clone() };
    let told = beyond(&of(&budget), &of(&far));
    let rows: Vec<_> = told.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(rows, ["x entries into the VM 4 5", "x allocations 0 1", "x instructions (fuel) 1000 1031", "x proxy_log 1 0"]);
}
