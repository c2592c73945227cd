//! The tests of `quota-service` need a real Redis.

use std::{
    error::Error,
    process::{Command, Stdio},
};

/// Installs Debian's, if there is none.
pub(crate) fn ensure() -> Result<(), Box<dyn Error>> {
    if is_here() {
        return Ok(());
    }
    eprintln!("installing redis-server, which tests need");
    let missing = "redis-server is not here, and apt-get cannot install it: install it (Debian: `apt-get install redis-server`), or leave its tests out (`cargo xtask test --workspace --exclude quota-service`)";
    // As root, or as somebody who may be it without being asked.
    for command in [&["apt-get"][..], &["sudo", "-n", "apt-get"]] {
        let apt = |arguments: &[&str]| {
            let Some((program, rest)) = command.split_first() else { return false };
            let mut apt = Command::new(program);
            apt.args(rest).args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).stdout(Stdio::null());
            apt.status().is_ok_and(|status| status.success())
        };
        // A list of packages that is too old names files that are gone.
        let install = ["install", "-y", "--no-install-recommends", "redis-server"];
        if (apt(&install) || (apt(&["update"]) && apt(&install))) && is_here() {
            return Ok(());
        }
    }
    Err(missing.into())
}

fn is_here() -> bool {
    let mut redis = Command::new("redis-server");
    redis.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
