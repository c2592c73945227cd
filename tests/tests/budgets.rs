use inproxy::__private::Registered;
use inproxy_test::{HostKind, Proxy, Request};
macro_rules! guest {
    ($n:ident, $s:literal) => {
        struct $n;
        impl Registered for $n {
            const ROOT_ID: &'static str = "x";
            const MANIFEST_DIR: &'static str = concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/guests#", $s);
        }
    };
}
guest!(A, "inproxy_check");
guest!(B, "hooks_check");
guest!(C, "raw_check");
guest!(D, "bare_check");
async fn one<F: Registered>() {
    let proxy = Proxy::<F>::on(HostKind::Wasm, "x").configure_text("{}").start().await;
    for _ in 0..10 {
        proxy.send(Request::get("/").with_header("x-key", "secret")).await;
    }
    let b = proxy.costs().unwrap();
    assert_eq!(proxy.send(Request::get("/").with_header("x-key", "secret")).await.status(), 200);
    println!("{} {:?}", F::MANIFEST_DIR, proxy.costs().unwrap().since(&b));
}
#[test]
fn go() {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        one::<A>().await;
        one::<B>().await;
        one::<C>().await;
        one::<D>().await;
    });
}
#[path = "../../benches/guests/examples/inproxy_check.rs"]
mod inproxy_check;
#[test]
fn profile() {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let proxy = Proxy::<inproxy_check::Check>::on(HostKind::Native, "x").configure_text("{}").start().await;
        for _ in 0..1000 {
            proxy.send(Request::get("/").with_header("x-key", "secret")).await;
        }
    });
}
