use filters::attributes::{Attributes, ByPhase, Clients, Kept, KeyByRoute, Peers, Workloads};
use inproxy_test::{Proxy, Request, Response, Running, json};

/// What an attribute is asked for at the wrong time.
fn not_now(path: &str) -> String {
    format!("error: there is no attribute {path} in this phase of the stream")
}

/// A proxy with names and metadata wherever they can be.
async fn start(proxy: Proxy<Attributes>) -> Running {
    let node = json!({ "name": "n", "number": 3, "list": ["a", "b"], "map": { "k": "v" }, "truth": true, "null": null });
    let proxy = proxy.node_metadata(node).route("the-route", json!({ "ns": { "k": "v", "limit": 10 }, "with-null": { "a": null } }));
    let upstream = |_: &Request| Response::new(201).with_header("x-r", "1").with_header("x-r", "2").with_body("abc").with_trailer("x-trailer", "t");
    proxy.cluster_metadata(json!({ "ns": { "k": "c" } })).upstream(upstream).start().await
}

/// Asks for attributes while the request is held, and while the response is; in the callbacks of both, and in ticks between them.
async fn ask(proxy: &Running, table: &[(&str, &str, &str)]) {
    let names = table.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(" ");
    for waits in [false, true] {
        let request = Request::post("/a/b?c=d").with_header("x-a", "1").with_header("x-a", "2").with_body("hello");
        let mut request = request.with_header("user-agent", "test/1").with_header("ask-request", &names).with_header("ask-response", &names);
        if waits {
            request = request.with_header("x-wait", "1");
        }
        let response = proxy.send(request).await;
        assert_eq!(response.status(), 201);
        for (name, at_request, at_response) in table {
            let told = |phase: &str| response.header(&format!("{phase}-{name}").to_lowercase()).map(str::to_owned);
            assert_eq!(told("request").as_deref(), Some(*at_request), "{name} of the request, waits: {waits}");
            assert_eq!(told("response").as_deref(), Some(*at_response), "{name} of the response, waits: {waits}");
        }
    }
}

#[inproxy_test::test]
async fn attributes_of_the_connection_and_of_the_plugin_are_there_in_all_phases(proxy: Proxy<Attributes>) {
    let same = [
        ("source.ip", "127.0.0.1"),
        ("source.port", "true"),
        ("source.text", "true"),
        ("destination.ip", "127.0.0.1"),
        ("destination.port", "true"),
        ("destination.text", "true"),
        ("connection.id", "true"),
        ("connection.mtls", "false"),
        ("connection.requested_server_name", ""),
        ("connection.tls_version", "missing"),
        ("connection.peer.subject", "missing"),
        ("connection.peer.uri_san", "missing"),
        ("connection.peer.dns_san", "missing"),
        ("connection.local.subject", "missing"),
        ("connection.digest", "missing"),
        ("connection.termination_details", "missing"),
        ("connection.transport_failure_reason", "missing"),
        ("plugin_name", "attributes"),
        ("plugin_root_id", "attributes"),
        ("plugin_vm_id", ""),
        ("metadata.ns.k", "missing"),
        ("filter_state.nothing", "missing"),
        ("nothing", "missing"),
    ];
    ask(&start(proxy).await, &same.map(|(name, value)| (name, value, value))).await;
}

#[inproxy_test::test]
async fn attributes_of_the_request_are_there_while_it_is_held(proxy: Proxy<Attributes>) {
    let headers = [
        ("path", "/a/b?c=d"),
        ("url_path", "/a/b"),
        ("query", "c=d"),
        ("host", "test"),
        ("scheme", "http"),
        ("method", "POST"),
        ("useragent", "test/1"),
        ("headers.x-a", "1,2"),
        ("headers.X-A", "1,2"),
        ("referer", "missing"),
        ("headers.x-nothing", "missing"),
    ];
    let held: Vec<_> =
        headers.iter().map(|(name, value)| (format!("request.{name}"), value, not_now(&format!("request.{}", name.to_lowercase())))).collect();
    let mut table: Vec<_> = held.iter().map(|(name, value, later)| (&**name, **value, &**later)).collect();
    let never = not_now("request.duration");
    table.extend([
        ("request.protocol", "HTTP/1.1", "HTTP/1.1"),
        ("request.headers_bytes", "true", "true"),
        ("request.size", "5", "5"),
        ("request.time", "true", "true"),
        ("request.duration", &never, &never),
    ]);
    let proxy = start(proxy).await;
    ask(&proxy, &table).await;
    let response = proxy.send(Request::get("/").with_header("ask-request", "request.id request.query")).await;
    assert_eq!(response.header("request-request.id").map(str::len), Some(36));
    response.expect_header("request-request.query", "");
}

