use filters::{
    bodies::Rewrite,
    calls::AskFirst,
    headers::{EditHeaders, Reply},
};
use inproxy_test::{Proxy, Request, Response, json};

#[inproxy_test::test]
async fn a_request_meets_the_filters_in_order_and_the_response_in_reverse(proxy: Proxy<EditHeaders>) {
    let edits = |name: &str, response: bool| json!({ "response": response, "append": [["x-way", name.as_bytes()]] });
    let proxy = proxy.configure(edits("one", false)).then::<EditHeaders>(edits("two", false));
    let proxy = proxy.then::<EditHeaders>(edits("three", true)).then::<EditHeaders>(edits("four", true)).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!(proxy.upstream().request().headers("x-way"), ["one", "two"]);
    assert_eq!(response.headers("x-way"), ["four", "three"]);
}

#[inproxy_test::test]
async fn bodies_are_rewritten_by_each(proxy: Proxy<Rewrite>) {
    let proxy = proxy.configure(json!({ "prefix": "1" })).then::<Rewrite>(json!({ "prefix": "2" }));
    let proxy = proxy.then::<Rewrite>(json!({ "prefix": "3", "response": true })).then::<Rewrite>(json!({ "prefix": "4", "response": true }));
    let proxy = proxy.upstream(|_| Response::new(200).with_body("down")).start().await;
    let response = proxy.send(Request::post("/").with_body("up")).await;
    assert_eq!(proxy.upstream().request().text(), "21up");
    assert_eq!(response.text(), "34down");
}

#[inproxy_test::test]
async fn a_reply_is_shown_to_the_filters_before_it_only(proxy: Proxy<EditHeaders>) {
    let seen = |name: &str| json!({ "response": true, "append": [["x-seen", name.as_bytes()]] });
    let proxy = proxy.configure(seen("before")).then::<Reply>(json!({ "status": 403 })).then::<EditHeaders>(seen("behind")).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.headers("x-seen")), (403, vec!["before"]));
}

#[inproxy_test::test]
async fn one_waits_for_its_answer_behind_another_that_reads_the_body(proxy: Proxy<Rewrite>) {
    let proxy = proxy.configure(json!({ "prefix": "read-" })).then::<AskFirst>(json!({ "authority": "authority" }));
    let proxy = proxy.cluster("authority", |_| Response::new(200).after(std::time::Duration::from_millis(30))).start().await;
    assert_eq!(proxy.send(Request::post("/").with_body("body")).await.status(), 200);
    assert_eq!(proxy.upstream().request().text(), "read-body");
}
