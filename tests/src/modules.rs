use std::path::PathBuf;

/// The module of a crate of this workspace, built once in a process.
pub fn module(folder: &str) -> PathBuf {
    inproxy_test::built_module(&format!("{}/../{folder}", env!("CARGO_MANIFEST_DIR")))
}

/// A type that names a module to run, a root id in it, and what it is, if it is no HTTP filter: its folder, an example of it behind `#`, and behind that `@untrimmed`, if it is to be left whole.
#[macro_export]
macro_rules! module_type {
    ($(#[$doc:meta])* $name:ident, $root_id:literal, $module:expr $(, $kind:ident)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl ::inproxy::__private::Registered for $name {
            const ROOT_ID: &'static str = $root_id;
            const MANIFEST_DIR: &'static str = $module;
            $(const KIND: ::inproxy::__private::Kind = ::inproxy::__private::Kind::$kind;)?
        }
    };
}
