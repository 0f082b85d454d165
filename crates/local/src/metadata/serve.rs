//! Serving: the metadata service of one instance, and the way from the instance to the endpoint's API.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::MetadataSource;
use super::respond::respond;
use super::token::Tokens;

/// Connections of one instance that are served at the same time; further ones wait.
const CONNECTIONS: usize = 64;
/// How long a connection may be silent before its next request.
const SILENCE: Duration = Duration::from_secs(15);
/// How long one connection may live, whatever it does: nothing here takes longer.
const LIFE: Duration = Duration::from_secs(300);
/// How long the endpoint may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Answers on `listener` for as long as it is polled.
pub async fn serve_metadata(listener: TcpListener, source: Arc<dyn MetadataSource>, tokens: Arc<Tokens>) {
    serve_each(listener, move |stream| {
        let (source, tokens) = (Arc::clone(&source), Arc::clone(&tokens));
        async move {
            let service = service_fn(move |request| {
                let response = respond(&request, &*source, &tokens).map(Body::from);
                async move { Ok::<_, Infallible>(response) }
            });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(SILENCE).max_buf_size(16 * 1024);
            _ = http.serve_connection(TokioIo::new(stream), service).await;
        }
    })
    .await;
}

/// Joins every connection to `listener` with a new one to 127.0.0.1:`port` of this machine.
pub async fn forward(listener: TcpListener, port: u16) {
    serve_each(listener, move |stream| async move { _ = join(stream, port).await }).await;
}

async fn join(mut inside: TcpStream, port: u16) -> io::Result<()> {
    let mut outside = timeout(CONNECT, TcpStream::connect(("127.0.0.1", port))).await??;
    tokio::io::copy_bidirectional(&mut inside, &mut outside).await?;
    Ok(())
}

/// Serves a bounded number of connections, each in a task of its own that ends with this future.
async fn serve_each<F>(listener: TcpListener, serve: impl Fn(TcpStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = tokio::task::JoinSet::new();
    while let Ok(permit) = Arc::clone(&free).acquire_owned().await {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                let served = serve(stream);
                connections.spawn(async move {
                    _ = timeout(LIFE, served).await;
                    drop(permit);
                });
            }
            Err(error) => {
                // Such as too many open files: a busy loop would only make it worse.
                tracing::warn!(%error, "the metadata service cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
