use prost::Message;

use super::{
    super::{
        proto::google::{
            protobuf::{ListValue, Struct, Value, value::Kind},
            rpc,
        },
        told::Body,
    },
    *,
};
use crate::checks::ext_authz::proto::envoy::r#type::v3::HttpStatus;

fn service() -> Grpc {
    let context_extensions = [("tenant".to_owned(), "acme".to_owned())].into();
    Grpc {
        allowed_headers: Names::default(),
        disallowed_headers: Names::default(),
        context_extensions,
        pack_as_bytes: false,
        filter_state: None,
        failure: Failure::default(),
    }
}

fn told(body: Option<Body>) -> Told {
    let headers = [
        (":method", "POST"),
        (":path", "/a?b=c"),
        (":authority", "shop"),
        (":scheme", "https"),
        ("x-request-id", "id-1"),
        ("x-a", "1"),
        ("x-b", "b\u{fffd}"),
        ("x-a", "2"),
        (PARTIAL_BODY, "a lie"),
    ];
    let mut headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    headers[6].1 = b"b\xff\xfe".to_vec();
    Told {
        headers,
        source: Peer { address: "10.1.2.3:4567".parse().ok(), principal: "spiffe://alice".into() },
        destination: Peer { address: "[::1]:443".parse().ok(), principal: String::new() },
        protocol: "HTTP/2".into(),
        size: 12,
        time: UNIX_EPOCH.checked_add(std::time::Duration::new(5, 6)),
        body,
    }
}

/// As it comes out of its bytes: nothing of it is lost.
fn asked(grpc: &Grpc, body: Option<Body>) -> (AttributeContext, context::HttpRequest) {
    let bytes = grpc.question(told(body)).encode_to_vec();
    let attributes = CheckRequest::decode(bytes.as_slice()).unwrap().attributes.unwrap();
    let http = attributes.request.clone().unwrap().http.unwrap();
    (attributes, http)
}

#[test]
fn the_service_is_told_who_asks_for_what() {
    let (attributes, http) = asked(&service(), None);
    let text = |peer: &context::Peer| match peer.address.clone().unwrap().address.unwrap() {
        core::address::Address::SocketAddress(socket) => match socket.port_specifier.unwrap() {
            core::socket_address::PortSpecifier::PortValue(port) => format!("{} {port}", socket.address),
        },
    };
    let (source, destination) = (attributes.source.unwrap(), attributes.destination.unwrap());
    assert_eq!((text(&source).as_str(), source.principal.as_str(), text(&destination).as_str()), ("10.1.2.3 4567", "spiffe://alice", "::1 443"));
    let time = attributes.request.unwrap().time.unwrap();
    assert_eq!((time.seconds, time.nanos, attributes.context_extensions.get("tenant").map(String::as_str)), (5, 6, Some("acme")));
    assert_eq!([http.id, http.method, http.path, http.host, http.scheme, http.protocol], ["id-1", "POST", "/a?b=c", "shop", "https", "HTTP/2"]);
    let header = |name: &str| http.headers.get(name).map(String::as_str);
    assert_eq!(
        (http.size, header("x-a"), header("x-b"), header(":path"), header(PARTIAL_BODY)),
        (12, Some("1,2"), Some("b!!"), Some("/a?b=c"), None)
    );
}

#[test]
fn the_service_is_told_of_the_headers_that_it_may_know() {
    let names = |pattern: &str| Names::try_new(&[pattern.to_owned()]).unwrap();
    let some = Grpc { allowed_headers: names("x-*"), disallowed_headers: names("x-b"), ..service() };
    assert_eq!(asked(&some, None).1.headers.into_keys().collect::<Vec<_>>(), ["x-a", "x-request-id"]);
}

#[test]
fn a_body_is_text_or_bytes() {
    let body = || Some(Body { bytes: b"a\xffb".to_vec(), is_partial: true });
    let (_, http) = asked(&service(), body());
    assert_eq!((http.body.as_str(), http.raw_body.as_slice(), http.headers.get(PARTIAL_BODY).map(String::as_str)), ("a!b", &b""[..], Some("true")));
    let (_, http) = asked(&Grpc { pack_as_bytes: true, ..service() }, body());
    assert_eq!((http.body.as_str(), http.raw_body.as_slice()), ("", &b"a\xffb"[..]));
}

