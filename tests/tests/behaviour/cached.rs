use filters::cached::AskOnce;
use inproxy_test::{Proxy, Request, Response, json};

#[inproxy_test::test]
async fn a_verdict_is_asked_for_once_until_its_time_is_over_or_others_take_its_place(proxy: Proxy<AskOnce>) {
    let proxy = proxy.configure(json!({ "authority": "authority" }));
    let proxy = proxy.cluster("authority", |request| Response::new(if request.header("x-key") == Some("bad") { 403 } else { 200 })).start().await;
    for (key, now, status, asked) in [
        ("a", 0, 200, 1),
        ("a", 59, 200, 1),
        ("bad", 59, 403, 2),
        ("bad", 59, 403, 2),
        ("a", 60, 200, 3),
        ("b", 61, 200, 4),
        // There is room for two, and "bad" was not asked about for the longest.
        ("a", 61, 200, 4),
        ("bad", 61, 403, 5),
        ("a", 61, 200, 5),
        ("b", 61, 200, 6),
    ] {
        let request = Request::get("/").with_header("x-key", key).with_header("x-now", now.to_string());
        assert_eq!(proxy.send(request).await.status(), status, "{key} at {now}");
        assert_eq!(proxy.service("authority").requests().len(), asked, "{key} at {now}");
    }
}
