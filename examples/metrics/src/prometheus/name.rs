/// A name as Prometheus takes it, if Mixer's rules are enough for that: a `/` at the beginning is dropped, and so is each `-`; `/`, `.` and spaces become `_`.
pub(crate) fn safe_name(name: &str) -> String {
    name.strip_prefix('/')
        .unwrap_or(name)
        .chars()
        .filter(|letter| *letter != '-')
        .map(|letter| if matches!(letter, '/' | '.' | ' ') { '_' } else { letter })
        .collect()
}

/// The name behind its namespace.
pub(crate) fn full_name(namespace: &str, name: &str) -> String {
    let name = safe_name(name);
    if namespace.is_empty() { name } else { format!("{}_{name}", safe_name(namespace)) }
}