#[expect(deprecated, reason = "it is one of its fields")]
fn option(key: &str, value: &str, append: Option<bool>, append_action: i32) -> core::HeaderValueOption {
    let header = core::HeaderValue { key: key.into(), value: value.into(), raw_value: Vec::new() };
    core::HeaderValueOption { header: Some(header), append, append_action }
}

fn yes(ok: OkHttpResponse) -> CheckResponse {
    CheckResponse { status: None, dynamic_metadata: None, http_response: Some(HttpResponse::OkResponse(ok)) }
}

fn no(code: i32, status: i32, headers: Vec<core::HeaderValueOption>, body: &str) -> CheckResponse {
    let status_of = |code| Some(HttpStatus { code });
    let denied = DeniedHttpResponse { status: status_of(status), headers, body: body.into() };
    CheckResponse {
        status: Some(rpc::Status { code, message: String::new() }),
        dynamic_metadata: None,
        http_response: Some(HttpResponse::DeniedResponse(denied)),
    }
}

#[test]
fn each_action_does_what_it_says() {
    for (append, action, expected) in [
        (None, 0, Edit::Append as fn(String, Vec<u8>) -> Edit),
        (None, 1, Edit::AddIfAbsent),
        (None, 2, Edit::Set),
        (None, 3, Edit::SetIfPresent),
        (Some(true), 2, Edit::Append),
        (Some(false), 0, Edit::Set),
    ] {
        let one = || vec![option("X-A", "1", append, action)];
        let Ok(Verdict::Allow(edits)) =
            service().verdict(yes(OkHttpResponse { headers: one(), response_headers_to_add: one(), ..OkHttpResponse::default() }))
        else {
            panic!("a yes")
        };
        let edit = [expected("x-a".into(), b"1".to_vec())];
        assert_eq!((edits.request.as_slice(), edits.response.as_slice()), (&edit[..], &edit[..]), "{append:?} {action}");
    }
}

#[test]
fn a_yes_changes_headers_and_query_but_not_what_belongs_to_the_connection() {
    let set = |names: &[&str]| names.iter().map(|name| option(name, "v", None, 2)).collect::<Vec<_>>();
    let ok = OkHttpResponse {
        headers: set(&["content-length", "Transfer-Encoding", "connection", ":status", ":path", "Host"]),
        response_headers_to_add: set(&[":status", "content-length", "x-r"]),
        headers_to_remove: ["Authorization", ":path", "host", "a b"].map(str::to_owned).to_vec(),
        query_parameters_to_set: vec![core::QueryParameter { key: "a".into(), value: "1".into() }],
        query_parameters_to_remove: vec!["b".into()],
        ..OkHttpResponse::default()
    };
    let Ok(Verdict::Allow(edits)) = service().verdict(yes(ok)) else { panic!("a yes") };
    let v = || b"v".to_vec();
    assert_eq!(
        edits.request,
        [
            Edit::Set(":path".into(), v()),
            Edit::Set(":authority".into(), v()),
            Edit::Remove("authorization".into()),
            Edit::SetParameter("a".into(), "1".into()),
            Edit::RemoveParameter("b".into())
        ]
    );
    assert_eq!(edits.response, [Edit::Set("x-r".into(), v())]);
}

