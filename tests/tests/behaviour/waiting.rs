use std::time::Duration;

use filters::waiting::{Fickle, Impatient, Refreshed, Sleeper};
use inproxy_test::{Proxy, Request, Response, json};

const SOON: Duration = Duration::from_millis(100);

fn number(response: &Response, name: &str) -> u64 {
    response.header(name).unwrap_or_else(|| panic!("{name} in {response:?}")).parse().unwrap()
}

#[inproxy_test::test]
async fn a_request_and_a_response_wait_as_long_as_they_are_told(proxy: Proxy<Sleeper>) {
    let proxy = proxy.configure(json!({ "before_ms": 30, "after_ms": 50 })).start().await;
    let response = proxy.send(Request::post("/").with_body("the body")).await;
    let (before, all) = (number(&response, "x-before"), number(&response, "x-all"));
    assert!((30..80).contains(&before) && all >= before + 50, "{before} ms, {all} ms");
    assert!(number(&response, "x-epoch") > 1_700_000_000);
    assert_eq!(proxy.upstream().request().text(), "the body");
}

#[inproxy_test::test]
async fn several_wait_at_once_and_each_its_own_time(proxy: Proxy<Sleeper>) {
    let proxy = proxy.configure(json!({ "before_ms": 60 })).start().await;
    let first = proxy.open(&Request::get("/first")).await;
    proxy.advance(Duration::from_millis(25)).await;
    let second = proxy.open(&Request::get("/second")).await;
    proxy.advance(Duration::from_millis(10)).await;
    let gone = proxy.open(&Request::get("/gone")).await;
    gone.leave().await;
    for exchange in [first, second] {
        let waited = number(&exchange.response().await, "x-before");
        assert!((60..120).contains(&waited), "{waited} ms");
    }
    assert_eq!(proxy.upstream().requests().len(), 2);
}

#[inproxy_test::test]
async fn what_takes_too_long_is_not_waited_for(proxy: Proxy<Impatient>) {
    let service = |request: &Request| Response::new(204).after(Duration::from_millis(if request.path() == "/" { 400 } else { 0 }));
    let proxy = proxy.configure(json!({ "service": "service", "patience_ms": 40 })).cluster("service", service).start().await;
    proxy.send(Request::get("/")).await.expect_header("x-outcome", "it took longer than 40 ms");
    // The answer that comes now is nobody's.
    proxy.advance(Duration::from_millis(500)).await;
    proxy.send(Request::get("/")).await.expect_header("x-outcome", "it took longer than 40 ms");
}

#[inproxy_test::test]
async fn what_comes_in_time_is_there_at_once(proxy: Proxy<Impatient>) {
    let proxy = proxy.configure(json!({ "service": "service", "patience_ms": 5000 })).cluster("service", |_| Response::new(204)).start().await;
    proxy.send(Request::get("/")).await.expect_header("x-outcome", "204");
}

#[inproxy_test::test]
async fn a_task_of_the_plugin_asks_again_and_again(proxy: Proxy<Refreshed>) {
    let source = |request: &Request| Response::new(200).with_body(format!("answer of {}", request.path()));
    let configuration = json!({ "source": "source", "path": "/list", "period_ms": 20 });
    let proxy = proxy.configure(configuration).cluster("source", source).start().await;
    proxy.advance(SOON).await;
    proxy.send(Request::get("/")).await.expect_header("x-latest", "answer of /list");
    let asked = proxy.service("source").requests().len();
    assert!(asked >= 3, "{asked}");
    proxy.advance(SOON).await;
    assert!(proxy.service("source").requests().len() > asked);
}

#[inproxy_test::test]
async fn a_task_that_a_request_has_started_outlives_it(proxy: Proxy<Refreshed>) {
    let configuration = json!({ "source": "source", "path": "/list", "period_ms": 10_000 });
    let proxy = proxy.configure(configuration).cluster("source", |_| Response::new(200)).start().await;
    for expected in ["0", "1", "2", "3"] {
        proxy.send(Request::get("/")).await.expect_header("x-requests", expected);
        proxy.advance(SOON).await;
    }
}

#[inproxy_test::test]
async fn after_an_update_the_new_tasks_are_at_work(proxy: Proxy<Refreshed>) {
    let configuration = |path: &str| json!({ "source": "source", "path": path, "period_ms": 20 });
    let source = |request: &Request| Response::new(200).with_body(format!("answer of {}", request.path()));
    let mut proxy = proxy.configure(configuration("/old")).cluster("source", source).start().await;
    proxy.advance(SOON).await;
    proxy.send(Request::get("/")).await.expect_header("x-latest", "answer of /old");
    proxy.update(configuration("/new")).await.unwrap();
    proxy.advance(SOON).await;
    proxy.send(Request::get("/")).await.expect_header("x-latest", "answer of /new");
}

#[inproxy_test::test]
async fn a_configuration_that_is_refused_leaves_no_task_behind(proxy: Proxy<Refreshed>) {
    let configuration = |path: &str| json!({ "source": "source", "path": path, "period_ms": 20 });
    let mut proxy = proxy.configure(configuration("/good")).cluster("source", |_| Response::new(200)).start().await;
    proxy.update(configuration("/refused")).await.unwrap_err();
    proxy.advance(SOON).await;
    assert!(proxy.service("source").requests().iter().all(|request| request.path() == "/good"));
}

#[inproxy_test::test]
async fn what_a_record_says_in_keys_and_values_is_logged_behind_its_text(proxy: Proxy<Refreshed>) {
    let configuration = json!({ "source": "source", "path": "/list", "period_ms": 20 });
    let proxy = proxy.configure(configuration).cluster_without_endpoints("source").start().await;
    proxy.advance(SOON).await;
    proxy.expect_log("the source has no answer path=/list error=cluster \"source\" has no healthy endpoint").await;
}

#[inproxy_test::test]
async fn a_timer_that_is_set_and_taken_away_in_one_tick_leaves_the_tick_to_others(proxy: Proxy<Fickle>) {
    let proxy = proxy.start().await;
    for _ in 0..3 {
        assert_eq!(proxy.send(Request::get("/")).await.status(), 200);
        proxy.advance(SOON).await;
    }
}
