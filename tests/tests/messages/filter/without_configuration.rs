use inproxy::prelude::*;

#[filter]
struct Auth {
    realm: String,
}

impl HttpFilter for Auth {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        Ok(next.run(request).await)
    }
}

fn main() {}
