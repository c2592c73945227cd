//! The log of the real Envoy, read as a trace.

use std::collections::BTreeMap;

use super::{Recording, Returned, Trace};

/// How Envoy marks the calls, and what they return.
const INTO_MODULE: &str = "[host->vm] ";
const OUT_OF_MODULE: &str = "[vm->host] ";
const RETURNS: [&str; 2] = ["[host<-vm] ", "[vm<-host] "];

/// What a module has, so that it can be given something: no calls of their own, but part of those that give.
const ALLOCATIONS: [&str; 2] = ["proxy_on_memory_allocate", "malloc"];

/// One line behind its place in Envoy's source, and what it continues on the next lines.
struct Line<'a> {
    thread: &'a str,
    text: String,
}

/// Reads the calls on the workers out of a log.
pub(crate) fn parse(log: &str) -> Trace {
    let lines = lines(log);
    // The first to have a VM is the main thread.
    let main = lines.first().map(|line| line.thread.to_owned()).unwrap_or_default();
    let mut workers: BTreeMap<&str, Recording> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.thread != main) {
        read(workers.entry(line.thread).or_default(), &line.text);
    }
    Trace(workers.into_values().map(|worker| worker.calls).collect())
}

/// The lines of the component `wasm`: `[time][thread][level][wasm] [place] text`.
fn lines(log: &str) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut ours = false;
    for line in log.lines() {
        if let Some((head, text)) = line.split_once("[wasm] ")
            && let Some(thread) = thread(head)
        {
            let text = if text.starts_with("[source/") { text.split_once("] ").map_or(text, |(_, text)| text) } else { text };
            lines.push(Line { thread, text: text.to_owned() });
            ours = true;
        } else if thread(line).is_some() {
            ours = false;
        } else if let Some(last) = lines.last_mut().filter(|_| ours) {
            last.text.push('\n');
            last.text.push_str(line);
        }
    }
    lines
}

fn thread(head: &str) -> Option<&str> {
    let (_, rest) = head.strip_prefix("[20")?.split_once("][")?;
    rest.split_once(']').map(|(thread, _)| thread).filter(|thread| thread.bytes().all(|byte| byte.is_ascii_digit()))
}

fn read(worker: &mut Recording, text: &str) {
    if let Some(call) = text.strip_prefix(INTO_MODULE) {
        let (name, arguments) = signature(call);
        if let (true, Some(giving)) = (ALLOCATIONS.contains(&name), worker.innermost()) {
            giving.given += arguments.first().copied().unwrap_or(0);
        } else {
            worker.begin(true, name, arguments);
        }
    } else if let Some(call) = text.strip_prefix(OUT_OF_MODULE) {
        let (name, arguments) = signature(call);
        worker.begin(false, name.split_once('.').map_or(name, |(_, name)| name), arguments);
    } else if let Some(end) = RETURNS.iter().find_map(|mark| text.strip_prefix(mark)) {
        let Some((name, result)) = end.split_once(" return: ").filter(|(name, _)| !ALLOCATIONS.contains(name)) else { return };
        let name = name.rsplit('.').next().unwrap_or(name);
        if worker.innermost().is_some_and(|open| open.name == name) {
            worker.end(result.parse::<u64>().map_or(Returned::Nothing, |number| Returned::Number(number as u32)));
        }
    } else if text.starts_with("Function: ") && text.contains(" failed: ") {
        worker.trapped();
    } else if let Some(call) = worker.innermost().filter(|call| call.name == "proxy_log")
        && let Some((_, logged)) = text.strip_prefix("wasm log").and_then(|text| text.split_once(": "))
    {
        call.logged = logged.to_owned();
    }
}

/// `name(1, 2)`.
fn signature(call: &str) -> (&str, Vec<u64>) {
    let (name, arguments) = call.split_once('(').unwrap_or((call, ""));
    let number = |text: &str| text.parse::<u64>().ok().or_else(|| text.parse::<i64>().ok().map(|number| number as u64));
    (name, arguments.trim_end_matches(')').split(", ").filter_map(number).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
[2026-01-01 00:00:00.001][10][trace][wasm] [source/extensions/common/wasm/wasm_vm.cc:39] [host->vm] proxy_on_context_create(1, 0)
[2026-01-01 00:00:00.001][10][trace][wasm] [source/extensions/common/wasm/wasm_vm.cc:39] [host<-vm] proxy_on_context_create return: void
[2026-01-01 00:00:00.002][11][trace][wasm] [source/extensions/common/wasm/wasm_vm.cc:39] [host->vm] proxy_on_request_headers(2, 7, 0)
[2026-01-01 00:00:00.002][11][trace][wasm] [source/extensions/common/wasm/wasm_vm.cc:39] [vm->host] env.proxy_log(2, 1054416, 5)
[2026-01-01 00:00:00.002][10][trace][wasm] [source/extensions/common/wasm/wasm_vm.cc:39] [host->vm] proxy_on_tick(1)
[2026-01-01 00:00:00.002][11][info][wasm] [source/extensions/common/wasm/context.cc:1148] wasm log root vm: one
two
[2026-01-01 00:00:00.002][11][trace][wasm] [source/extensions/common/wasm/wasm_vm.cc:39] [vm<-host] env.proxy_log return: 0
[2026-01-01 00:00:00.002][11][trace][wasm] [source/extensions/common/wasm/wasm_vm.cc:39] [vm->host] env.proxy_get_header_map_value(6, 1, 7, 1, 1)
[2026-01-01 00:00:00.002][11][trace][wasm] [source/extensions/common/wasm/wasm_vm.cc:39] [host->vm] proxy_on_memory_allocate(3)
[2026-01-01 00:00:00.002][11][trace][wasm] [source/extensions/common/wasm/wasm_vm.cc:39] [host<-vm] proxy_on_memory_allocate return: 1053664
[2026-01-01 00:00:00.002][11][trace][wasm] [source/extensions/common/wasm/wasm_vm.cc:39] [vm<-host] env.proxy_get_header_map_value return: 0
[2026-01-01 00:00:00.002][11][error][wasm] [source/extensions/common/wasm/wasm_vm.cc:28] Function: proxy_on_request_headers failed: Uncaught
";

    #[test]
    fn the_calls_of_workers_are_read() {
        let Trace(workers) = parse(LOG);
        let [worker] = &workers[..] else { panic!("one worker: {workers:?}") };
        let [headers, log, value] = &worker[..] else { panic!("three calls: {worker:?}") };
        assert_eq!(
            (&*headers.name, headers.into_module, &headers.arguments[..], headers.result),
            ("proxy_on_request_headers", true, &[2, 7, 0][..], Returned::Never)
        );
        assert_eq!((&*log.name, log.depth, log.result, &*log.logged), ("proxy_log", 1, Returned::Number(0), "one\ntwo"));
        assert_eq!((&*value.name, value.given), ("proxy_get_header_map_value", 3));
    }
}
