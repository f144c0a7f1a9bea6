//! Who does what must be done once: the locks that istiods take, renew and take from each other.
//!
//! A lock is a Lease or, of old, an annotation of a ConfigMap. The revision that the tag `default` points to takes the locks
//! that are not per revision from any other one.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    MANAGER,
    instance::{Identity, Istiod},
    view::{CONFIG_MAPS, LEASES, View},
};
use crate::actor::{
    api::{Api, Fault, Part, has_code},
    json::{annotation, map_at, text},
};

/// The lock for what every namespace receives.
pub(crate) const NAMESPACES: &str = "istio-namespace-controller-election";
/// The lock for status in general.
const STATUS: &str = "istio-status-leader";
const ADDRESSES: &str = "istio-ip-autoallocate";
const LEADER: &str = "istio-leader";
const RECORD: &str = "control-plane.alpha.kubernetes.io/leader";
const HOLDER_KEY: &str = "leader.istio.io/holder-key";
/// How long a lock lasts that nobody renews.
const DURATION: Duration = Duration::from_secs(30);

/// Takes, renews and gives up locks; the result is in the istiod's memory.
pub(crate) async fn campaign(istiod: &Istiod, api: &Api, view: &View, now: Timestamp) -> Result<(), Fault> {
    let identity = &istiod.identity;
    let is_default = view.default_tag().as_deref() == Some(identity.revision.as_str());
    let contender = Contender { identity, is_default, now };
    let mut leads = Vec::new();
    let mut maps = vec![LEADER, NAMESPACES];
    if identity.release.allocates_addresses() {
        maps.push(ADDRESSES);
    }
    for lock in maps {
        if contender.contest(api, &ConfigMapLock(lock)).await? {
            leads.push(lock);
        }
    }
    if contender.contest(api, &LeaseLock { name: STATUS.to_owned(), keyed: true }).await? {
        leads.push(STATUS);
    }
    for per_revision in ["istio-gateway-deployment", "istio-gateway-status-leader"] {
        let name = format!("{per_revision}-{}", identity.revision);
        contender.contest(api, &LeaseLock { name, keyed: false }).await?;
    }
    istiod.memory.lock().await.leads = leads;
    Ok(())
}

/// One istiod in an election.
struct Contender<'a> {
    identity: &'a Identity,
    is_default: bool,
    now: Timestamp,
}

/// Who holds a lock, since when and until when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Record {
    holder: String,
    key: String,
    acquired: String,
    renewed: String,
    transitions: u64,
}

impl Contender<'_> {
    fn holder(&self) -> String {
        format!("{}-local", self.identity.name)
    }

    /// The record after this contender's attempt; none where another one keeps the lock.
    fn attempt(&self, present: Option<&Record>, stamp: &str) -> Option<Record> {
        let mine = Record {
            holder: self.holder(),
            key: self.identity.revision.clone(),
            acquired: stamp.to_owned(),
            renewed: stamp.to_owned(),
            transitions: 0,
        };
        let Some(present) = present.filter(|present| !present.holder.is_empty()) else { return Some(mine) };
        if present.holder == mine.holder {
            return Some(Record { renewed: stamp.to_owned(), key: mine.key, ..present.clone() });
        }
        let expired = present.renewed.parse::<Timestamp>().is_ok_and(|renewed| {
            self.now.duration_since(renewed) > jiff::SignedDuration::try_from(DURATION).unwrap_or_default()
        });
        let outranked = self.is_default && !present.key.is_empty() && present.key != mine.key;
        (expired || outranked).then(|| Record { transitions: present.transitions + 1, ..mine })
    }

    async fn contest(&self, api: &Api, lock: &impl Lock) -> Result<bool, Fault> {
        let found = lock.read(api, &self.identity.namespace).await?;
        let stamp = lock.stamp(self.now);
        let Some(record) = self.attempt(found.as_ref().map(|object| lock.record(object)).as_ref(), &stamp) else {
            return Ok(false);
        };
        match lock.write(api, &self.identity.namespace, found, &record).await {
            Ok(()) => Ok(true),
            Err(fault) if has_code(&fault, 409) => Ok(false),
            Err(fault) => Err(fault),
        }
    }
}

