//! The table of `docs/migration.md` has all of the `proxy-wasm` crate, nothing that is not in it, and names what the SDK has.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use syn::{Item, TraitItem, Visibility};

use super::{code, docs, sdk::Sdk};

/// What the page says of one row: of which names, and where they are now.
struct Row {
    there: Vec<String>,
    here: String,
}

/// Each table begins with a heading: where its names are, unless they say so themselves.
fn rows() -> Vec<Row> {
    let page = docs().find(|(page, _)| page == "migration.md").unwrap().1;
    let tables = page.split_once("## Where everything is").unwrap().1;
    let mut section = "";
    let mut rows = Vec::new();
    for line in tables.lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            section = heading.trim_matches('`');
        }
        let Some((there, here)) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")?.split_once(" | ")) else { continue };
        let there: Vec<_> = code(there).map(|name| if name.contains("::") { name.to_owned() } else { format!("{section}::{name}") }).collect();
        if !there.is_empty() {
            rows.push(Row { there, here: here.to_owned() });
        }
    }
    rows
}

/// What a program says.
fn run(command: &[&str]) -> String {
    let output = Command::new(command[0]).args(&command[1..]).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Where the sources of the crate are that is built against.
fn proxy_wasm() -> PathBuf {
    // Of other platforms not all crates are there.
    let platform = run(&["rustc", "-vV"]).lines().find_map(|line| line.strip_prefix("host: ").map(str::to_owned)).unwrap();
    let metadata = run(&["cargo", "metadata", "--offline", "--format-version", "1", "--filter-platform", &platform]);
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "proxy-wasm").unwrap();
    assert_eq!(package["version"], "0.2.5", "the page is about 0.2.5");
    Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().join("src")
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Everything public in the crate, as `section::name`.
fn public() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (file, section) in [("lib", "proxy_wasm"), ("hostcalls", "hostcalls"), ("types", "types"), ("traits", "")] {
        let text = fs::read_to_string(proxy_wasm().join(format!("{file}.rs"))).unwrap();
        for item in syn::parse_file(&text).unwrap().items {
            let name = match &item {
                Item::Fn(item) if is_public(&item.vis) => &item.sig.ident,
                Item::Enum(item) if is_public(&item.vis) => &item.ident,
                Item::Struct(item) if is_public(&item.vis) => &item.ident,
                Item::Type(item) if is_public(&item.vis) => &item.ident,
                Item::Macro(item) if item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export")) => item.ident.as_ref().unwrap(),
                Item::Trait(item) => {
                    let functions = item.items.iter().filter_map(|function| match function {
                        TraitItem::Fn(function) => Some(format!("{}::{}", item.ident, function.sig.ident)),
                        _ => None,
                    });
                    all.extend(functions);
                    continue;
                }
                _ => continue,
            };
            all.insert(format!("{section}::{name}"));
        }
    }
    all
}

#[test]
fn all_of_the_raw_crate_is_in_the_table_once_and_nothing_else() {
    let public = public();
    assert!(public.len() > 180, "only {} names were found in the sources", public.len());
    let named: Vec<_> = rows().into_iter().flat_map(|row| row.there).collect();
    let set: BTreeSet<_> = named.iter().cloned().collect();
    let missing: Vec<_> = public.difference(&set).collect();
    let unknown: Vec<_> = set.difference(&public).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "missing: {missing:#?}\nnot in the crate: {unknown:#?}");
    assert_eq!(named.len(), set.len(), "a name is there twice");
}

#[test]
fn each_row_names_what_the_sdk_has_or_says_why_not() {
    let sdk = Sdk::read();
    let mut wrong = Vec::new();
    for Row { there, here } in rows() {
        let items: Vec<_> = code(&here).filter(|name| !name.starts_with("#[") && !name.starts_with("std::")).collect();
        let says_why =
            here.starts_with("not needed: ") || here.starts_with("not needed, as ") || here.starts_with("not offered") || here.starts_with("as for ");
        if items.is_empty() && !says_why {
            wrong.push(format!("{there:?}: no item, and no reason: {here}"));
        }
        wrong.extend(items.iter().filter(|item| !sdk.has(item)).map(|item| format!("{there:?}: inproxy has no {item}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_the_sdk_has_not_is_noticed() {
    let sdk = Sdk::read();
    for there in ["Request::headers", "hooks::RequestHeaders::reply", "grpc::GrpcCall::send", "codec::sse::Decoder::push", "OnError::Allow", "log"] {
        assert!(sdk.has(there), "{there}");
    }
    let absent = [
        "Request::status",
        "headers::Headers::insert",
        "Headers",
        "hooks::CallResponse::status",
        "call::CallResponse::resume_request",
        "abi::needs",
        "runtime",
    ];
    for absent in absent {
        assert!(!sdk.has(absent), "{absent}");
    }
}
