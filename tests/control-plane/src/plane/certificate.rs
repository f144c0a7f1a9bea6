//! The certificates of a control plane, and the key that signs its service accounts' tokens.
//!
//! Made once per set of versions and kept: what a prepared state holds (tokens, `caBundle`s) stays valid in every control
//! plane that starts from it. They guard loopback ports of test runs and nothing else.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

use crate::cache;
use crate::fault::Fault;

/// Who calls the API server: the audit log tells them apart by these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The person or program under test.
    Admin,
    /// The API server itself, when it serves.
    Server,
    /// kube-controller-manager.
    ControllerManager,
    /// kube-scheduler.
    Scheduler,
    /// kwok.
    Kwok,
    /// The stand-in of Istio's control plane.
    StandIn,
}

impl Identity {
    const CALLERS: [Self; 5] = [Self::Admin, Self::ControllerManager, Self::Scheduler, Self::Kwok, Self::StandIn];

    /// The user name that the API server knows it by.
    pub fn user(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Server => "kube-apiserver",
            Self::ControllerManager => "system:kube-controller-manager",
            Self::Scheduler => "system:kube-scheduler",
            Self::Kwok => "kwok",
            Self::StandIn => "istiod",
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Server => "server",
            Self::ControllerManager => "controller-manager",
            Self::Scheduler => "scheduler",
            Self::Kwok => "kwok",
            Self::StandIn => "stand-in",
        }
    }
}

/// The folder of certificates and keys, all in PEM.
#[derive(Clone, Debug)]
pub(crate) struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// Opens the kept certificates, or makes them.
    pub(crate) fn open_or_make(versions: &Path) -> Result<Self, Fault> {
        let folder = versions.join("certificates");
        if !folder.is_dir() {
            let _lock = cache::lock(&folder.with_extension("lock"), "making certificates")?;
            if !folder.is_dir() {
                make(versions, &folder)?;
            }
        }
        Ok(Self { folder })
    }

    /// The certificate that signed all others.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.join("authority.crt")
    }

    /// Certificate and key of one identity.
    pub(crate) fn of(&self, identity: Identity) -> (PathBuf, PathBuf) {
        (self.folder.join(format!("{}.crt", identity.file())), self.folder.join(format!("{}.key", identity.file())))
    }

    /// Private and public key of service account tokens.
    pub(crate) fn service_accounts(&self) -> (PathBuf, PathBuf) {
        (self.folder.join("service-accounts.key"), self.folder.join("service-accounts.pub"))
    }

    /// The authority of the mesh: its certificate is what the stand-in writes into `caBundle`s.
    pub(crate) fn mesh_authority(&self) -> Result<Authority, Fault> {
        Authority::load(&self.folder, "mesh", MESH)
    }
}

const CLUSTER: &str = "runbook test cluster";
const MESH: &str = "cluster.local";

/// Makes everything in a folder beside, then moves it: a folder that is there is complete.
fn make(versions: &Path, folder: &Path) -> Result<(), Fault> {
    let fresh = tempfile::Builder::new().prefix(".certificates-").tempdir_in(versions)?;
    let to = fresh.path();
    let cluster = Authority::make(to, "authority", CLUSTER)?;
    Authority::make(to, "mesh", MESH)?;
    for caller in Identity::CALLERS {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, caller.user());
        params.distinguished_name.push(DnType::OrganizationName, "system:masters");
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
        write_pair(to, caller.file(), &cluster.sign(&params)?)?;
    }
    let names = ["127.0.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
    write_pair(to, Identity::Server.file(), &cluster.serving(&names.map(str::to_owned))?)?;
    let tokens = KeyPair::generate()?;
    fs_err::write(to.join("service-accounts.key"), tokens.serialize_pem())?;
    fs_err::write(to.join("service-accounts.pub"), tokens.public_key_pem())?;
    fs_err::rename(fresh.keep(), folder)?;
    Ok(())
}

fn write_pair(folder: &Path, name: &str, pair: &Pair) -> Result<(), Fault> {
    fs_err::write(folder.join(format!("{name}.crt")), &pair.certificate)?;
    fs_err::write(folder.join(format!("{name}.key")), &pair.key)?;
    Ok(())
}

/// A certificate and its key, in PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// Signs certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn make(folder: &Path, name: &str, subject: &str) -> Result<Self, Fault> {
        let key = KeyPair::generate()?;
        let params = authority_params(subject)?;
        let pair = Pair { certificate: params.self_signed(&key)?.pem(), key: key.serialize_pem() };
        write_pair(folder, name, &pair)?;
        Ok(Self { issuer: Issuer::new(params, key), pem: pair.certificate })
    }

    fn load(folder: &Path, name: &str, subject: &str) -> Result<Self, Fault> {
        let key = KeyPair::from_pem(&fs_err::read_to_string(folder.join(format!("{name}.key")))?)?;
        let pem = fs_err::read_to_string(folder.join(format!("{name}.crt")))?;
        Ok(Self { issuer: Issuer::new(authority_params(subject)?, key), pem })
    }

    /// Its own certificate, in PEM.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for a server of these names and addresses.
    pub(crate) fn serving(&self, names: &[String]) -> Result<Pair, Fault> {
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, names.first().map_or("server", String::as_str));
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Result<Pair, Fault> {
        let key = KeyPair::generate()?;
        Ok(Pair { certificate: params.signed_by(&key, &self.issuer)?.pem(), key: key.serialize_pem() })
    }
}

fn authority_params(subject: &str) -> Result<CertificateParams, Fault> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    params.distinguished_name.push(DnType::CommonName, subject);
    params.distinguished_name.push(DnType::OrganizationName, subject);
    Ok(params)
}
