//! A short run of each target: the corpus, then what a mutator makes of it. `EXECUTIONS` says how often.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros, clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "test code")]

use std::{
    collections::BTreeSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
};

use fuzz_targets::{
    TARGETS,
    run::{Mutator, corpus},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn short(name: &str, executions: usize) {
    let executions = std::env::var("EXECUTIONS").ok().and_then(|number| number.parse().ok()).unwrap_or(executions);
    let fuzz = fuzz_targets::target(name);
    let corpus = corpus(&root().join("corpus").join(name)).unwrap();
    assert!(!corpus.is_empty(), "the target {name} has no corpus");
    let made = Mutator::new(&corpus, 0x5eed).take(executions);
    for input in corpus.iter().cloned().chain(made) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| fuzz(&input))) {
            eprintln!("the input of {name}: b\"{}\"", input.escape_ascii());
            resume_unwind(panic);
        }
    }
}

macro_rules! targets {
    ($($name:ident: $executions:literal,)*) => {
        $(#[test]
        fn $name() {
            short(stringify!($name), $executions);
        })*

        const SHORT: &[&str] = &[$(stringify!($name)),*];
    };
}

targets! {
    attributes: 20_000,
    codecs: 100_000,
    config: 100_000,
    connections: 20_000,
    jwt: 3_000,
    labels: 100_000,
    pairs: 100_000,
    proxy: 1_500,
    shared: 100_000,
    streams: 10_000,
}

#[test]
fn each_target_has_a_short_run_and_a_binary() {
    let names: BTreeSet<_> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, SHORT.iter().copied().collect());
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    for name in names {
        assert!(manifest.contains(&format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"")), "{name} is not in fuzz/Cargo.toml");
        let binary = fs::read_to_string(root().join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(binary.contains(&format!("target(\"{name}\")")), "the binary {name} is of another target");
    }
}
