//! Requests over HTTP.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ureq::config::ConfigBuilder;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
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
        .tls_config(TlsConfig::builder().root_certs(RootCerts::Specific(CERTIFICATES.clone())).build())
}

/// Whom to trust: the authorities that Mozilla does, for machines that have no list, and those that this machine does,
/// such as a company's own (`SSL_CERT_FILE` and `SSL_CERT_DIR` name others).
static CERTIFICATES: LazyLock<Arc<Vec<Certificate<'static>>>> = LazyLock::new(|| {
    let built_in = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|der| Certificate::from_der(der));
    let system = rustls_native_certs::load_native_certs().certs;
    let system = system.iter().map(|der| Certificate::from_der(der).to_owned());
    Arc::new(built_in.chain(system).collect())
});

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
