use inproxy::prelude::*;

async fn handle(request: Request, next: Next) -> Result<Response> {
    let held = request.collect(1024).await?;
    next.run(held).await;
    Ok(next.run(held).await)
}

fn main() {}
