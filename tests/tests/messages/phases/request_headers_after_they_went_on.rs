use inproxy::prelude::*;

async fn handle(request: Request, next: Next) -> Result<Response> {
    let mut body = request.release_headers();
    body.headers_mut().insert("x-late", "1")?;
    Ok(next.run(body).await)
}

fn main() {}
