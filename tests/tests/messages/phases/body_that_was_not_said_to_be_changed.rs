use inproxy::prelude::*;

async fn handle(request: Request, next: Next) -> Result<Response> {
    let mut body = request.release_headers().collect(1024).await?;
    body.replace("another")?;
    Ok(next.run(body).await)
}

fn main() {}
