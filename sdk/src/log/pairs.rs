//! The key-values of a record.

use std::fmt::Write;

use log::kv;

/// A record's text, and behind it each key with its value.
pub(super) fn behind(record: &log::Record<'_>) -> String {
    struct Line(String);

    impl<'kvs> kv::VisitSource<'kvs> for Line {
        fn visit_pair(&mut self, key: kv::Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
            write!(self.0, " {key}={value}").map_err(Into::into)
        }
    }

    let mut line = Line(record.args().to_string());
    // Writing to a string cannot fail; what a value refuses to say is left out.
    let _ = record.key_values().visit(&mut line);
    line.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_stand_behind_the_text() {
        let pairs = [("user", kv::Value::from("alice")), ("count", kv::Value::from(3))];
        let record = log::Record::builder().args(format_args!("let in")).key_values(&pairs).build();
        assert_eq!(behind(&record), "let in user=alice count=3");
    }
}
