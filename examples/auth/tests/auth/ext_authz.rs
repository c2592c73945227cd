//! External authorization. The service's messages are those that the filter is generated from.

mod bodies;
mod decisions;
mod failures;
mod grpc;
mod http;
#[path = "../../src/checks/ext_authz/proto.rs"]
mod proto;

use auth::Auth;
use inproxy_test::{GrpcCall, GrpcReply, Proxy, Value, json};
use prost::Message;

use self::proto::{
    envoy::{
        config::core::v3::{HeaderValue, HeaderValueOption},
        service::auth::v3::{
            CheckRequest, CheckResponse, DeniedHttpResponse, OkHttpResponse, attribute_context::HttpRequest, check_response::HttpResponse,
        },
        r#type::v3::HttpStatus,
    },
    google::rpc::Status,
};

/// A proxy with one check, which every request needs.
fn guarded(proxy: Proxy<Auth>, check: &Value) -> Proxy<Auth> {
    proxy.configure(json!({ "checks": { "authz": { "ext_authz": check } }, "rules": [{ "require": "authz" }] })).metric_labels(["check", "outcome"])
}

/// Settings with more fields.
fn with(mut settings: Value, more: &Value) -> Value {
    let fields = settings.as_object_mut().expect("settings are an object");
    fields.extend(more.as_object().expect("more fields are an object").clone());
    settings
}

/// What a service was asked.
fn asked(call: &GrpcCall) -> HttpRequest {
    let request = CheckRequest::decode(call.message()).expect("it is a CheckRequest");
    request.attributes.and_then(|attributes| attributes.request?.http).expect("it is about an HTTP request")
}

fn yes(ok: OkHttpResponse) -> GrpcReply {
    GrpcReply::message(CheckResponse { http_response: Some(HttpResponse::OkResponse(ok)), ..CheckResponse::default() }.encode_to_vec())
}

fn no(status: i32, headers: Vec<HeaderValueOption>, body: &str) -> GrpcReply {
    let denied = DeniedHttpResponse { status: Some(HttpStatus { code: status }), headers, body: body.into() };
    let status = Status { code: 7, message: String::new() };
    GrpcReply::message(
        CheckResponse { status: Some(status), dynamic_metadata: None, http_response: Some(HttpResponse::DeniedResponse(denied)) }.encode_to_vec(),
    )
}

/// A header and what it does: 0 appends, 1 adds if absent, 2 overwrites, 3 overwrites if it is there.
fn header(name: &str, value: &str, append_action: i32) -> HeaderValueOption {
    let header = HeaderValue { key: name.into(), value: value.into(), raw_value: Vec::new() };
    HeaderValueOption { header: Some(header), append_action, ..HeaderValueOption::default() }
}
