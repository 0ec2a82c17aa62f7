//! Requests over HTTP.

use std::time::Duration;

use ureq::config::ConfigBuilder;
use ureq::typestate::{AgentScope, WithoutBody};
use ureq::{Agent, RequestBuilder};

/// The settings of all our requests: who asks, and for how long it waits for a connection and for the next bytes. A
/// status is an answer, not an error.
pub(crate) fn settings(connect_timeout: Duration, read_timeout: Duration) -> ConfigBuilder<AgentScope> {
    Agent::config_builder()
        .http_status_as_error(false)
        .user_agent(concat!("tallow/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(connect_timeout))
        .timeout_recv_response(Some(read_timeout))
        .timeout_per_read(Some(read_timeout))
}

/// A request for what is at `url`. From https:// it is not led to http://.
pub(crate) fn get(agent: &Agent, url: &str) -> RequestBuilder<WithoutBody> {
    let request = agent.get(url).config().https_only(url.starts_with("https://"));
    if url.starts_with("https://") {
        request.build()
    } else {
        // Plain http is for this machine only, and a proxy is not on the way there.
        request.proxy(None).build()
    }
}
