//! A filter whose streams wake each other.

use std::{
    cell::RefCell,
    future::poll_fn,
    task::{Poll, Waker},
};

use inproxy::prelude::*;

/// Requests to `/wait` wait until another request comes; then each asks the authority, and goes on.
#[filter]
#[derive(Debug)]
pub struct Gate {
    authority: Cluster,
    waiting: RefCell<Vec<Waker>>,
    opened: RefCell<u32>,
}

/// Who is asked.
#[config]
#[derive(Debug)]
pub struct GateConfig {
    authority: Cluster,
}

impl Configure for Gate {
    type Config = GateConfig;

    fn configure(config: GateConfig, _: &mut Plugin) -> Result<Self> {
        Ok(Self { authority: config.authority, waiting: RefCell::default(), opened: RefCell::default() })
    }
}

impl HttpFilter for Gate {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        if request.path().is_some_and(|path| path == "/wait") {
            let before = *self.opened.borrow();
            poll_fn(|cx| {
                if *self.opened.borrow() > before {
                    return Poll::Ready(());
                }
                self.waiting.borrow_mut().push(cx.waker().clone());
                Poll::Pending
            })
            .await;
            // From the tick of the root: its answer must find this stream.
            let answer = self.authority.get("/").send().await?;
            request.headers_mut().insert("x-answer", answer.body())?;
        } else {
            *self.opened.borrow_mut() += 1;
            self.waiting.take().into_iter().for_each(Waker::wake);
        }
        Ok(next.run(request).await)
    }
}
