/// Whether a text is this one, begins like `prefix*`, or ends like `*suffix`: what Mixer's `match` did.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (Some(prefix), _) => text.starts_with(prefix),
        (None, Some(suffix)) => text.ends_with(suffix),
        (None, None) => text == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_at_one_end() {
        for (pattern, text, expected) in [
            ("kube-probe*", "kube-probe/1.30", true),
            ("kube-probe*", "a kube-probe", false),
            ("*.ns1.cluster", "svc1.ns1.cluster", true),
            ("*.ns1.cluster", "svc1.ns2", false),
            ("curl*", "curlish", true),
            ("curl*", "ishcurl", false),
            ("curl*", "", false),
            ("a*b", "acb", false),
            ("a*b", "a*b", true),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
