//! A control plane: etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok on loopback.

mod audit;
mod bulk;
mod certificate;
mod command;
mod copy;
mod folder;
mod kubeconfig;
mod node;
mod overlooked;
mod port;
mod range;
mod server;

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::thread;

use kube::Client;
use rustix::process::Signal;
use serde::Serialize;
use tokio::runtime::Runtime;

pub use audit::{AuditEntry, in_batches, read as audit_log};
pub use bulk::{many_deployments, many_pods};
pub use certificate::Identity;
pub(crate) use certificate::{Authority, Certificates, Pair};
pub use node::Nodes;
pub(crate) use range::ServiceRange;

use crate::build::{Binaries, Tool};
use crate::fault::Fault;
use crate::kwok;
use crate::process::Keeper;
use crate::wait::{self, Not};
use folder::RunFolder;
use server::Servers;

/// Which helm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Helm {
    /// The last helm 3.
    V3,
    /// The current helm 4.
    V4,
}

/// What the client of a test calls itself, so that the audit log tells it from the program under test.
const TEST_AGENT: &str = "test-bed";

/// A running control plane. Ends its processes and removes its folder when dropped.
///
/// When the process that holds it is killed, the kernel ends the control plane's processes with it.
pub struct ControlPlane {
    // Dropped in this order: processes first, their folder last.
    keeper: Keeper,
    runtime: Option<Runtime>,
    client: Client,
    binaries: Binaries,
    certificates: Certificates,
    range: ServiceRange,
    folder: RunFolder,
}

impl ControlPlane {
    /// Starts an empty one with three ready nodes. Takes about seven seconds, once the binaries are there.
    pub fn start() -> Result<Self, Fault> {
        Self::with_nodes(Nodes::default())
    }

    /// Starts an empty one with the nodes asked for, all ready.
    pub fn with_nodes(nodes: Nodes) -> Result<Self, Fault> {
        Self::begin(ServiceRange::free()?, None, nodes)
    }

    /// The same with all it writes in memory, where the machine has a disk there: for measuring, since an API server does not
    /// share a disk with those who talk to it.
    pub fn in_memory(nodes: Nodes) -> Result<Self, Fault> {
        Self::begin_in(RunFolder::make_in_memory()?, ServiceRange::free()?, None, nodes)
    }

    /// The one that all tests of this process share. It is never dropped, so it ends with the process.
    ///
    /// For tests that keep to namespaces of their own and install nothing cluster-wide.
    pub fn shared() -> Result<&'static Self, &'static Fault> {
        static SHARED: LazyLock<Result<ControlPlane, Fault>> = LazyLock::new(ControlPlane::start);
        SHARED.as_ref()
    }

    /// Starts from a copy of etcd's data, or from nothing.
    pub(crate) fn begin(range: ServiceRange, data: Option<&Path>, nodes: Nodes) -> Result<Self, Fault> {
        Self::begin_in(RunFolder::make()?, range, data, nodes)
    }

    fn begin_in(folder: RunFolder, range: ServiceRange, data: Option<&Path>, nodes: Nodes) -> Result<Self, Fault> {
        let binaries = Binaries::find_or_build()?;
        let certificates = Certificates::open_or_make(&binaries.folder())?;
        if let Some(data) = data {
            copy::folder(data, &Servers::data(folder.path()))?;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("control-plane")
            .enable_all()
            .build()?;
        let keeper = Keeper::new();
        let client = start_processes(&keeper, &runtime, &binaries, &certificates, &range, folder.path())?;
        let plane = Self { keeper, runtime: Some(runtime), client, binaries, certificates, range, folder };
        block_on(plane.runtime(), || node::create(&plane.client, &plane.keeper, nodes))?;
        let (kwok, log) = (plane.client_as(Identity::Kwok, "kwok")?, Servers::log(plane.folder.path(), Tool::Kwok));
        plane.runtime().spawn(async move { overlooked::watch(kwok, &log).await });
        Ok(plane)
    }

    /// The kubeconfig of an administrator.
    pub fn kubeconfig(&self) -> PathBuf {
        Servers::kubeconfig(self.folder.path(), Identity::Admin)
    }

    /// A client of the API server with an administrator's rights. kube's own retries are off.
    ///
    /// May be used on any runtime; lives as long as the control plane.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// A client that calls itself `agent` and is known to the API server as `identity`.
    pub fn client_as(&self, identity: Identity, agent: &str) -> Result<Client, Fault> {
        let file = Servers::kubeconfig(self.folder.path(), identity);
        block_on(self.runtime(), || async { Ok(Client::try_from(kubeconfig::config(&file, agent).await?)?) })
    }

    /// The binary of one helm.
    pub fn helm(&self, helm: Helm) -> &Path {
        self.binaries.path(match helm {
            Helm::V3 => Tool::Helm3,
            Helm::V4 => Tool::Helm4,
        })
    }

    /// A folder that holds nothing but `helm`: in front of a `PATH`, it makes `helm` the one asked for.
    pub fn helm_folder(&self, helm: Helm) -> Result<PathBuf, Fault> {
        let folder = self.folder.path().join(match helm {
            Helm::V3 => "helm-3",
            Helm::V4 => "helm-4",
        });
        let link = folder.join("helm");
        if !link.exists() {
            fs_err::create_dir_all(&folder)?;
            match fs_err::os::unix::fs::symlink(self.helm(helm), &link) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                other => other?,
            }
        }
        Ok(folder)
    }

