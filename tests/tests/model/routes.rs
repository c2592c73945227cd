//! When a route is chosen, and what tells of it.

use inproxy_test::{Proxy, Request, Response, RouteMatch, json};
use inproxy_tests::{Conversation, Probe};

/// A header was changed: the upstream is another one, and attributes tell of it once the request is there.
const CHANGED: Conversation = Conversation::new(
    r#"
    request_headers: get_property xds\0route_name -> 0 "rest"
    request_headers: add_header 0 x-tier gold -> 0
    request_headers: get_property xds\0route_name -> 0 "rest"
    request_headers: get_property xds\0cluster_name -> 0 "upstream"
    response_headers: get_property xds\0route_name -> 0 "by-header"
    response_headers: get_property xds\0cluster_name -> 0 "gold"
"#,
);

/// Filter state alone changes nothing.
const KEPT: Conversation = Conversation::new(
    r#"
    request_headers: set_property tenant acme -> 0
    response_headers: get_property xds\0route_name -> 0 "rest"
"#,
);

/// Unless the choice is forgotten.
const CLEARED: Conversation = Conversation::new(
    r#"
    request_headers: foreign clear_route_cache - -> 0 ""
    request_headers: set_property tenant acme -> 0
    request_headers: get_property xds\0route_name -> 0 "rest"
    response_headers: get_property xds\0route_name -> 0 "by-state"
"#,
);

/// Which an edit does that changes nothing.
const EDITED: Conversation = Conversation::new(
    r#"
    request_headers: set_property tenant acme -> 0
    request_headers: remove_header 0 x-not-there -> 0
    response_headers: get_property xds\0route_name -> 0 "by-state"
"#,
);

/// Or a call in the answer of a call-out.
const CLEARED_LATER: Conversation = Conversation::new(
    r#"
    request_headers: http_call gold 1000 - :method=GET :path=/ :authority=x -> 0
    request_headers: return 1
    http_call_response: set_context $stream -> 0
    http_call_response: replace_header 0 :path /search/x -> 0
    http_call_response: get_property xds\0route_name -> 0 "rest"
    http_call_response: continue_stream 0 -> 0
    response_headers: get_property xds\0route_name -> 0 "by-path"
"#,
);

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn a_route_is_chosen_anew_where_envoy_does(proxy: Proxy<Probe>) {
    let (host, name) = proxy.host();
    for (conversation, to) in [(CHANGED, "gold"), (KEPT, "upstream"), (CLEARED, "acme"), (EDITED, "acme"), (CLEARED_LATER, "search")] {
        let answer = |to: &'static str| move |_: &Request| Response::new(200).with_header("x-to", to);
        let proxy = Proxy::<Probe>::on(host, name)
            .configure_text(&conversation.script())
            .route_to("by-header", RouteMatch::Header { name: "x-tier".to_owned(), value: "gold".to_owned() }, "gold")
            .route_to("by-state", RouteMatch::FilterState { key: "wasm.tenant".to_owned(), value: "acme".to_owned() }, "acme")
            .route_to("by-path", RouteMatch::Path { prefix: "/search".to_owned() }, "search")
            .route("rest", json!({}));
        let proxy =
            proxy.upstream(answer("upstream")).cluster("gold", answer("gold")).cluster("acme", answer("acme")).cluster("search", answer("search"));
        let proxy = proxy.start().await;
        let response = proxy.send(Request::get("/a")).await;
        assert_eq!(response.header("x-to"), Some(to), "{}", conversation.script());
        conversation.expect(&proxy).await;
    }
}