#[test]
fn what_a_service_says_beside_its_decision_is_json() {
    let value = |kind| Value { kind: Some(kind) };
    let list = ListValue {
        values: vec![value(Kind::NumberValue(1.5)), value(Kind::NullValue(0)), value(Kind::NumberValue(f64::NAN)), Value { kind: None }],
    };
    let metadata = Struct {
        fields: [
            ("user".into(), value(Kind::StringValue("al\"ice".into()))),
            ("list".into(), value(Kind::ListValue(list))),
            ("yes".into(), value(Kind::BoolValue(true))),
        ]
        .into(),
    };
    let answer = CheckResponse { dynamic_metadata: Some(metadata), ..CheckResponse::default() };
    assert_eq!(service().verdict(answer.clone()), Ok(Verdict::allow()));
    let named = Grpc { filter_state: Some("authz".into()), ..service() };
    let Ok(Verdict::Allow(edits)) = named.verdict(answer) else { panic!("a yes") };
    assert_eq!(edits.filter_state, [("authz".to_owned(), br#"{"list":[1.5,null,null,null],"user":"al\"ice","yes":true}"#.to_vec())]);
}

#[test]
fn a_no_is_403_unless_it_says_otherwise() {
    for (answer, status, code, body) in [
        (no(7, 0, vec![], ""), 403, Code::PERMISSION_DENIED, ""),
        (no(16, 0, vec![], "who"), 403, Code::UNAUTHENTICATED, "who"),
        (no(7, 401, vec![], "who"), 401, Code::UNAUTHENTICATED, "who"),
        (no(-1, 429, vec![], ""), 429, Code::UNAVAILABLE, ""),
        (no(99, 0, vec![], ""), 403, Code::PERMISSION_DENIED, ""),
        (no(7, 204, vec![], "no body"), 204, Code::UNKNOWN, ""),
        (
            CheckResponse { status: Some(rpc::Status { code: 7, message: "secret".into() }), ..CheckResponse::default() },
            403,
            Code::PERMISSION_DENIED,
            "",
        ),
    ] {
        let Ok(Verdict::Deny(denial)) = service().verdict(answer) else { panic!("a no") };
        assert_eq!((denial.http(), denial.code, denial.direct.body.as_deref()), (status, code, Some(body.as_bytes())));
    }
    let headers = vec![
        option("a", "1", None, 0),
        option("a", "2", None, 0),
        option("a", "3", None, 1),
        option("b", "1", None, 3),
        option("b", "2", None, 1),
        option("b", "3", Some(false), 0),
        option("connection", "close", None, 0),
    ];
    let Ok(Verdict::Deny(denial)) = service().verdict(no(7, 0, headers, "")) else { panic!("a no") };
    let said: Vec<_> = denial.direct.headers.iter().map(|(name, value)| (name.as_str(), std::str::from_utf8(value).unwrap())).collect();
    assert_eq!(said, [("a", "1"), ("a", "2"), ("b", "3")]);
}

#[test]
fn what_cannot_be_used_is_no_decision() {
    let with = |header: core::HeaderValueOption| yes(OkHttpResponse { headers: vec![header], ..OkHttpResponse::default() });
    let mut nameless = option("a", "1", None, 0);
    nameless.header = None;
    for (answer, reason) in [
        (with(option("a b", "1", None, 0)), "a header whose name is none"),
        (with(option("", "1", None, 0)), "a header whose name is none"),
        (with(option("a", "1\r\nb: 2", None, 0)), "a header whose value would end it"),
        (with(option("a", "1", None, 4)), "append_action 4"),
        (with(nameless), "a header without a name"),
        (no(7, 99, vec![], ""), "status 99"),
        (no(7, 600, vec![], ""), "status 600"),
        (no(7, 403, vec![option("a", "\0", None, 0)], ""), "a header whose value would end it"),
    ] {
        let undecided = service().verdict(answer).unwrap_err();
        assert!(undecided.reason.contains(reason), "{}", undecided.reason);
        assert_eq!(undecided.denial.http(), 403);
    }
}

#[test]
fn a_service_may_say_that_it_does_not_know() {
    for (said, status) in [(0, 503), (507, 507), (1000, 503)] {
        let error =
            DeniedHttpResponse { status: Some(HttpStatus { code: said }), headers: vec![option("retry-after", "5", None, 0)], body: "later".into() };
        let answer = CheckResponse {
            status: Some(rpc::Status { code: 14, message: String::new() }),
            dynamic_metadata: None,
            http_response: Some(HttpResponse::ErrorResponse(error)),
        };
        let grpc = Grpc { failure: Failure { status_on_error: 503, ..Failure::default() }, ..service() };
        let undecided = grpc.verdict(answer).unwrap_err();
        assert_eq!(undecided.denial.http(), status);
        assert_eq!(undecided.denial.direct.headers.is_empty(), said == 1000);
    }
}