#[inproxy_test::test]
async fn attributes_of_response_and_upstream_are_there_once_it_has_come(proxy: Proxy<Attributes>) {
    let later = [
        ("response.code", "201 Created", "response.code"),
        ("response.code_details", "via_upstream", "response.code_details"),
        ("response.grpc_status", "2", "response.grpc_status"),
        ("response.headers.x-r", "1,2", "response.headers.x-r"),
        ("response.trailers.x-trailer", "missing", "response.trailers.x-trailer"),
        ("upstream.ip", "127.0.0.1", "upstream.address"),
        ("upstream.port", "true", "upstream.port"),
        ("upstream.text", "true", "upstream.address"),
        ("upstream.local_ip", "127.0.0.1", "upstream.local_address"),
        ("upstream.tls_version", "missing", "upstream.tls_version"),
        ("upstream.transport_failure_reason", "", "upstream.transport_failure_reason"),
        ("upstream.cx_pool_ready_duration", "true", "upstream.cx_pool_ready_duration"),
        ("upstream.region", "", "upstream.locality.region"),
        ("upstream.zone", "", "upstream.locality.zone"),
        ("upstream.sub_zone", "", "upstream.locality.sub_zone"),
        ("upstream.peer.subject", "missing", "upstream.subject_peer_certificate"),
        ("upstream.local.uri_san", "missing", "upstream.uri_san_local_certificate"),
        ("upstream.digest", "missing", "upstream.sha256_peer_certificate_digest"),
    ];
    let later: Vec<_> = later.iter().map(|(name, value, path)| (*name, not_now(path), *value)).collect();
    let mut table: Vec<_> = later.iter().map(|(name, before, value)| (*name, &**before, *value)).collect();
    table.extend([
        ("response.flags", "-", "-"),
        ("response.size", "0", "0"),
        ("response.headers_bytes", "false", "true"),
        ("upstream.request_attempt_count", "0", "1"),
        ("upstream.num_endpoints", "1", "1"),
    ]);
    ask(&start(proxy).await, &table).await;
}

#[inproxy_test::test]
async fn names_and_metadata_of_the_configuration_are_typed(proxy: Proxy<Attributes>) {
    let same = [
        ("xds.node.id", "inproxy"),
        ("xds.node.cluster", "inproxy"),
        ("xds.node.region", ""),
        ("xds.node.name", "n"),
        ("xds.node.number", "3"),
        ("xds.node.truth", "true"),
        ("xds.node.list", "a+b"),
        ("xds.node.list.1", "b"),
        ("xds.node.map", "k=v"),
        ("xds.node.map.k", "v"),
        ("xds.node.null", "error: xds.node.metadata.null: read an attribute: the proxy answered serialization failure (3)"),
        ("xds.node.name_as_number", "error: the attribute xds.node.metadata.name has another form than was expected"),
        ("xds.route_name", "the-route"),
        ("xds.virtual_host_name", "all"),
        ("xds.cluster_name", "upstream"),
        ("xds.filter_chain_name", ""),
        ("xds.listener_direction", "Unspecified"),
        ("xds.listener_metadata", "missing"),
        ("xds.virtual_host_metadata", "missing"),
        ("xds.upstream_host_metadata", "missing"),
        ("xds.upstream_host_locality_metadata", "missing"),
        ("xds.cluster_metadata", "c"),
        ("xds.route.k", "v"),
        ("xds.route.limit", "Some(10.0)"),
        ("xds.route.nothing", "None"),
        ("xds.route.entries", "k+limit"),
        (
            "xds.route.with_null",
            "error: xds.route_metadata.filter_metadata.with-null: read an attribute: the proxy answered serialization failure (3)",
        ),
        ("xds.route.empty_key", "error: a segment of an attribute's path must not be empty or have a NUL"),
        ("xds.route.nul", "error: a segment of an attribute's path must not be empty or have a NUL"),
        ("request", "error: request: read an attribute: the proxy answered serialization failure (3)"),
    ];
    ask(&start(proxy).await, &same.map(|(name, value)| (name, value, value))).await;
}

