use inproxy::prelude::*;

use crate::policy::Denial;

/// What the client gets of a denial: to gRPC its code and message, to others the status that Mixer took for it, and Mixer's text.
pub(crate) fn denied(denial: &Denial, is_grpc: bool, details: &str) -> Result<Response> {
    let status = StatusCode::from_u16(denial.http()).unwrap_or(StatusCode::FORBIDDEN);
    let mut reply = LocalReply::new(status).with_details(denial.details.as_deref().unwrap_or(details));
    for (name, value) in &denial.direct.headers {
        reply = reply.with_header(name.as_str(), value.as_slice())?;
    }
    let reply = if is_grpc {
        reply.with_grpc_status(denial.code.number()).with_body(denial.message.clone())
    } else {
        reply.with_body(denial.direct.body.clone().unwrap_or_else(|| denial.text().into_bytes()))
    };
    Ok(reply.into())
}
