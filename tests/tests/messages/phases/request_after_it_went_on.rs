use inproxy::prelude::*;

async fn handle(mut request: Request, next: Next) -> Result<Response> {
    let response = next.run(request).await;
    request.headers_mut().insert("x-late", "1")?;
    Ok(response)
}

fn main() {}
