//! Takes out of a module the callbacks that its filter does not need, and the code that only they reach.
//!
//! Each callback that a module exports costs a crossing into its VM for every request, whether it does anything or not. What a module of inproxy needs is written in its data: each part of the SDK that needs a callback
//! leaves its name there, and only the parts that the filter uses are in the module. What a module of another SDK needs, its author knows.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use walrus::{Module, ModuleConfig};

use crate::Error;

/// What to take out.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The callbacks to keep, by their names without `proxy_on_`; `None` keeps those that the SDK has left in the module's data.
    pub hooks: Option<Vec<String>>,
    /// Takes out the names of functions too: the backtrace of a trap then has only numbers.
    pub names: bool,
    /// Has `wasm-opt -Oz` go over it, if that is installed.
    pub wasm_opt: bool,
}

/// What was taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trimmed {
    /// The module's size in bytes, before and after.
    pub sizes: (u64, u64),
    /// The callbacks that it had and has no more.
    pub removed: Vec<String>,
    /// Whether `wasm-opt` went over it.
    pub optimized: bool,
}

/// What every filter has to export: contexts are made, configured, and forgotten.
const ALWAYS: [&str; 5] = ["memory_allocate", "context_create", "vm_start", "configure", "delete"];

const PREFIX: &str = "proxy_on_";

/// Tells a filter of the SDK that it can hold a response, since the callbacks of its body are there; and that it cannot, since they were taken out.
const CAN_HOLD: &[u8] = b"\x1einproxy-response-body\x1fkept\x1e";
const CANNOT_HOLD: &[u8] = b"\x1einproxy-response-body\x1fgone\x1e";

/// Trims a module into a file beside it; that file, and what was taken out.
///
/// # Errors
///
/// As [`file()`].
pub fn beside(module: &Path, options: &Options) -> Result<(PathBuf, Trimmed), Error> {
    let path = module.with_extension("trimmed.wasm");
    let trimmed = file(module, &path, options)?;
    Ok((path, trimmed))
}

/// Trims the module in one file into another.
///
/// # Errors
///
/// [`Error::Module`] if it is no module; [`Error::NoNeeds`] if it says nothing of the callbacks that it needs; [`Error::File`] if a file cannot be read or written.
pub fn file(from: &Path, to: &Path, options: &Options) -> Result<Trimmed, Error> {
    let invalid = |reason: String| Error::Module { path: from.to_path_buf(), reason };
    let bytes = fs::read(from).map_err(|error| Error::File { path: from.to_path_buf(), error })?;
    let mut config = ModuleConfig::new();
    config.generate_name_section(!options.names).generate_producers_section(!options.names);
    let mut module = config.parse(&bytes).map_err(|error| invalid(format!("{error:#}")))?;
    let needed = match &options.hooks {
        Some(hooks) => hooks.iter().cloned().collect(),
        None => needs(&module),
    };
    if needed.is_empty() {
        return Err(Error::NoNeeds(from.to_path_buf()));
    }
    let removed = remove(&mut module, &needed);
    walrus::passes::gc::run(&mut module);
    fs::write(to, module.emit_wasm()).map_err(|error| Error::File { path: to.to_path_buf(), error })?;
    let optimized = options.wasm_opt && optimize(to)?;
    let after = fs::metadata(to).map_err(|error| Error::File { path: to.to_path_buf(), error })?.len();
    Ok(Trimmed { sizes: (bytes.len() as u64, after), removed, optimized })
}

/// The callbacks that the SDK's parts in the module need: words behind `inproxy-needs`, separated by U+001F, between two U+001E.
fn needs(module: &Module) -> BTreeSet<String> {
    let records = module.data.iter().flat_map(|data| data.value.split(|byte| *byte == 0x1e));
    let texts = records.filter_map(|record| std::str::from_utf8(record).ok()?.strip_prefix("inproxy-needs\u{1f}"));
    texts.flat_map(|text| text.split('\u{1f}')).map(str::to_owned).collect()
}

/// Takes exports away; their names.
fn remove(module: &mut Module, needed: &BTreeSet<String>) -> Vec<String> {
    let hook = |name: &str| name.strip_prefix(PREFIX).filter(|hook| !ALWAYS.contains(hook) && !needed.contains(*hook)).map(str::to_owned);
    let unneeded: Vec<_> = module.exports.iter().filter_map(|export| Some((export.id(), hook(&export.name)?))).collect();
    for (id, name) in &unneeded {
        module.exports.delete(*id);
        if name == "response_body" {
            let ids: Vec<_> = module.data.iter().map(walrus::Data::id).collect();
            for id in ids {
                let value = &mut module.data.get_mut(id).value;
                if let Some(at) = value.windows(CAN_HOLD.len()).position(|window| window == CAN_HOLD)
                    && let Some(mark) = value.get_mut(at..at + CAN_HOLD.len())
                {
                    mark.copy_from_slice(CANNOT_HOLD);
                }
            }
        }
    }
    unneeded.into_iter().map(|(_, name)| name).collect()
}

/// Has `wasm-opt` go over a module; `false` if there is none.
fn optimize(path: &Path) -> Result<bool, Error> {
    const PROGRAM: &str = "wasm-opt";
    if Command::new(PROGRAM).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        return Ok(false);
    }
    let status = Command::new(PROGRAM).args(["-Oz", "--all-features"]).arg(path).arg("-o").arg(path).status();
    match status.map_err(|error| Error::Program { program: PROGRAM, error })? {
        status if status.success() => Ok(true),
        status => Err(Error::Module { path: path.to_path_buf(), reason: format!("wasm-opt ended with {status}") }),
    }
}
