//! VMs that share a thread do what VMs with threads of their own do.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "test code")]

use std::path::Path;

use fuzz_targets::{
    proxy::recorded,
    run::{Mutator, corpus},
};

#[test]
fn vms_that_share_a_thread_do_what_those_with_their_own_do() {
    let corpus = corpus(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/proxy")).unwrap();
    let made = Mutator::new(&corpus, 0x7ead).take(150);
    let mut played = 0;
    for input in corpus.iter().cloned().chain(made) {
        let apart = recorded(&input, false);
        assert_eq!(recorded(&input, true), apart, "b\"{}\"", input.escape_ascii());
        played += usize::from(!apart.is_empty());
    }
    assert!(played > 100, "{played} of the inputs are played");
}
