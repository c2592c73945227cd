//! Servers of Debian that tests need beside Envoy.

use std::{
    error::Error,
    process::{Command, Stdio},
};

/// A program that the tests of one crate start.
struct Needed {
    /// The package, and the program in it.
    package: &'static str,
    /// Whose tests.
    by: &'static str,
}

const NEEDED: &[Needed] = &[Needed { package: "redis-server", by: "quota-service" }, Needed { package: "prometheus", by: "metrics" }];

/// Installs what is missing of what the tests need that these arguments of `cargo test` choose.
pub(crate) fn ensure(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    NEEDED.iter().filter(|needed| needed.is_needed(arguments)).try_for_each(Needed::ensure)
}

// === impl Needed ===

impl Needed {
    fn is_needed(&self, arguments: &[String]) -> bool {
        let names = |flags: &[&str]| -> Vec<&str> {
            let behind = arguments.windows(2).filter(|pair| matches!(pair, [flag, _] if flags.contains(&flag.as_str())));
            behind.filter_map(|pair| pair.last().map(String::as_str)).collect()
        };
        let (packages, excluded) = (names(&["-p", "--package"]), names(&["--exclude"]));
        (packages.is_empty() || packages.contains(&self.by)) && !excluded.contains(&self.by)
    }

    fn ensure(&self) -> Result<(), Box<dyn Error>> {
        if self.is_here() {
            return Ok(());
        }
        let Self { package, by } = self;
        eprintln!("installing {package}, which tests need");
        // As root, or as somebody who may be it without being asked.
        for command in [&["apt-get"][..], &["sudo", "-n", "apt-get"]] {
            let apt = |arguments: &[&str]| {
                let Some((program, rest)) = command.split_first() else { return false };
                let mut apt = Command::new(program);
                apt.args(rest).args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).stdout(Stdio::null());
                apt.status().is_ok_and(|status| status.success())
            };
            // A list of packages that is too old names files that are gone.
            let install = ["install", "-y", "--no-install-recommends", package];
            if (apt(&install) || (apt(&["update"]) && apt(&install))) && self.is_here() {
                return Ok(());
            }
        }
        Err(format!("{package} is not here, and apt-get cannot install it: install it (Debian: `apt-get install {package}`), or leave its tests out (`cargo xtask test --workspace --exclude {by}`)").into())
    }

    fn is_here(&self) -> bool {
        let mut program = Command::new(self.package);
        program.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }
}