#[inproxy_test::test]
async fn the_source_is_whom_x_forwarded_for_names_unless_the_proxy_is_told_otherwise(proxy: Proxy<Attributes>) {
    let proxy = start(proxy).await;
    for (forwarded, address) in [("192.0.2.7", "192.0.2.7:0"), ("192.0.2.7, 192.0.2.8", "192.0.2.8:0"), ("2001:db8::1", "[2001:db8::1]:0")] {
        let request = Request::get("/").with_header("x-forwarded-for", forwarded).with_header("ask-response", "source.address source.port");
        let response = proxy.send(request).await;
        response.expect_header("response-source.address", address);
        response.expect_header("response-source.port", "true");
    }
}

#[inproxy_test::test]
async fn an_answer_of_the_proxy_has_no_upstream(proxy: Proxy<Attributes>) {
    let proxy = proxy.cluster_without_endpoints("upstream").start().await;
    let response = proxy.send(Request::get("/").with_header("ask-response", "response.flags response.code_details upstream.ip")).await;
    assert_eq!(response.status(), 503);
    response.expect_header("response-response.code_details", "no_healthy_upstream");
    response.expect_header("response-response.flags", "UH");
    response.expect_header("response-upstream.ip", "missing");
}

#[inproxy_test::test]
async fn what_is_held_has_its_attributes(proxy: Proxy<Attributes>) {
    let proxy = proxy.hold_headers().upstream(|_| Response::new(201).with_body("abc")).start().await;
    let response = proxy.send(Request::post("/p").with_header("x-hold", "1").with_body("hello")).await;
    proxy.upstream().request().expect_header("x-held", "/p 127.0.0.1");
    response.expect_header("x-held", "201 Created 127.0.0.1");
}

#[inproxy_test::test]
async fn callbacks_have_the_attributes_of_their_phase(proxy: Proxy<ByPhase>) {
    let proxy = proxy.node_metadata(json!({ "team": "edge" })).upstream(|_| Response::new(201).with_body("abc")).start().await;
    proxy.expect_log("configured on inproxy for edge").await;
    let asked = "request.path request.size response.code source.ip";
    let request = Request::post("/p").with_header("ask-body", asked).with_body("hello");
    let logged = "request.path request.duration response.code response.code_details response.size response.backend_latency upstream.ip";
    assert_eq!(proxy.send(request.with_header("ask-log", logged)).await.status(), 201);
    for (phase, told) in [
        ("request body", vec![("request.path", not_now("request.path")), ("request.size", "5".into()), ("response.code", not_now("response.code"))]),
        ("response headers", vec![("request.path", not_now("request.path")), ("response.code", "201 Created".into())]),
        (
            "response body",
            vec![("request.path", not_now("request.path")), ("response.code", "201 Created".into()), ("source.ip", "127.0.0.1".into())],
        ),
        (
            "log",
            vec![
                ("request.path", "/p".into()),
                ("request.duration", "true".into()),
                ("response.code", "201 Created".into()),
                ("response.code_details", "via_upstream".into()),
                ("response.size", "3".into()),
                ("response.backend_latency", "true".into()),
                ("upstream.ip", "127.0.0.1".into()),
            ],
        ),
    ] {
        for (name, value) in told {
            proxy.expect_log(&format!("{phase}: {name} is {value}")).await;
        }
    }
}

#[inproxy_test::test]
async fn filter_state_is_read_by_the_filters_behind(proxy: Proxy<Kept>) {
    let proxy = proxy.then::<Kept>(json!({})).start().await;
    let response = proxy.send(Request::get("/").with_header("x-tenant", "acme")).await;
    // The response passes the last filter first.
    assert_eq!(response.headers("x-before"), ["\"acme\"", "missing"]);
    assert_eq!(response.headers("x-told"), ["acme acme acme acme"; 2]);
    assert_eq!(response.headers("x-refused"), ["4"; 2]);
    let response = proxy.send(Request::get("/")).await;
    assert_eq!(response.headers("x-before"), ["missing"; 2], "another stream has its own");
}

#[inproxy_test::test(only(native, wasm), because = "Envoy cannot be made to refuse a call")]
async fn what_the_proxy_refuses_is_told_apart(proxy: Proxy<Attributes>) {
    let proxy = proxy.refuse_nth("proxy_get_property", 2, inproxy::abi::Status::INTERNAL_FAILURE).start().await;
    let response = proxy.send(Request::get("/").with_header("ask-request", "request.path")).await;
    response.expect_header("request-request.path", "error: request.path: read an attribute: the proxy answered internal failure (10)");
}

