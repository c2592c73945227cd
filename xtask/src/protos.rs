//! `cargo protos`: the messages of Envoy's services as Rust, made from the .proto files that the crate `envoy-types` ships. Of them only what is used: in a module each message has its weight.

mod pruned;
mod sources;

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    io::Write,
    path::Path,
    process::{Command, ExitCode, Stdio},
};

use prost_build::Module;
use prost_types::FileDescriptorSet;

use self::pruned::Wanted;

/// One generated file.
struct Generated {
    /// Where it is; it may be in several crates.
    paths: &'static [&'static str],
    /// What it is made from.
    proto: &'static str,
    wanted: Wanted,
}

const GENERATED: &[Generated] = &[AUTHORIZATION, RATE_LIMIT];

const AUTHORIZATION: Generated = Generated {
    paths: &["examples/auth/src/checks/ext_authz/proto.rs"],
    proto: "envoy/service/auth/v3/external_auth.proto",
    wanted: Wanted {
        messages: &[".envoy.service.auth.v3.CheckRequest", ".envoy.service.auth.v3.CheckResponse"],
        without: &[
            ".envoy.config.core.v3.Address.envoy_internal_address",
            ".envoy.config.core.v3.Address.pipe",
            ".envoy.config.core.v3.HeaderValueOption.keep_empty_value",
            ".envoy.config.core.v3.SocketAddress.ipv4_compat",
            ".envoy.config.core.v3.SocketAddress.named_port",
            ".envoy.config.core.v3.SocketAddress.network_namespace_filepath",
            ".envoy.config.core.v3.SocketAddress.protocol",
            ".envoy.config.core.v3.SocketAddress.resolver_name",
            ".envoy.service.auth.v3.AttributeContext.HttpRequest.fragment",
            ".envoy.service.auth.v3.AttributeContext.HttpRequest.header_map",
            ".envoy.service.auth.v3.AttributeContext.HttpRequest.query",
            ".envoy.service.auth.v3.AttributeContext.Peer.certificate",
            ".envoy.service.auth.v3.AttributeContext.Peer.labels",
            ".envoy.service.auth.v3.AttributeContext.metadata_context",
            ".envoy.service.auth.v3.AttributeContext.route_metadata_context",
            ".envoy.service.auth.v3.AttributeContext.tls_session",
            ".google.rpc.Status.details",
        ],
        // Enums of which the number is enough.
        as_numbers: &[".envoy.config.core.v3.HeaderValueOption.HeaderAppendAction", ".envoy.type.v3.StatusCode", ".google.protobuf.NullValue"],
    },
};

const RATE_LIMIT: Generated = Generated {
    paths: &["examples/rate-limit/src/global/proto.rs", "examples/quota-service/src/proto.rs"],
    proto: "envoy/service/ratelimit/v3/rls.proto",
    wanted: Wanted {
        messages: &[".envoy.service.ratelimit.v3.RateLimitRequest", ".envoy.service.ratelimit.v3.RateLimitResponse"],
        without: &[
            ".envoy.config.core.v3.HeaderValue.raw_value",
            ".envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.hits_addend",
            ".envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.is_negative_hits",
            ".envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.limit",
            ".envoy.service.ratelimit.v3.RateLimitResponse.dynamic_metadata",
            ".envoy.service.ratelimit.v3.RateLimitResponse.quota",
            ".envoy.service.ratelimit.v3.RateLimitResponse.DescriptorStatus.quota",
        ],
        as_numbers: &[".envoy.service.ratelimit.v3.RateLimitResponse.RateLimit.Unit"],
    },
};

const HEAD: &str = "\
// Made by `cargo protos` from the .proto files of the crate `envoy-types`; not to be changed by hand.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::all, reason = \"generated\")]

";

/// Writes the files; or, to check them, says which of them is another than would be written.
pub(crate) fn run(check: bool) -> Result<ExitCode, Box<dyn Error>> {
    let includes = sources::folders()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut code = ExitCode::SUCCESS;
    for generated in GENERATED {
        let descriptors = protox::compile([generated.proto], &includes)?;
        let text = rustfmt(&root, &to_rust(pruned::prune(descriptors, &generated.wanted)?)?)?;
        for name in generated.paths {
            let path = root.join(name);
            if fs::read_to_string(&path).is_ok_and(|there| there == text) {
                continue;
            }
            if check {
                eprintln!("{name} is not what `cargo protos` makes");
                code = ExitCode::FAILURE;
            } else {
                fs::write(path, &text)?;
                println!("{name} was written");
            }
        }
    }
    Ok(code)
}

/// One file, with a module for each part of a package's name, as the generated code expects.
fn to_rust(descriptors: FileDescriptorSet) -> Result<String, Box<dyn Error>> {
    let requests = descriptors.file.into_iter().map(|file| (Module::from_protobuf_package_name(file.package()), file)).collect();
    let modules = prost_build::Config::new()
        .btree_map(["."])
        .compile_well_known_types()
        .extern_path(".google.protobuf.BoolValue", "bool")
        .skip_debug(["."])
        .disable_comments(["."])
        .generate(requests)?;
    let mut tree = Tree::default();
    for (module, code) in modules {
        let place = module.parts().fold(&mut tree, |tree, part| tree.modules.entry(part.to_owned()).or_default());
        place.code.push_str(&code);
    }
    Ok(format!("{HEAD}{}", tree.to_rust()))
}

/// Modules within modules.
#[derive(Default)]
struct Tree {
    code: String,
    modules: BTreeMap<String, Tree>,
}

// === impl Tree ===

impl Tree {
    fn to_rust(&self) -> String {
        let name = |name: &str| if name == "type" { "r#type".to_owned() } else { name.to_owned() };
        let inner = self.modules.iter().map(|(part, tree)| format!("pub mod {} {{\n{}}}\n", name(part), tree.to_rust()));
        self.code.clone() + &inner.collect::<String>()
    }
}

fn rustfmt(root: &Path, text: &str) -> Result<String, Box<dyn Error>> {
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--edition", "2024", "--config-path"]).arg(root);
    let mut running = rustfmt.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    running.stdin.take().ok_or("rustfmt cannot be written to")?.write_all(text.as_bytes())?;
    let done = running.wait_with_output()?;
    if done.status.success() { Ok(String::from_utf8(done.stdout)?) } else { Err("rustfmt failed".into()) }
}
