//! The JSON Schema of a configuration: its file, and whether it takes what the filter takes.

use std::{any::type_name, env, fmt::Write, fs, io, marker::PhantomData, path::PathBuf, rc::Rc};

use inproxy::{
    __private::while_configuring,
    abi::{Host, Status, enter},
    config::{Configure, parse, schemars::JsonSchema},
};
use jsonschema::Validator;
use serde_json::Value;

use crate::model::foreign;

/// The [JSON Schema](inproxy::config::schema) of a configuration under test, beside what the filter itself reads: see [`schema`].
#[derive(Debug)]
pub struct Schema<F> {
    schema: Value,
    validator: Validator,
    of: PhantomData<fn() -> F>,
}

/// The JSON Schema of what a filter is configured with, under test: a filter, or a type marked with `#[config(schema)]`.
///
/// ```no_run
/// # mod tests {
/// # use inproxy::{config::Duration, prelude::*};
/// # #[config(schema)]
/// # struct Settings { cluster: Cluster, timeout: Option<Duration> }
/// # use inproxy_test::json;
/// #[test]
/// fn the_schema_is_the_file_and_takes_what_the_filter_takes() {
///     inproxy_test::schema::<Settings>()
///         .is("schema.json")
///         .accepts(json!({ "cluster": "authority", "timeout": "200ms" }))
///         .refuses(json!({ "cluster": "authority", "timeout": 200 }));
/// }
/// # }
/// ```
///
/// What [`Configure::configure`] refuses is not asked: only what is read. With the feature `schema` of this crate; the filter's crate needs the feature `schema` of `inproxy`.
///
/// # Panics
///
/// If what was derived is not a schema.
#[track_caller]
pub fn schema<F: Configure<Config: JsonSchema>>() -> Schema<F> {
    let schema = inproxy::config::schema::<F::Config>();
    let validator =
        jsonschema::draft202012::new(&schema).unwrap_or_else(|error| panic!("the schema of {} is none: {error}", type_name::<F::Config>()));
    Schema { schema, validator, of: PhantomData }
}

// === impl Schema ===

impl<F: Configure> Schema<F> {
    /// Fails unless this file of the filter's crate is the schema. `SCHEMA=overwrite cargo test` writes it.
    ///
    /// # Panics
    ///
    /// If the file is another, is not there, or cannot be written.
    #[track_caller]
    pub fn is(&self, file: &str) -> &Self {
        let path = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join(file);
        let now = pretty(&self.schema);
        if env::var("SCHEMA").is_ok_and(|value| value == "overwrite") {
            fs::write(&path, now).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            return self;
        }
        let old = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => panic!("there is no {}: SCHEMA=overwrite cargo test writes it", path.display()),
            Err(error) => panic!("{}: {error}", path.display()),
        };
        // The order of fields depends on features of serde_json, and does not matter.
        let old = serde_json::from_str::<Value>(&old).map_or(old, |old| pretty(&old));
        assert!(
            old == now,
            "{} is not the schema of {}; if it is meant: SCHEMA=overwrite cargo test\n{}",
            path.display(),
            type_name::<F::Config>(),
            difference(&old, &now)
        );
        self
    }

    /// Fails unless the schema accepts this configuration, and the filter reads it.
    ///
    /// # Panics
    ///
    /// If one of them refuses it; it says why.
    #[track_caller]
    pub fn accepts(&self, configuration: impl Into<Value>) -> &Self {
        let configuration = configuration.into();
        assert_told(&configuration, &self.by_schema(&configuration), "accept", "the schema refuses it");
        assert_told(&configuration, &read::<F>(&configuration), "accept", "the filter refuses it");
        self
    }

    /// Fails unless the schema refuses this configuration, and the filter does too.
    ///
    /// # Panics
    ///
    /// If one of them accepts it.
    #[track_caller]
    pub fn refuses(&self, configuration: impl Into<Value>) -> &Self {
        let configuration = configuration.into();
        let (by_schema, by_filter) = (self.by_schema(&configuration), read::<F>(&configuration));
        match (by_schema, by_filter) {
            (Err(_), Err(_)) => self,
            (Ok(()), Ok(())) => panic!("{configuration}: both schema and filter accept it"),
            (Ok(()), Err(fault)) => {
                panic!(
                    "{configuration}: the schema accepts what the filter refuses ({fault}); if no schema can tell, say so with `leaves_to_the_filter`"
                )
            }
            (Err(fault), Ok(())) => panic!("{configuration}: the schema refuses what the filter accepts: {fault}"),
        }
    }

    /// Fails unless the filter refuses this configuration and the schema accepts it, since no schema can tell: a sum that is too large, two fields that must not be the same.
    ///
    /// # Panics
    ///
    /// If the filter accepts it, or the schema refuses it.
    #[track_caller]
    pub fn leaves_to_the_filter(&self, configuration: impl Into<Value>) -> &Self {
        let configuration = configuration.into();
        assert!(read::<F>(&configuration).is_err(), "{configuration}: the filter accepts it");
        if let Err(fault) = self.by_schema(&configuration) {
            panic!("{configuration}: the schema can tell ({fault}): `refuses` says so");
        }
        self
    }

    fn by_schema(&self, configuration: &Value) -> Result<(), String> {
        let faults: Vec<_> =
            self.validator.iter_errors(configuration).map(|fault| format!("{:?}: {fault}", fault.instance_path().as_str())).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
    }
}

/// A proxy that is asked while a configuration is read: for its expressions and keys.
struct Reading;

impl Host for Reading {
    fn foreign_function(&self, name: &[u8], argument: &[u8]) -> Result<Vec<u8>, Status> {
        foreign::call_without_vm(name, argument)
    }
}

fn read<F: Configure>(configuration: &Value) -> Result<(), String> {
    let json = configuration.to_string();
    let read = || parse::<F::Config>(json.as_bytes()).map(drop).map_err(|error| error.to_string());
    enter(Rc::new(Reading), || while_configuring(read))
}

#[track_caller]
fn assert_told(configuration: &Value, result: &Result<(), String>, verb: &str, who: &str) {
    if let Err(fault) = result {
        panic!("{configuration}: schema and filter should {verb} it, but {who}: {fault}");
    }
}

fn pretty(value: &Value) -> String {
    let mut text = format!("{value:#}");
    text.push('\n');
    text
}

/// The lines between what both have at the beginning and at the end.
fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    let first = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let last = old[first..].iter().rev().zip(new[first..].iter().rev()).take_while(|(old, new)| old == new).count();
    let mut text = String::new();
    let around = |text: &mut String, lines: &[&str]| lines.iter().for_each(|line| _ = writeln!(text, "  {line}"));
    around(&mut text, &old[first.saturating_sub(3)..first]);
    old[first..old.len() - last].iter().for_each(|line| _ = writeln!(text, "- {line}"));
    new[first..new.len() - last].iter().for_each(|line| _ = writeln!(text, "+ {line}"));
    around(&mut text, &old[old.len() - last..(old.len() - last + 3).min(old.len())]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_shown_with_what_is_around_it() {
        assert_eq!(difference("a\nb\nc\nd\ne\nf\n", "a\nb\nc\nx\ny\ne\nf\n"), "  a\n  b\n  c\n- d\n+ x\n+ y\n  e\n  f\n");
        assert_eq!(difference("a\n", "a\na\n"), "  a\n+ a\n");
        assert_eq!(difference("", "a\n"), "+ a\n");
    }
}
