use inproxy_test::Running;

crate::module_type!(
    /// The filter of `tests/probe`, which is on the bare ABI and has no SDK.
    Probe, "probe", concat!(env!("CARGO_MANIFEST_DIR"), "/probe")
);

crate::module_type!(
    /// The same, as a network filter.
    TcpProbe, "probe", concat!(env!("CARGO_MANIFEST_DIR"), "/probe"), Network
);

/// A conversation of the probe with a proxy: lines of `callback: call -> answer`.
#[derive(Clone, Copy, Debug)]
pub struct Conversation(&'static str);

// === impl Conversation ===

impl Conversation {
    /// From its text.
    pub const fn new(text: &'static str) -> Self {
        Self(text)
    }

    fn lines(self) -> impl Iterator<Item = &'static str> {
        self.0.lines().map(str::trim).filter(|line| !line.is_empty())
    }

    /// What the probe is to call.
    pub fn script(self) -> String {
        self.lines().map(|line| line.split(" -> ").next().unwrap_or(line).to_owned() + "\n").collect()
    }

    /// Fails unless all of it has been said, in any order and however often, and nothing else.
    ///
    /// # Panics
    ///
    /// Then, with what was said otherwise.
    pub async fn expect(self, proxy: &Running) {
        let expected: Vec<_> = self.lines().filter(|line| line.contains(" -> ")).map(|line| line.replacen(": ", " ", 1)).collect();
        let missing = |said: &[String]| expected.iter().filter(|line| !said.contains(line)).cloned().collect::<Vec<_>>();
        let said = until(proxy, |said| missing(said).is_empty()).await;
        let missing = missing(&said);
        let more: Vec<_> = said.iter().filter(|line| line.contains(" -> ") && !expected.contains(line)).cloned().collect();
        assert!(missing.is_empty() && more.is_empty(), "not said:\n{}\n\nbut said:\n{}", missing.join("\n"), more.join("\n"));
    }
}

/// Fails unless the probe has logged these lines, and no others, in this order.
///
/// # Panics
///
/// Then, with what it has logged.
pub async fn expect_probe(proxy: &Running, expected: &str) {
    let expected: Vec<_> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let said = until(proxy, |said| said.len() >= expected.len()).await;
    assert!(said == expected, "the probe has logged\n{}\n\nand not\n{}", said.join("\n"), expected.join("\n"));
}

/// What the probe has logged, once that is enough: the end of a stream is logged a little after its response has come.
pub async fn until(proxy: &Running, enough: impl Fn(&[String]) -> bool) -> Vec<String> {
    let mut said = said(proxy);
    for _ in 0..200 {
        if enough(&said) {
            break;
        }
        proxy.advance(std::time::Duration::from_millis(10)).await;
        said = self::said(proxy);
    }
    said
}

fn said(proxy: &Running) -> Vec<String> {
    proxy.log().iter().filter_map(|line| line.text.strip_prefix("probe: ").map(|text| text.trim_end().to_owned())).collect()
}
