//! Thread locals that belong to the VM.

/// Thread locals of which each VM has its own. In a module, which is one VM, they are thread locals and no more.
macro_rules! vm_local {
    ($($(#[$doc:meta])* static $name:ident: $type:ty = $fresh:expr;)*) => {
        thread_local! { $($(#[$doc])* static $name: $type = const { $fresh };)* }

        $(#[cfg(not(target_family = "wasm"))]
        inventory::submit! {
            $crate::abi::Local {
                fresh: || { let fresh: $type = $fresh; Box::new(fresh) },
                swap: |kept| {
                    if let Some(kept) = kept.downcast_ref::<$type>() {
                        $name.with(|own| $crate::abi::Swap::swap_with(own, kept));
                    }
                },
                end: |kept| {
                    if let Some(kept) = kept.downcast_ref::<$type>() {
                        $crate::abi::Swap::end(kept);
                    }
                },
            }
        })*
    };
}

pub(crate) use vm_local;
