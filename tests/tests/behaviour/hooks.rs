use filters::{adversarial::LateRefusal, hooks::HookAsk};
use inproxy_test::{Proxy, Request, Response, json};

#[inproxy_test::test]
async fn callbacks_hold_ask_and_resume(proxy: Proxy<HookAsk>) {
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster("authority", |_| Response::new(200)).start().await;
    let response = proxy.send(Request::post("/log-me").with_body("body")).await;
    assert_eq!((response.status(), response.header("x-hook")), (200, Some("answered")));
    let seen = proxy.upstream().request();
    assert_eq!((seen.header("x-hook"), seen.text()), (Some("asked"), "body"));
    proxy.expect_log(r#"finished Some("/log-me"), verdict Some(200), replied false"#).await;
}

#[inproxy_test::test]
async fn callbacks_answer_and_are_not_shown_their_own_reply(proxy: Proxy<HookAsk>) {
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster("authority", |_| Response::new(403)).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.header("x-hook")), (403, None));
    assert!(proxy.upstream().requests().is_empty());
    proxy.expect_log("verdict Some(403), replied true").await;
}

#[inproxy_test::test]
async fn the_defaults_for_bodies_hold_what_the_headers_hold(proxy: Proxy<HookAsk>) {
    let proxy = proxy.configure(json!({ "authority": "authority" })).hold_headers().cluster("authority", |_| Response::new(403)).start().await;
    assert_eq!(proxy.send(Request::post("/").with_body("body").with_trailer("x-trailer", "t")).await.status(), 403);
    assert!(proxy.upstream().requests().is_empty());
}

#[inproxy_test::test]
async fn a_call_that_is_refused_is_answered_at_once(proxy: Proxy<HookAsk>) {
    let proxy = proxy.configure(json!({ "authority": "nowhere" })).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 503);
}

#[inproxy_test::test]
async fn of_two_refusals_the_first_is_sent(proxy: Proxy<LateRefusal>) {
    let slow = |_: &Request| Response::new(200).after(std::time::Duration::from_millis(100));
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster("authority", |_| Response::new(403)).upstream(slow).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 403);
}
