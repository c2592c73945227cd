//! A filter that serves only when it has a list.

use std::{cell::RefCell, collections::BTreeSet, rc::Rc, time::Duration};

use inproxy::{ConfigureAsync, prelude::*, time};

use super::background_tasks::{List, fetch};

// ANCHOR: startup
/// As `Denylist`, but serves only when it has a list.
#[filter(root_id = "cookbook_startup", async_configure)]
pub struct Ready {
    denied: Rc<RefCell<BTreeSet<Vec<u8>>>>,
}

impl ConfigureAsync for Ready {
    type Config = List;

    /// How long a request waits for the first list.
    const PATIENCE: Duration = Duration::from_secs(2);

    async fn configure(config: List, mut plugin: Plugin) -> Result<Self> {
        let denied = Rc::new(RefCell::new(fetch(&config.source).await?));
        let fetched = Rc::clone(&denied);
        plugin.spawn(async move {
            loop {
                time::sleep(Duration::from_secs(config.seconds)).await;
                match fetch(&config.source).await {
                    Ok(list) => *fetched.borrow_mut() = list,
                    Err(error) => log::warn!("the list stays as it is: {error}"),
                }
            }
        });
        Ok(Self { denied })
    }
}
// ANCHOR_END: startup

impl HttpFilter for Ready {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let client = request.headers().get("x-client");
        let denied = client.is_some_and(|client| self.denied.borrow().contains(client.as_bytes()));
        if denied { Ok(Response::new(StatusCode::FORBIDDEN)) } else { Ok(next.run(request).await) }
    }
}
