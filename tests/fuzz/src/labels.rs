//! Values of labels, which come from traffic: what is written into the name of a statistic is read out of it again, as Envoy and Istio do.

use std::{cell::RefCell, rc::Rc};

use arbitrary::Unstructured;
use inproxy::{
    abi::{Host, Status, enter},
    metrics::{Counter, Family, LONGEST_LABEL_VALUE, label_value},
    prelude::*,
};

use crate::vm;

/// In the order in which they are written: the one is the end of the other, and is to be found first.
const LABELS: [&str; 3] = ["code", "xcode", "request_code"];
const NAME: &str = "requests_total";

/// Hands its family over when it is configured.
#[filter(root_id = "fuzz_labels", hooks(request_headers))]
struct Labelled;

impl inproxy::hooks::HttpHooks for Labelled {
    type Stream = ();
}

impl Configure for Labelled {
    type Config = Nothing;

    fn configure(_: Nothing, plugin: &mut Plugin) -> Result<Self> {
        // Not in the order in which they are written.
        let family = plugin.counter_family(NAME, ["request_code", "xcode", "code"])?;
        FAMILY.set(Some(family));
        Ok(Self)
    }
}

#[config]
struct Nothing;

thread_local! {
    static FAMILY: RefCell<Option<Family<Counter, 3>>> = const { RefCell::new(None) };
    static VM: Rc<Stats> = {
        let stats = Rc::new(Stats::default());
        vm::root::<Labelled>(&stats, 0);
        stats
    };
}

/// Notes the name of a statistic. But for the first, which is that of the overflow, it refuses, so that there is no end of label sets.
#[derive(Default)]
struct Stats {
    defined: RefCell<Option<String>>,
}

impl Host for Stats {
    fn property(&self, _: &[u8]) -> Result<Vec<u8>, Status> {
        Ok(b"fuzz_labels".to_vec())
    }

    fn log_level(&self) -> Result<u32, Status> {
        Ok(6)
    }

    fn define_metric(&self, _: u32, name: &[u8]) -> Result<u32, Status> {
        let name = String::from_utf8(name.to_vec()).expect("the name of a statistic is text");
        if self.defined.replace(Some(name)).is_none() { Ok(1) } else { Err(Status::INTERNAL_FAILURE) }
    }

    fn increment_metric(&self, _: u32, _: i64) -> Status {
        Status::OK
    }
}

/// Three values.
pub(crate) fn fuzz(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let values: [&[u8]; 3] = input.arbitrary().unwrap_or([data, b"", b"x"]);
    let shown = values.map(label_value);
    for (value, shown) in values.iter().zip(&shown) {
        assert!(!shown.bytes().any(|byte| byte.is_ascii_control()) && !shown.ends_with('.') && !shown.contains(";.;") && !shown.contains("=.="));
        assert!(shown.len() <= 3 * LONGEST_LABEL_VALUE && (value.is_empty() == shown.is_empty()), "{} is {shown:?}", value.escape_ascii());
    }

    let stat = VM.with(|stats| {
        enter(Rc::clone(stats) as Rc<dyn Host>, || {
            let family = FAMILY.with_borrow(Clone::clone).expect("the filter is configured");
            let [code, xcode, request_code] = values;
            family.with([request_code, xcode, code]).increment();
        });
        stats.defined.borrow().clone().expect("a label set has a statistic")
    });
    let mut rest = stat.clone();
    for (label, shown) in LABELS.iter().zip(&shown) {
        assert_eq!(extract(&mut rest, label).as_deref(), Some(&**shown), "{label} in {stat:?}");
    }
    assert_eq!(rest, NAME, "what is left of {stat:?}");
}

/// Takes a label out of a name: Istio's expression `(label=\.=(.*?);\.;)`.
fn extract(stat: &mut String, label: &str) -> Option<String> {
    let begin = format!("{label}=.=");
    let from = stat.find(&begin)?;
    let value = stat.get(from + begin.len()..)?;
    let value = value.get(..value.find(";.;")?)?.to_owned();
    stat.replace_range(from..from + begin.len() + value.len() + 3, "");
    Some(value)
}
