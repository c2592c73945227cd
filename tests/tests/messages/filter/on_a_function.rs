use inproxy::prelude::*;

#[filter]
async fn handle(request: Request, next: Next) -> Result<Response> {
    Ok(next.run(request).await)
}

fn main() {}
