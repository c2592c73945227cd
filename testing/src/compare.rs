//! Expected and actual, side by side.

use std::fmt::Write;

use crate::message::{Message, Request, Response};

/// One line of the comparison: what it is about, what was expected, and what there is.
type Line = (String, String, String);

impl Response {
    /// Fails unless it has this status and body, and each header and trailer that is written down here with just these values. Other headers do not matter. Shows expected and actual side by side.
    ///
    /// ```
    /// # use inproxy_test::Response;
    /// let response = Response::new(200).with_header("x-hello", "hi").with_header("date", "today").with_body("ok");
    /// response.expect(&Response::new(200).with_header("x-hello", "hi").with_body("ok"));
    /// ```
    ///
    /// # Panics
    ///
    /// If it is another.
    #[track_caller]
    pub fn expect(&self, expected: &Self) {
        let mut lines = vec![("status".to_owned(), expected.status.to_string(), self.status.to_string())];
        lines.extend(messages(&expected.message, &self.message));
        compare("the response", &lines);
    }
}

impl Request {
    /// As [`Response::expect`], with method and path.
    ///
    /// # Panics
    ///
    /// If it is another.
    #[track_caller]
    pub fn expect(&self, expected: &Self) {
        let mut lines =
            vec![("method".to_owned(), expected.method.clone(), self.method.clone()), ("path".to_owned(), expected.path.clone(), self.path.clone())];
        lines.extend(messages(&expected.message, &self.message));
        compare("the request", &lines);
    }
}

fn messages(expected: &Message, actual: &Message) -> Vec<Line> {
    let mut lines = Vec::new();
    for (kind, expected, actual) in [("", &expected.headers, &actual.headers), ("trailer ", &expected.trailers, &actual.trailers)] {
        let mut names: Vec<_> = expected.iter().map(|(name, _)| name).collect();
        names.dedup();
        let values = |of: &[(String, Vec<u8>)], name: &str| {
            let values: Vec<_> = of.iter().filter(|(other, _)| other == name).map(|(_, value)| value.escape_ascii().to_string()).collect();
            if values.is_empty() { "(absent)".to_owned() } else { values.join(", ") }
        };
        lines.extend(names.into_iter().map(|name| (format!("{kind}{name}"), values(expected, name), values(actual, name))));
    }
    lines.push(("body".to_owned(), expected.body.escape_ascii().to_string(), actual.body.escape_ascii().to_string()));
    if actual.broken {
        lines.push(("end".to_owned(), "whole".to_owned(), "broken off".to_owned()));
    }
    lines
}

#[track_caller]
fn compare(what: &str, lines: &[Line]) {
    if lines.iter().all(|(_, expected, actual)| expected == actual) {
        return;
    }
    let width = |column: fn(&Line) -> &str| lines.iter().map(|line| column(line).chars().count()).max().unwrap_or(0);
    let (names, left) = (width(|line| &line.0), width(|line| &line.1).max("expected".len()));
    let mut table = format!("  {:names$}  {:left$}  actual\n", "", "expected");
    for (name, expected, actual) in lines {
        let mark = if expected == actual { ' ' } else { '>' };
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{mark} {name:names$}  {expected:left$}  {actual}");
    }
    panic!("{what} is not the one that was expected:\n{table}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "the response is not the one that was expected:
               expected  actual
> status       200       403
  x-a          1         1
> x-b          2, 3      (absent)
> trailer x-t  t         (absent)
> body         yes       no
")]
    fn what_differs_is_marked() {
        let expected =
            Response::new(200).with_header("x-a", "1").with_header("x-b", "2").with_header("x-b", "3").with_trailer("x-t", "t").with_body("yes");
        Response::new(403).with_header("x-a", "1").with_header("x-other", "1").with_body("no").expect(&expected);
    }

    #[test]
    #[should_panic(expected = "> path    /a        /b")]
    fn requests_have_a_path() {
        Request::get("/b").expect(&Request::get("/a"));
    }
}
