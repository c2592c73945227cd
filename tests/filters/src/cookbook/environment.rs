//! What the VM is told.

use inproxy::{env, prelude::*};

// ANCHOR: environment
/// Tells the upstream in which region the proxy runs.
#[filter(root_id = "cookbook_environment")]
pub struct Region {
    region: HeaderValue,
}

/// Nothing: all comes from the environment.
#[config]
pub struct Nothing;

impl Configure for Region {
    type Config = Nothing;

    fn configure(_: Nothing, _: &mut Plugin) -> Result<Self> {
        let region = env::var("REGION").ok_or_else(|| Error::msg("the VM has no variable REGION: see vm_config.environment_variables"))?;
        Ok(Self { region: region.try_into()? })
    }
}

impl HttpFilter for Region {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        request.headers_mut().insert("x-region", &self.region)?;
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: environment
