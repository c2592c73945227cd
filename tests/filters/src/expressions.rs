//! Filters that have the proxy evaluate expressions.

use std::{cell::RefCell, rc::Rc, time::Duration};

use inproxy::{
    attributes::Attributes,
    envoy::cel::{CelError, Expression},
    hooks::{Action, CallResponse, Finished, HttpCall, HttpHooks, RequestBody, RequestHeaders, ResponseHeaders},
    prelude::*,
    time,
};

// ANCHOR: denies
/// Answers 403 to what the operator has denied: `{ "deny": ["request.path.startsWith('/internal')"] }`.
#[filter(root_id = "cookbook_cel")]
#[config]
pub struct Denies {
    deny: Vec<Expression>,
}

impl HttpFilter for Denies {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        for expression in &self.deny {
            match expression.evaluate_bool(&request) {
                Ok(false) => {}
                Ok(true) => return Ok(Response::new(StatusCode::FORBIDDEN).with_body(format!("denied: {}\n", expression.text()))),
                // Something of it is not there, such as a header: here that is "no".
                Err(CelError::Failed { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: denies

// ANCHOR: key
/// Says by an expression what a request is counted under, and asks a service whether there is some left.
#[filter(root_id = "cookbook_cel_key")]
#[config]
pub struct CountedBy {
    /// `request.headers['x-tenant'] + '/' + request.method`
    key: Expression,
    counts: Cluster,
}

impl HttpFilter for CountedBy {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        // Before the call-out: behind it the proxy does not find the stream.
        let key = self.key.evaluate_text(&request)?;
        let answer = self.counts.get("/take").header("x-key", key)?.send().await?;
        if answer.status() != StatusCode::OK {
            return Ok(Response::new(StatusCode::TOO_MANY_REQUESTS));
        }
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: key

/// Tells the value of its expression as each type, before and after it has waited for what `x-wait` names, and of the response.
#[filter(root_id = "expressions")]
#[config]
#[derive(Debug)]
pub struct Expressions {
    expression: Expression,
    #[serde(default)]
    side: Option<Cluster>,
}

impl HttpFilter for Expressions {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let waits = request.headers().get("x-wait").and_then(|name| name.to_str().map(str::to_owned)).unwrap_or_default();
        let mut told = vec![("x-request", tell(&self.expression, &request))];
        match &*waits {
            "timer" => time::sleep(Duration::from_millis(3)).await,
            "call" => self.call().await?,
            "join" => {
                let (..) = inproxy::future::join(time::sleep(Duration::from_millis(1)), time::sleep(Duration::from_millis(2))).await;
            }
            _ => {}
        }
        told.push(("x-waited", tell(&self.expression, &request)));
        let mut response = if waits == "body" {
            let held = request.collect(1 << 10).await?;
            told.push(("x-collected", tell(&self.expression, &held)));
            next.run(held).await
        } else {
            request.headers_mut().remove("x-nothing")?;
            next.run(request).await
        };
        told.push(("x-response", tell(&self.expression, &response)));
        if waits == "call" {
            self.call().await?;
            told.push(("x-response-waited", tell(&self.expression, &response)));
        }
        let local = Response::new(StatusCode::OK);
        told.push(("x-local", tell(&self.expression, &local)));
        told.push(("x-compiled", Expression::compile("1").map_or_else(|error| short(&error), |_| "compiled".to_owned())));
        for (name, value) in told {
            response.headers_mut().append(name, value)?;
        }
        Ok(response)
    }
}

impl Expressions {
    async fn call(&self) -> Result<()> {
        if let Some(side) = &self.side {
            side.get("/").send().await?;
        }
        Ok(())
    }
}

/// The value as each type that it can be of; or the error.
fn tell<'a>(expression: &Expression, of: impl Into<Attributes<'a>>) -> String {
    let of = of.into();
    let bytes = match expression.evaluate_bytes(of) {
        Ok(bytes) => bytes,
        Err(error) => return short(&error),
    };
    let mut told = Vec::new();
    let mut push = |name: &str, value: Result<String, CelError>| match value {
        Ok(value) => told.push(format!("{name} {value}")),
        Err(CelError::OtherType { .. }) => {}
        Err(error) => told.push(format!("{name} {error}")),
    };
    push("bool", expression.evaluate_bool(of).map(|value| value.to_string()));
    push("text", expression.evaluate_text(of).map(|value| value.escape_default().to_string()));
    push("int", expression.evaluate_int(of).map(|value| value.to_string()));
    push("uint", expression.evaluate_uint(of).map(|value| value.to_string()));
    push("double", expression.evaluate_double(of).map(|value| value.to_string()));
    push("duration", expression.evaluate_duration(of).map(|value| format!("{value:?}")));
    push("time", expression.evaluate_time(of).map(|value| format!("{:?}", value.duration_since(std::time::UNIX_EPOCH).unwrap_or_default())));
    if let Some(list) = expression.evaluate(of).ok().and_then(|value| value.list()).filter(|list| !list.is_empty()) {
        return list.iter().map(|value| value.int().map_or("?".to_owned(), |value| value.to_string())).collect::<Vec<_>>().join(" ");
    }
    format!("{} bytes: {}", bytes.len(), told.join(", "))
}

fn short(error: &CelError) -> String {
    match error {
        CelError::NotInOwnCallback { .. } => "not in its own callback",
        CelError::NotInPlugin { .. } => "not in a plugin",
        CelError::NotHere => "not here",
        CelError::Failed { .. } => "failed",
        CelError::NoValue { .. } => "no value",
        CelError::OfAnotherPlugin { .. } => "of another plugin",
        _ => return error.to_string(),
    }
    .to_owned()
}

/// Logs the value of its expression in each callback.
#[filter(hooks, root_id = "expressions_by_phase")]
#[config]
#[derive(Debug)]
pub struct ByPhase {
    expression: Expression,
}

impl ByPhase {
    fn tell<'a>(&self, phase: &str, of: impl Into<Attributes<'a>>) {
        let value = self.expression.evaluate_text(of).unwrap_or_else(|error| short(&error));
        log::info!("{phase}: {value}");
    }
}

impl HttpHooks for ByPhase {
    type Stream = ();

    fn on_request_headers(&self, (): &mut (), mut request: RequestHeaders<'_>) -> Action {
        self.tell("request headers", &request);
        let mut call = HttpCall::new("side");
        for (name, value) in [(":method", "GET"), (":path", "/"), (":authority", "side")] {
            let _ = call.headers_mut().append(name, value);
        }
        match request.call(&call) {
            Ok(_) => Action::Pause,
            Err(error) => {
                log::error!("{error}");
                Action::Continue
            }
        }
    }

    fn on_call_response(&self, (): &mut (), mut call: CallResponse<'_>) {
        self.tell("call response", &call);
        call.resume_request();
    }

    fn on_request_body(&self, (): &mut (), body: RequestBody<'_>) -> Action {
        self.tell("request body", &body);
        body.while_headers_are_held()
    }

    fn on_response_headers(&self, (): &mut (), response: ResponseHeaders<'_>) -> Action {
        self.tell("response headers", &response);
        Action::Continue
    }

    fn on_log(&self, (): &mut (), finished: Finished<'_>) {
        self.tell("log", &finished);
    }
}

/// Logs the requests that an expression names, when they are over.
#[access_logger(root_id = "expressions_logged")]
#[config]
#[derive(Debug)]
pub struct Logged {
    when: Expression,
}

impl AccessLogger for Logged {
    fn log(&self, stream: Finished<'_>) {
        match self.when.evaluate_bool(&stream) {
            Ok(true) => log::info!("logged: {:?}", stream.attributes().request().path()),
            Ok(false) => {}
            Err(error) => log::error!("{error}"),
        }
    }
}

/// Has another expression compiled every ten milliseconds, which takes the place of the one before.
#[filter(root_id = "expressions_renewed")]
pub struct Renewed(Rc<RefCell<Expression>>);

/// No configuration.
#[config]
#[derive(Debug)]
pub struct Nothing {}

impl Configure for Renewed {
    type Config = Nothing;

    fn configure(_: Nothing, plugin: &mut Plugin) -> Result<Self> {
        let expression = Rc::new(RefCell::new(Expression::compile("0")?));
        let renewed = Rc::clone(&expression);
        plugin.spawn(async move {
            for number in 1.. {
                time::sleep(Duration::from_millis(10)).await;
                match Expression::compile(&number.to_string()) {
                    Ok(expression) => drop(renewed.replace(expression)),
                    Err(error) => log::error!("{error}"),
                }
            }
        });
        Ok(Self(expression))
    }
}

impl HttpFilter for Renewed {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let number = self.0.borrow().evaluate_int(&request)?;
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-number", number.to_string())?;
        Ok(response)
    }
}
