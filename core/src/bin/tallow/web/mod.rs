//! What the commands that answer a browser have in common: who is answered, and until when.

mod answer;
mod guard;

pub(crate) use answer::{no_larger, png, refusal};
pub(crate) use guard::{Guard, guarded};

use axum::Router;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tallow::{Error, Result};

/// The threads that requests are handled on: small work beside a network's, whose own threads compute.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(Error::io("the network"))
}

/// Accepts connections, `most` at a time, until the process is asked to stop; then those that are open may end.
/// `listening` hears the address first.
pub(crate) async fn listen(
    routes: Router,
    address: SocketAddr,
    most: usize,
    timeout: Duration,
    listening: impl FnOnce(SocketAddr) -> Result<()>,
) -> Result<()> {
    use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
    let busy = |error: std::io::Error| Error::Usage(format!("cannot listen at {address}: {error}; try `--port 0`"));
    let listener = tokio::net::TcpListener::bind(address).await.map_err(busy)?;
    let address = listener.local_addr().map_err(Error::io("the network"))?;
    listening(address)?;
    let service = hyper_util::service::TowerToHyperService::new(routes);
    let mut http = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new()).http1_only();
    http.http1().timer(TokioTimer::new()).header_read_timeout(timeout).max_headers(64);
    let connections = hyper_util::server::graceful::GracefulShutdown::new();
    let places = Arc::new(tokio::sync::Semaphore::new(most));
    let stop = stop_asked();
    tokio::pin!(stop);
    loop {
        // Who comes when all places are taken waits in the system's queue.
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place,
            () = &mut stop => break,
        };
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Too many open files, or a client that has left: neither is a reason to end.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        let connection = http.serve_connection(TokioIo::new(stream), service.clone()).into_owned();
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            // A connection that breaks off concerns its client alone.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    eprintln!("stopping when open requests have ended");
    let _ = tokio::time::timeout(timeout, connections.shutdown()).await;
    Ok(())
}

/// Waits for Ctrl-C, or for SIGTERM where there is one.
async fn stop_asked() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    if let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = interrupted => {}
            _ = terminated.recv() => {}
        }
        return;
    }
    let _ = interrupted.await;
}
