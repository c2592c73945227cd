//! The public items of the SDK, as its sources have them.

use std::{collections::BTreeMap, fs, path::Path};

use syn::{Ident, ImplItem, Item, TraitItem, Type, UseTree, Visibility};

/// Each module's items, by its path such as `http::body`; the crate's own by the empty one.
pub(super) struct Sdk(BTreeMap<String, Vec<Item>>);

// === impl Sdk ===

impl Sdk {
    pub(super) fn read() -> Self {
        let mut modules = BTreeMap::new();
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/src"), "", &mut modules);
        Self(modules)
    }

    /// Whether `module`, `module::item`, `module::Type::function` and so on can be named behind `inproxy::`.
    pub(super) fn has(&self, path: &str) -> bool {
        let mut module = String::new();
        let mut names = path.split("::").peekable();
        while let Some(name) =
            names.next_if(|name| self.items(&module).any(|item| matches!(item, Item::Mod(inner) if public(&inner.vis) && inner.ident == name)))
        {
            module = join(&module, name);
        }
        let Some(name) = names.next() else { return !module.is_empty() };
        let Some(home) = self.home(&module, name) else { return false };
        match (names.next(), names.next()) {
            (None, _) => true,
            (Some(member), None) => self.0.iter().any(|(file, items)| self.has_member(file, items, &home, name, member)),
            _ => false,
        }
    }

    fn items(&self, module: &str) -> impl Iterator<Item = &Item> {
        self.0.get(module).into_iter().flatten()
    }

    /// The outermost module where an item is defined that a module shows.
    fn home(&self, module: &str, name: &str) -> Option<String> {
        self.items(module).find_map(|item| match item {
            Item::Use(item) if public(&item.vis) => from(&item.tree, name).map(|path| match path.strip_prefix("self::") {
                Some(path) => outermost(&join(module, path)).to_owned(),
                None => outermost(&path).to_owned(),
            }),
            _ => defined(item).is_some_and(|ident| ident == name).then(|| outermost(module).to_owned()),
        })
    }

    /// Whether a file has a function, constant or variant of a type, or of a trait, that is at home in a module.
    fn has_member(&self, file: &str, items: &[Item], home: &str, name: &str, member: &str) -> bool {
        let at_home = outermost(file) == home;
        let imported = || items.iter().any(|item| matches!(item, Item::Use(item) if from(&item.tree, name).is_some()));
        items.iter().any(|item| match item {
            Item::Trait(item) => {
                at_home && item.ident == name && item.items.iter().any(|item| matches!(item, TraitItem::Fn(function) if function.sig.ident == member))
            }
            Item::Enum(item) => at_home && item.ident == name && item.variants.iter().any(|variant| variant.ident == member),
            Item::Impl(item) if item.trait_.is_none() && is_type(&item.self_ty, name) => {
                (at_home || imported()) && item.items.iter().any(|item| self.is_member(item, member))
            }
            // A type that a macro writes, in the file of its macro.
            Item::Macro(invoked) => {
                at_home
                    && invoked.ident.is_none()
                    && has_word(&invoked.mac.tokens.to_string(), name)
                    && invoked.mac.path.get_ident().is_some_and(|used| writes(items, used, member))
            }
            _ => false,
        })
    }

    fn is_member(&self, item: &ImplItem, member: &str) -> bool {
        match item {
            ImplItem::Fn(function) => public(&function.vis) && function.sig.ident == member,
            ImplItem::Const(constant) => public(&constant.vis) && constant.ident == member,
            ImplItem::Macro(invoked) => {
                invoked.mac.path.segments.last().is_some_and(|used| self.0.values().any(|items| writes(items, &used.ident, member)))
            }
            _ => false,
        }
    }
}

/// Reads the files of a folder, tests left out.
fn read(folder: &Path, module: &str, modules: &mut BTreeMap<String, Vec<Item>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if path.is_dir() {
            read(&path, &join(module, name), modules);
        } else if path.extension().is_some_and(|end| end == "rs") && name != "tests" {
            let items = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap().items;
            modules.insert(if name == "lib" { String::new() } else { join(module, name) }, items);
        }
    }
}

fn join(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") }
}

fn outermost(module: &str) -> &str {
    module.split("::").next().unwrap_or(module)
}

fn public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// What an item that is public is called.
fn defined(item: &Item) -> Option<&Ident> {
    match item {
        Item::Struct(item) => public(&item.vis).then_some(&item.ident),
        Item::Enum(item) => public(&item.vis).then_some(&item.ident),
        Item::Trait(item) => public(&item.vis).then_some(&item.ident),
        Item::Type(item) => public(&item.vis).then_some(&item.ident),
        Item::Const(item) => public(&item.vis).then_some(&item.ident),
        Item::Fn(item) => public(&item.vis).then_some(&item.sig.ident),
        _ => None,
    }
}

/// The path under which a `use` brings a name.
fn from(tree: &UseTree, name: &str) -> Option<String> {
    match tree {
        UseTree::Path(path) => from(&path.tree, name).map(|rest| format!("{}::{rest}", path.ident)),
        UseTree::Name(leaf) => (leaf.ident == name).then(|| name.to_owned()),
        UseTree::Rename(leaf) => (leaf.rename == name).then(|| leaf.ident.to_string()),
        UseTree::Group(group) => group.items.iter().find_map(|tree| from(tree, name)),
        UseTree::Glob(_) => None,
    }
}

fn is_type(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == name))
}

/// Whether a `macro_rules!` of this name writes a public function of this one.
fn writes(items: &[Item], macro_name: &Ident, function: &str) -> bool {
    items.iter().any(|item| matches!(item, Item::Macro(item) if item.ident.as_ref() == Some(macro_name) && has_words(&item.mac.tokens.to_string(), &["pub", "fn", function])))
}

fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect()
}

fn has_word(text: &str, word: &str) -> bool {
    words(text).contains(&word)
}

fn has_words(text: &str, run: &[&str]) -> bool {
    words(text).windows(run.len()).any(|window| window == run)
}
