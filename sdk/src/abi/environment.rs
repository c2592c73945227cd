/// A variable of the VM's environment (`vm_config.environment_variables`).
#[cfg(target_family = "wasm")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A variable of the VM's environment, as the installed [`Host`](super::Host) gives it.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn variable(name: &str) -> Option<String> {
    super::installed()?.environment(name)
}