/// Where a record is kept.
trait Lock {
    fn record(&self, object: &Value) -> Record;
    fn stamp(&self, now: Timestamp) -> String;
    async fn read(&self, api: &Api, namespace: &str) -> Result<Option<Value>, Fault>;
    async fn write(&self, api: &Api, namespace: &str, found: Option<Value>, record: &Record) -> Result<(), Fault>;
}

struct ConfigMapLock(&'static str);

impl Lock for ConfigMapLock {
    fn record(&self, object: &Value) -> Record {
        let record: Value =
            annotation(object, RECORD).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let field = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        Record {
            holder: field("holderIdentity"),
            key: field("holderKey"),
            acquired: field("acquireTime"),
            renewed: field("renewTime"),
            transitions: record["leaderTransitions"].as_u64().unwrap_or(0),
        }
    }

    fn stamp(&self, now: Timestamp) -> String {
        now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    async fn read(&self, api: &Api, namespace: &str) -> Result<Option<Value>, Fault> {
        api.get(CONFIG_MAPS, namespace, self.0).await
    }

    async fn write(&self, api: &Api, namespace: &str, found: Option<Value>, record: &Record) -> Result<(), Fault> {
        let written = json!({
            "holderIdentity": record.holder,
            "holderKey": record.key,
            "leaseDurationSeconds": DURATION.as_secs(),
            "acquireTime": record.acquired,
            "renewTime": record.renewed,
            "leaderTransitions": record.transitions,
        });
        let fresh =
            json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": self.0, "namespace": namespace } });
        let existing = found.is_some();
        let mut object = found.unwrap_or(fresh);
        map_at(&mut object["metadata"], "annotations").insert(RECORD.into(), written.to_string().into());
        save(api, CONFIG_MAPS, existing, &object).await
    }
}

struct LeaseLock {
    name: String,
    /// Does the Lease say which revision holds it?
    keyed: bool,
}

impl Lock for LeaseLock {
    fn record(&self, object: &Value) -> Record {
        Record {
            holder: text(object, "/spec/holderIdentity").to_owned(),
            key: annotation(object, HOLDER_KEY).unwrap_or_default().to_owned(),
            acquired: text(object, "/spec/acquireTime").to_owned(),
            renewed: text(object, "/spec/renewTime").to_owned(),
            transitions: object["spec"]["leaseTransitions"].as_u64().unwrap_or(0),
        }
    }

    fn stamp(&self, now: Timestamp) -> String {
        now.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
    }

    async fn read(&self, api: &Api, namespace: &str) -> Result<Option<Value>, Fault> {
        api.get(LEASES, namespace, &self.name).await
    }

    async fn write(&self, api: &Api, namespace: &str, found: Option<Value>, record: &Record) -> Result<(), Fault> {
        let fresh = json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": { "name": self.name, "namespace": namespace },
        });
        let existing = found.is_some();
        let mut object = found.unwrap_or(fresh);
        if self.keyed {
            map_at(&mut object["metadata"], "annotations").insert(HOLDER_KEY.into(), record.key.clone().into());
        }
        object["spec"] = json!({
            "holderIdentity": record.holder,
            "leaseDurationSeconds": DURATION.as_secs(),
            "acquireTime": record.acquired,
            "renewTime": record.renewed,
            "leaseTransitions": record.transitions,
        });
        save(api, LEASES, existing, &object).await
    }
}

async fn save(api: &Api, resource: crate::actor::api::Resource, existing: bool, object: &Value) -> Result<(), Fault> {
    let written = if existing {
        api.update(resource, MANAGER, Part::Whole, object).await
    } else {
        api.create(resource, MANAGER, object).await
    };
    written.map(|_| ())
}
