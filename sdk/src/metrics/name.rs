use super::MetricError;

/// Checks the name of a metric: that of Prometheus, with dots between parts.
pub(super) fn check(name: &str) -> Result<(), MetricError> {
    let is_start = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':');
    let is_part = |part: &[u8]| !part.is_empty() && part.iter().all(|byte| is_start(byte) || byte.is_ascii_digit());
    let bytes = name.as_bytes();
    if bytes.first().is_some_and(is_start) && bytes.split(|byte| *byte == b'.').all(is_part) {
        Ok(())
    } else {
        Err(MetricError::Name { name: name.to_owned() })
    }
}

/// Checks the names of a family's labels.
pub(super) fn check_labels(labels: &[&str]) -> Result<(), MetricError> {
    for (at, label) in labels.iter().enumerate() {
        let is_start = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
        let bytes = label.as_bytes();
        let is_name = bytes.first().is_some_and(is_start) && bytes.iter().all(|byte| is_start(byte) || byte.is_ascii_digit());
        if !is_name || bytes.starts_with(b"__") || *label == "le" {
            return Err(MetricError::Label { label: (*label).to_owned() });
        }
        if labels.iter().take(at).any(|other| other == label) {
            return Err(MetricError::DoubledLabel { label: (*label).to_owned() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_prometheus_with_dots() {
        for name in ["a", "_a", ":a", "requests_total", "api_key.denied", "a:b.c9.9"] {
            assert!(check(name).is_ok(), "{name}");
        }
        for name in ["", ".", "9a", "a.", ".a", "a..b", "a b", "a-b", "a=.=b", "a;", "é", "a\n", "a\0"] {
            assert!(check(name).is_err(), "{name:?}");
        }
        let error = check("9 lives").unwrap_err().to_string();
        assert!(error.starts_with(r#""9 lives" is not the name of a metric: it needs letters"#), "{error}");
    }

    #[test]
    fn labels_are_those_of_prometheus_each_once() {
        assert!(check_labels(&["code", "_x", "a9"]).is_ok());
        for label in ["", "9", "a.b", "a:b", "a-b", "__name__", "le", "a=", "é"] {
            assert!(check_labels(&["code", label]).is_err(), "{label:?}");
        }
        assert_eq!(check_labels(&["a", "b", "a"]).unwrap_err().to_string(), r#"the label "a" is there twice"#);
    }
}
