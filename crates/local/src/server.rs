//! Accepts connections and bounds them: how many, and how long a request's head may take.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::front;
use crate::front::Door;

/// How many connections are open at a time; more wait to be accepted.
const CONNECTIONS: usize = 512;

/// How long a request's head may take to arrive; also how long an idle connection is kept.
const HEAD_DEADLINE: Duration = Duration::from_secs(60);

/// How long requests in work may take once the daemon is told to go.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until `end`, then lets the requests in work finish.
pub(crate) async fn serve(listener: TcpListener, door: Door, end: impl Future<Output = ()>) {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_DEADLINE);
    let (places, graceful) = (Arc::new(Semaphore::new(CONNECTIONS)), GracefulShutdown::new());
    let mut end = std::pin::pin!(end);
    loop {
        let place = Arc::clone(&places).acquire_owned();
        let accepted = async { (place.await, listener.accept().await) };
        let (place, accepted) = tokio::select! {
            both = accepted => both,
            () = &mut end => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("could not accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Small answers must not wait for the client's delayed acknowledgement.
        let _ = stream.set_nodelay(true);
        let caller = door.clone();
        let service =
            service_fn(move |request: Request<Incoming>| front::answer(caller.clone(), request.map(Body::new)));
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                tracing::debug!("a connection ended early: {error}");
            }
        });
    }
    drop(listener);
    door.close();
    // Whoever still hangs on is cut off.
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}
