//! Plugins of which one does something for all.

use std::{cell::RefCell, rc::Rc, time::Duration};

use inproxy::{prelude::*, queue::Queue, shared::Lease, time};

/// Asks a service again and again, in one VM only.
#[filter(root_id = "leading")]
#[derive(Debug)]
pub struct Leading;

/// Whom [`Leading`] asks.
#[config]
pub struct Led {
    service: Cluster,
    period_ms: u64,
}

impl Configure for Leading {
    type Config = Led;

    fn configure(config: Led, plugin: &mut Plugin) -> Result<Self> {
        plugin.spawn(async move {
            if let Err(error) = lead(&config).await {
                log::error!("{error:#}");
            }
        });
        Ok(Self)
    }
}

async fn lead(config: &Led) -> Result<()> {
    let period = Duration::from_millis(config.period_ms);
    let lease = Lease::new("leading", period * 3);
    let mut interval = time::interval(period);
    loop {
        interval.tick().await;
        if lease.take(time::now()?)? {
            config.service.get("/").send().await?;
        }
    }
}

impl HttpFilter for Leading {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        Ok(next.run(request).await)
    }
}

/// Puts the path of each request into a queue, which a task of the plugin reads; requests are told what that has read.
#[filter(root_id = "queued")]
#[derive(Debug)]
pub struct Queued {
    queue: Queue,
    read: Rc<RefCell<Vec<String>>>,
}

/// The name of the queue.
#[config]
pub struct Queueing {
    name: String,
}

impl Configure for Queued {
    type Config = Queueing;

    fn configure(config: Queueing, plugin: &mut Plugin) -> Result<Self> {
        let queue = Queue::register(&config.name)?;
        let read = Rc::new(RefCell::new(Vec::new()));
        let filled = Rc::clone(&read);
        plugin.spawn(async move {
            loop {
                match queue.receive().await {
                    Ok(message) => filled.borrow_mut().push(String::from_utf8_lossy(&message).into_owned()),
                    Err(error) => return log::error!("{error}"),
                }
            }
        });
        Ok(Self { queue, read })
    }
}

impl HttpFilter for Queued {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let path = request.path().map(|path| path.as_bytes().to_vec()).unwrap_or_default();
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-read", self.read.borrow().join(" "))?;
        self.queue.enqueue(&path)?;
        Ok(response)
    }
}
