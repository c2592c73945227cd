use inproxy_tests::module;
use walrus::{ExportItem, Module, ValType};

#[test]
fn modules_have_the_exports_of_the_abi_alone() {
    for folder in ["tests/filters", "examples/api-key"] {
        let module = Module::from_file(module(folder)).unwrap();
        for export in module.exports.iter() {
            let known = export.name.starts_with("proxy_") || ["_initialize", "memory"].contains(&&*export.name);
            assert!(known, "{folder} exports {}", export.name);
            if let ExportItem::Function(function) = export.item {
                let ty = module.types.get(module.funcs.get(function).ty());
                assert!(!ty.params().iter().chain(ty.results()).any(|of| *of == ValType::V128), "{}", export.name);
            }
        }
        for import in module.imports.iter() {
            let known = match &*import.module {
                "env" => import.name.starts_with("proxy_"),
                // What sleeps, or ends the process, is not among them.
                "wasi_snapshot_preview1" => {
                    ["environ_get", "environ_sizes_get", "fd_write", "random_get", "clock_time_get", "proc_exit"].contains(&&*import.name)
                }
                _ => false,
            };
            assert!(known, "{folder} imports {}.{}", import.module, import.name);
        }
    }
}
