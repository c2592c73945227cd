use std::time::Duration;

use filters::{bodies::Rewrite, calls::AskFirst};
use inproxy_test::{Proxy, Request, Response, json};

#[inproxy_test::test]
async fn a_client_that_leaves_while_a_call_is_out_leaves_nothing_behind(proxy: Proxy<AskFirst>) {
    let slow = |_: &Request| Response::new(200).after(Duration::from_millis(400));
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster("authority", slow).start().await;
    for _ in 0..3 {
        let exchange = proxy.open(&Request::get("/")).await;
        proxy.advance(Duration::from_millis(60)).await;
        exchange.leave().await;
    }
    proxy.advance(Duration::from_millis(600)).await;
    assert_eq!(proxy.service("authority").requests().len(), 3);
    assert!(proxy.upstream().requests().is_empty());
    assert_eq!(proxy.send(Request::get("/")).await.status(), 200);
}

#[inproxy_test::test]
async fn a_client_that_leaves_in_the_middle_of_a_body_leaves_nothing_behind(proxy: Proxy<Rewrite>) {
    let proxy = proxy.configure(json!({ "prefix": "x" })).start().await;
    for _ in 0..3 {
        let mut exchange = proxy.open(&Request::post("/").with_body("0123456789")).await;
        exchange.body(b"01234").await;
        proxy.advance(Duration::from_millis(10)).await;
        exchange.leave().await;
    }
    assert!(proxy.upstream().requests().is_empty());
    assert_eq!(proxy.send(Request::post("/").with_body("whole")).await.status(), 200);
    assert_eq!(proxy.upstream().request().text(), "xwhole");
}
