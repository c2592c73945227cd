use std::time::Duration;

use filters::wakes::Gate;
use inproxy_test::{Proxy, Request, Response, json};

#[inproxy_test::test]
async fn a_stream_that_another_one_wakes_runs_and_its_calls_are_answered(proxy: Proxy<Gate>) {
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster("authority", |_| Response::new(200).with_body("fine")).start().await;
    for _ in 0..2 {
        let mut waiting = Vec::new();
        for _ in 0..3 {
            waiting.push(proxy.open(&Request::get("/wait")).await);
        }
        proxy.advance(Duration::from_millis(30)).await;
        assert_eq!(proxy.send(Request::get("/open")).await.status(), 200);
        for exchange in waiting {
            assert_eq!(exchange.response().await.status(), 200);
        }
    }
    let upstream = proxy.upstream();
    assert_eq!(upstream.requests().iter().filter(|request| request.header("x-answer") == Some("fine")).count(), 6);
}

#[inproxy_test::test]
async fn a_stream_that_is_gone_when_it_is_woken_is_left_alone(proxy: Proxy<Gate>) {
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster("authority", |_| Response::new(200)).start().await;
    let left = proxy.open(&Request::get("/wait")).await;
    proxy.advance(Duration::from_millis(20)).await;
    left.leave().await;
    for _ in 0..2 {
        assert_eq!(proxy.send(Request::get("/open")).await.status(), 200);
    }
    proxy.advance(Duration::from_millis(20)).await;
    assert!(proxy.service("authority").requests().is_empty());
}

#[inproxy_test::test(only(native), because = "elsewhere VMs share no memory")]
async fn a_vm_in_another_thread_takes_no_wake_up_away(proxy: Proxy<Gate>) {
    let (host, name) = proxy.host();
    let vm = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let proxy = Proxy::<Gate>::on(host, name).configure(json!({ "authority": "authority" }));
            let proxy = proxy.cluster("authority", |_| Response::new(200)).start().await;
            for _ in 0..2000 {
                let waiting = proxy.open(&Request::get("/wait")).await;
                assert_eq!(proxy.send(Request::get("/open")).await.status(), 200);
                assert_eq!(waiting.response().await.status(), 200);
                proxy.forget();
            }
        });
    };
    let vms: Vec<_> = (0..4).map(|_| std::thread::spawn(vm)).collect();
    for vm in vms {
        vm.join().expect("every request was answered");
    }
}
