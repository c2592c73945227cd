use inproxy::prelude::*;

async fn handle(request: Request, next: Next) -> Result<Response> {
    let response = next.run(request).await;
    response.let_go();
    Ok(response.let_go())
}

fn main() {}