#[inproxy_test::test]
async fn a_client_passes_by_its_address(proxy: Proxy<Clients>) {
    let proxy = proxy.configure(json!({ "allowed": ["127.0.0.1", "2001:db8::1"] })).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 200);
    assert_eq!(proxy.send(Request::get("/").with_header("x-forwarded-for", "2001:db8::1")).await.status(), 200);
    assert_eq!(proxy.send(Request::get("/").with_header("x-forwarded-for", "192.0.2.1")).await.status(), 403);
    proxy.expect_log("refused 192.0.2.1").await;
}

#[inproxy_test::test]
async fn a_client_without_a_certificate_is_no_workload(proxy: Proxy<Workloads>) {
    let proxy = proxy.configure(json!({ "trust_domain": "cluster.local" })).start().await;
    assert_eq!(proxy.send(Request::get("/").with_header("x-workload", "spiffe://cluster.local/ns/a/sa/b")).await.status(), 403);
    assert!(proxy.upstream().requests().is_empty());
}

// ANCHOR: route
#[inproxy_test::test]
async fn a_route_says_whether_a_key_is_needed(proxy: Proxy<KeyByRoute>) {
    let proxy = proxy.route("admin", json!({ "keys": { "required": true, "header": "x-key" } })).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.text()), (401, "x-key is missing\n"));
    assert_eq!(proxy.send(Request::get("/").with_header("x-key", "k")).await.status(), 200);
}
// ANCHOR_END: route

#[inproxy_test::test]
async fn a_route_that_says_nothing_needs_no_key(proxy: Proxy<KeyByRoute>) {
    assert_eq!(proxy.start().await.send(Request::get("/")).await.status(), 200);
}

#[inproxy_test::test]
async fn the_node_of_a_sidecar_says_whose_it_is(proxy: Proxy<Peers>) {
    let node = json!({
        "NAME": "cart-5d4f", "WORKLOAD_NAME": "cart", "NAMESPACE": "shop", "OWNER": "kubernetes://apis/apps/v1/namespaces/shop/deployments/cart",
        "CLUSTER_ID": "east", "MESH_ID": "mesh", "SERVICE_ACCOUNT": "cart-account", "LABELS": { "app": "cart-app" },
    });
    let response = proxy.node_metadata(node).start().await.send(Request::get("/")).await;
    response.expect_header("x-own", "cart-5d4f cart shop kubernetes://apis/apps/v1/namespaces/shop/deployments/cart east mesh cart-account cart-app");
    response.expect_header("x-istio", "missing missing");
}

#[inproxy_test::test]
async fn a_proxy_outside_of_a_mesh_has_no_workload(proxy: Proxy<Peers>) {
    let response = proxy.start().await.send(Request::get("/")).await;
    response.expect_header("x-own", "missing missing missing missing missing missing missing missing");
}

#[inproxy_test::test]
async fn dynamic_metadata_are_what_a_filter_before_has_written(proxy: Proxy<Attributes>) {
    let metadata = json!({ "ns": { "k": "v", "with-null": null }, "envoy.filters.http.jwt_authn": { "payload": { "sub": "alice", "n": 3, "aud": ["a", "b"] } } });
    let proxy = proxy.dynamic_metadata(metadata).start().await;
    let same = [
        ("metadata.ns.k", "v"),
        ("metadata.ns.nothing", "missing"),
        ("metadata.other.k", "missing"),
        ("metadata.ns.with-null", "error: metadata.filter_metadata.ns.with-null: read an attribute: the proxy answered serialization failure (3)"),
    ];
    let names = same.map(|(name, _)| name).join(" ");
    let response = proxy.send(Request::get("/").with_header("ask-request", &names).with_header("ask-response", &names)).await;
    for (name, value) in same {
        response.expect_header(&format!("request-{name}"), value);
        response.expect_header(&format!("response-{name}"), value);
    }
}

#[inproxy_test::test]
async fn filter_state_of_others_is_there_and_is_shared_with_the_upstream(proxy: Proxy<Attributes>) {
    let mut proxy = proxy.filter_state("example.tenant", "acme").start().await;
    let names = "filter_state.example.tenant upstream_filter_state.example.tenant upstream_filter_state.nothing";
    let response = proxy.send(Request::get("/").with_header("ask-request", names).with_header("ask-response", names)).await;
    response.expect_header("request-filter_state.example.tenant", "acme");
    response.expect_header("response-filter_state.example.tenant", "acme");
    response.expect_header("request-upstream_filter_state.example.tenant", &not_now("upstream_filter_state.example.tenant"));
    response.expect_header("response-upstream_filter_state.example.tenant", "acme");
    response.expect_header("response-upstream_filter_state.nothing", "missing");
    assert!(proxy.update(json!({})).await.is_ok(), "the filter is found behind Envoy's own");
}
