//! What answers inside a running machine: its metadata service, and the way to the endpoint's API.

use std::collections::HashMap;
use std::io;
use std::net::Ipv4Addr;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::EngineError;
use super::Machine;
use crate::metadata::serve;
use crate::metadata::token::Tokens;
use crate::network;

/// Port of the metadata service.
const METADATA_PORT: u16 = 80;
/// Port of the API inside an instance; [`crate::metadata::tree::API_ENDPOINT`] says it to the instance.
const API_PORT: u16 = 8773;

/// The services of all machines of an engine, by instance id. They end with the process, and are started again by
/// [`super::Engine::adopt`].
pub(super) struct Services {
    runtime: Handle,
    running: Mutex<HashMap<String, [AbortHandle; 2]>>,
}

impl Services {
    /// Services that are served by `runtime`.
    pub(super) fn new(runtime: Handle) -> Self {
        Self { runtime, running: Mutex::default() }
    }

    /// Listens on `address` in `namespace` for `machine`, unless that is so already.
    pub(super) fn ensure(&self, machine: &Machine, namespace: &str, address: Ipv4Addr) -> Result<(), EngineError> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.contains_key(&machine.instance_id) {
            return Ok(());
        }
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| {
            EngineError::new(format!("start the metadata service of {}", machine.instance_id), source)
        };
        let tokens = Arc::new(Tokens::new().map_err(|error| failed(error.into()))?);
        let bind = || Ok([listen(address, METADATA_PORT)?, listen(address, API_PORT)?]);
        let [metadata, api] = network::run_in(namespace, "listen", bind).map_err(|error| failed(error.into()))?;
        let _context = self.runtime.enter();
        let adopt = |listener| tokio::net::TcpListener::from_std(listener).map_err(|error| failed(error.into()));
        let (metadata, api) = (adopt(metadata)?, adopt(api)?);
        let tasks = [
            self.runtime.spawn(serve::serve_metadata(metadata, Arc::clone(&machine.metadata), tokens)),
            self.runtime.spawn(serve::forward(api, machine.api_port)),
        ];
        running.insert(machine.instance_id.clone(), tasks.map(|task| task.abort_handle()));
        Ok(())
    }

    /// Ends the services of a machine, if it has any.
    pub(super) fn stop(&self, instance_id: &str) {
        let tasks = self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(instance_id);
        for task in tasks.into_iter().flatten() {
            task.abort();
        }
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        for task in self.running.get_mut().unwrap_or_else(PoisonError::into_inner).values().flatten() {
            task.abort();
        }
    }
}

fn listen(address: Ipv4Addr, port: u16) -> io::Result<TcpListener> {
    let listener = TcpListener::bind((address, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
