use inproxy::prelude::*;

#[filter(async_configure)]
#[config]
struct Auth;

impl HttpFilter for Auth {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        Ok(next.run(request).await)
    }
}

fn main() {}