    /// The `kubectl` of the API server's own version.
    pub fn kubectl(&self) -> &Path {
        self.binaries.path(Tool::Kubectl)
    }

    /// All binaries.
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// A folder for the test's own files, removed with the control plane.
    pub fn folder(&self) -> Result<PathBuf, Fault> {
        let folder = self.folder.path().join("test");
        fs_err::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Where Services get their addresses: `127.77.0.0/16`.
    pub fn service_range(&self) -> String {
        self.range.cidr()
    }

    /// What the API server was asked so far, everything that has been answered.
    pub fn audit(&self) -> Result<Vec<AuditEntry>, Fault> {
        audit::read(&Servers::audit_log(self.folder.path()))
    }

    /// Runs a future on the control plane's own runtime. Not from inside another one: there, `await`.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime().block_on(future)
    }

    /// The fault of a process that has ended by itself, if one has.
    pub fn fallen(&self) -> Option<Fault> {
        self.keeper.check().err()
    }

    /// Holds the controllers where they are: what is written from now on they have not observed, until [`Self::thaw`].
    pub fn freeze(&self) -> Result<(), Fault> {
        self.keeper.signal(Tool::KubeControllerManager.name(), Signal::STOP)
    }

    /// Lets the controllers go on.
    pub fn thaw(&self) -> Result<(), Fault> {
        self.keeper.signal(Tool::KubeControllerManager.name(), Signal::CONT)
    }

    /// The runtime that serves what belongs to this control plane.
    pub(crate) fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("it is taken when the control plane is dropped")
    }

    /// The authority of the mesh: its certificate belongs into the `caBundle` of Istio's webhooks here.
    pub(crate) fn mesh(&self) -> Result<Authority, Fault> {
        self.certificates.mesh_authority()
    }

    /// A loopback address of this control plane's range that no Service has.
    pub(crate) fn spare_address(&self) -> Ipv4Addr {
        self.range.spare_address()
    }

    /// Ends all processes in order and copies etcd's data to `to`, which must not exist.
    pub(crate) fn end_and_keep(mut self, to: &Path) -> Result<(), Fault> {
        self.keeper.stop_all();
        copy::folder(&Servers::data(self.folder.path()), to)
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.keeper.stop_all();
        if let Some(runtime) = self.runtime.take() {
            // Waiting for its tasks is not allowed inside another runtime, and nobody needs them any more.
            runtime.shutdown_background();
        }
    }
}

/// Starts everything and waits until the API server is ready; hands back an administrator's client.
fn start_processes(
    keeper: &Keeper,
    runtime: &Runtime,
    binaries: &Binaries,
    certificates: &Certificates,
    range: &ServiceRange,
    folder: &Path,
) -> Result<Client, Fault> {
    let [etcd_port, peer_port, api_port] = port::free()?;
    let service_range = range.cidr();
    let servers = Servers { binaries, certificates, folder, service_range, etcd_port, peer_port, api_port };
    for identity in
        [Identity::Admin, Identity::ControllerManager, Identity::Scheduler, Identity::Kwok, Identity::StandIn]
    {
        kubeconfig::write(&Servers::kubeconfig(folder, identity), api_port, certificates, identity)?;
    }
    fs_err::write(folder.join("audit-policy.yaml"), include_str!("audit-policy.yaml"))?;
    let stages = folder.join("stages.yaml");
    kwok::write_stages(&stages)?;

    keeper.start(servers.etcd())?;
    keeper.start(servers.api_server())?;
    let admin = Servers::kubeconfig(folder, Identity::Admin);
    let client = block_on(runtime, || async {
        let client = Client::try_from(kubeconfig::config(&admin, TEST_AGENT).await?)?;
        ready(&client, keeper).await.map(|()| client)
    })?;
    block_on(runtime, || free_nodes(&client));
    keeper.start(servers.controller_manager())?;
    keeper.start(servers.scheduler())?;
    keeper.start(servers.kwok(&stages))?;
    Ok(client)
}

/// Takes away the leases of nodes that came with a copy of etcd's data: they are another kwok's, which made the state perhaps a few
/// seconds ago, and as long as they last this one leaves the nodes and their pods alone.
async fn free_nodes(client: &Client) {
    let request = http::Request::delete("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases");
    if let Ok(request) = request.body(Vec::new()) {
        // There are none in an empty one, nor perhaps their namespace.
        let _ = client.request_text(request).await;
    }
}

/// Waits until the API server says that it is ready, or a process has ended by itself.
async fn ready(client: &Client, keeper: &Keeper) -> Result<(), Fault> {
    wait::until("the API server is ready", 60, async || {
        keeper.check().map_err(Not::Ever)?;
        let request = http::Request::get("/readyz").body(Vec::new()).map_err(wait::not_yet)?;
        client.request_text(request).await.map(drop).map_err(wait::not_yet)
    })
    .await
}

/// Makes a future and runs it to its end, on a thread of its own: the caller's may belong to another runtime already.
fn block_on<T: Send, F: Future<Output = T>>(runtime: &Runtime, make: impl FnOnce() -> F + Send) -> T {
    thread::scope(|scope| {
        scope
            .spawn(|| runtime.block_on(async { make().await }))
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
