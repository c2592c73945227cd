//! A filter whose streams wait for all that there is, in many orders, and look whether they are still themselves.

use std::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    rc::Rc,
    task::{Poll, Waker},
    time::Duration,
};

use inproxy::{grpc::Raw, headers::HeadersMut, prelude::*, queue::Queue, time};

/// Waits for a call-out, a gRPC call, a timer, a message of a queue and another stream, in an order that depends on the request's number, before the request and before the response.
#[filter(root_id = "shuffle")]
#[derive(Debug)]
pub struct Shuffle {
    settings: Settings,
    queue: Queue,
    bell: Rc<Bell>,
}

/// Whom [`Shuffle`] asks.
#[config]
#[derive(Debug)]
pub struct Settings {
    service: Cluster,
    grpc: Cluster,
    queue: String,
}

/// Wakes all who wait for it.
#[derive(Debug, Default)]
struct Bell {
    rung: Cell<u64>,
    waiting: RefCell<Vec<Waker>>,
}

impl Bell {
    fn ring(&self) {
        self.rung.set(self.rung.get() + 1);
        self.waiting.take().into_iter().for_each(Waker::wake);
    }

    fn wait(&self) -> impl Future<Output = ()> {
        let before = self.rung.get();
        poll_fn(move |cx| {
            if self.rung.get() > before {
                return Poll::Ready(());
            }
            self.waiting.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
    }
}

impl Configure for Shuffle {
    type Config = Settings;

    fn configure(settings: Settings, plugin: &mut Plugin) -> Result<Self> {
        let queue = Queue::register(&settings.queue)?;
        let bell = Rc::new(Bell::default());
        let rung = Rc::clone(&bell);
        plugin.spawn(async move {
            while queue.receive().await.is_ok() {
                rung.ring();
            }
        });
        Ok(Self { settings, queue, bell })
    }
}

impl Shuffle {
    /// Waits for one thing, and tells what was heard, if that is the stream's own.
    async fn step(&self, kind: u64, id: u64) -> Result<()> {
        match kind % 5 {
            0 => {
                let answer = self.settings.service.get(&format!("/{id}")).send().await?;
                heard(answer.body(), id)
            }
            1 => {
                let answer: Raw = self.settings.grpc.grpc("acme.Echo").call("Echo", &Raw(id.to_string().into_bytes())).send().await?;
                heard(&answer.0, id)
            }
            2 => {
                time::sleep(Duration::from_millis(id * 7 % 40)).await;
                Ok(())
            }
            3 => {
                let bell = self.bell.wait();
                self.queue.enqueue(id.to_string().as_bytes())?;
                // Of several VMs only one is told of messages.
                let _ = time::timeout(Duration::from_millis(60), bell).await;
                Ok(())
            }
            _ => {
                self.bell.ring();
                let _ = time::timeout(Duration::from_millis(id * 3 % 50), self.bell.wait()).await;
                Ok(())
            }
        }
    }

    /// Waits for all, in an order of its own, and looks after each whether the headers are still those of this stream.
    async fn steps(&self, id: u64, message: &mut impl Head) -> Result<()> {
        for step in 0..5 {
            // 1, 2, 3 and 4 all have no divisor in common with 5: each kind comes once.
            self.step(id + step * (1 + id / 5 % 4), id).await?;
            match message.head().get("x-id") {
                Some(own) if own.as_bytes() == id.to_string().as_bytes() => message.head().append("x-step", format!("{id}/{step}"))?,
                other => return Err(Error::msg(format!("stream {id} has the headers of {other:?}"))),
            }
        }
        Ok(())
    }
}

/// What has headers.
trait Head {
    fn head(&mut self) -> HeadersMut<'_>;
}

impl Head for Request {
    fn head(&mut self) -> HeadersMut<'_> {
        self.headers_mut()
    }
}

impl Head for Response {
    fn head(&mut self) -> HeadersMut<'_> {
        self.headers_mut()
    }
}

fn heard(answer: &[u8], id: u64) -> Result<()> {
    if answer == id.to_string().as_bytes() { Ok(()) } else { Err(Error::msg(format!("stream {id} heard {}", answer.escape_ascii()))) }
}

impl HttpFilter for Shuffle {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let id = request.headers().get("x-id").and_then(|id| id.to_str()?.parse().ok()).unwrap_or(0);
        self.steps(id, &mut request).await?;
        let mut response = next.run(request).await;
        self.steps(id, &mut response).await?;
        Ok(response)
    }
}
