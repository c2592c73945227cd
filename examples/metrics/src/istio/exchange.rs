//! How workloads tell each other who they are: metadata in a header, in base64 of `google.protobuf.Struct`.

use base64ct::{Base64, Base64Unpadded, Encoding};
use prost::Message;
use prost_types::{Struct, Value, value::Kind};

use super::workload::Workload;

/// Who it is: the id of the node.
pub(crate) const ID_HEADER: &str = "x-envoy-peer-metadata-id";
/// What it is.
pub(crate) const METADATA_HEADER: &str = "x-envoy-peer-metadata";

/// The keys of a node's metadata that are told.
const TEXTS: [&str; 7] = ["NAME", "NAMESPACE", "OWNER", "WORKLOAD_NAME", "ISTIO_VERSION", "MESH_ID", "CLUSTER_ID"];

/// How many letters of a text are kept: more than a label shows.
const LONGEST: usize = 128;

/// What a workload tells of itself: some of its node's metadata, of which `text` and `labels` know.
pub(crate) fn encoded(text: impl Fn(&str) -> Option<String>, labels: Vec<(String, String)>) -> String {
    let value = |text: String| Value { kind: Some(Kind::StringValue(text)) };
    let mut told = Struct::default();
    for key in TEXTS {
        if let Some(text) = text(key) {
            told.fields.insert(key.to_owned(), value(text));
        }
    }
    if !labels.is_empty() {
        let fields = labels.into_iter().map(|(name, label)| (name, value(label))).collect();
        told.fields.insert("LABELS".to_owned(), Value { kind: Some(Kind::StructValue(Struct { fields })) });
    }
    Base64::encode_string(&told.encode_to_vec())
}

/// What a header tells of a workload; nothing, if it is not what a workload would say.
pub(crate) fn decoded(header: &[u8]) -> Option<Workload> {
    let header = std::str::from_utf8(header).ok()?;
    let bytes = Base64::decode_vec(header).or_else(|_| Base64Unpadded::decode_vec(header)).ok()?;
    let told = Struct::decode(bytes.as_slice()).ok()?;
    let labels = match told.fields.get("LABELS").and_then(|labels| labels.kind.as_ref()) {
        Some(Kind::StructValue(labels)) => labels.clone(),
        _ => Struct::default(),
    };
    let workload = Workload {
        name: text(&told, "WORKLOAD_NAME"),
        namespace: text(&told, "NAMESPACE"),
        app: text(&labels, "app"),
        version: text(&labels, "version"),
        service: text(&labels, "service.istio.io/canonical-name"),
        revision: text(&labels, "service.istio.io/canonical-revision"),
        cluster: text(&told, "CLUSTER_ID"),
    };
    Some(workload.known())
}

fn text(of: &Struct, key: &str) -> String {
    match of.fields.get(key).and_then(|value| value.kind.as_ref()) {
        Some(Kind::StringValue(text)) => text.chars().take(LONGEST).collect(),
        _ => String::new(),
    }
}
