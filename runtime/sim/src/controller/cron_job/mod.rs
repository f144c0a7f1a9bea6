//! `CronJobs`: Jobs made by the clock.
//!
//! Not known here: pods. Time zones are those that the program knows.

mod schedule;

use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};

use self::schedule::Schedule;
use super::{
    Controller, Gravity, Hand, Key, Next, Watch, job,
    member::reference,
    reading::{flag, is_leaving, later, number, stamp, time},
};
use crate::{
    actor::json::{items, list_at, map_at, name, namespace, text},
    resource::Resource,
    server::{Deletion, Propagation},
    status::Status,
};

const CRON_JOBS: Resource = Resource::of("batch", "v1", "cronjobs");
const KIND: (&str, &str) = ("batch/v1", "CronJob");

pub(super) const CRON_JOB: Controller = Controller {
    name: "cronjob-controller",
    watches: &[Watch::itself(CRON_JOBS), Watch::owner(job::JOBS, "CronJob")],
    reconcile: |hand, key| boxed(hand, key),
};

fn boxed<'a>(hand: &'a Hand, key: &'a Key) -> BoxFuture<'a, Result<Next, Status>> {
    Box::pin(reconcile(hand, key))
}

async fn reconcile(hand: &Hand, key: &Key) -> Result<Next, Status> {
    let Some(mut cron) = hand.get(CRON_JOBS, &key.namespace, &key.name) else { return Ok(Next::Done) };
    let before = cron["status"].clone();
    let mut jobs: Vec<Value> = hand.owned_by(job::JOBS, text(&cron, "/metadata/uid"));
    jobs.sort_by_key(|job| (text(job, "/metadata/creationTimestamp").to_owned(), name(job).to_owned()));
    settle(hand, &mut cron, &jobs).await;
    tidy(hand, &cron, &jobs).await?;
    let next = if is_leaving(&cron) || flag(&cron, "/spec/suspend") {
        Ok(Next::Done)
    } else {
        fire(hand, &mut cron, &jobs).await
    };
    if cron["status"] != before {
        hand.update_status(CRON_JOBS, cron).await?;
    }
    next
}

/// Takes those that are over off the list of those that run.
async fn settle(hand: &Hand, cron: &mut Value, jobs: &[Value]) {
    let listed = items(cron, "/status/active").to_vec();
    for entry in listed {
        let found = jobs.iter().find(|job| job["metadata"]["uid"] == entry["uid"]);
        let over = found.and_then(job::finish);
        if found.is_some() && over.is_none() {
            continue;
        }
        let (gravity, reason, message) = match over {
            Some(kind) => {
                let message = format!("Saw completed job: {}, condition: {kind}", text(&entry, "/name"));
                (Gravity::Normal, "SawCompletedJob", message)
            }
            None => (Gravity::Normal, "MissingJob", format!("Active job went missing: {}", text(&entry, "/name"))),
        };
        hand.event(cron, gravity, reason, &message).await;
        list_at(&mut cron["status"], "active").retain(|other| other["uid"] != entry["uid"]);
    }
    let completed = |job: &&Value| job::finish(job) == Some("Complete");
    let latest = jobs.iter().filter(completed).filter_map(|job| job["status"].get("completionTime").cloned());
    if let Some(latest) = latest.max_by_key(ToString::to_string) {
        map_at(cron, "status").insert("lastSuccessfulTime".to_owned(), latest);
    }
    if items(cron, "/status/active").is_empty() {
        map_at(cron, "status").shift_remove("active");
    }
}

/// Deletes the Jobs that are over, beyond those that are kept to look at.
async fn tidy(hand: &Hand, cron: &Value, jobs: &[Value]) -> Result<(), Status> {
    for (kind, limit) in [("Complete", "/spec/successfulJobsHistoryLimit"), ("Failed", "/spec/failedJobsHistoryLimit")]
    {
        let Some(kept) = number(cron, limit).and_then(|kept| usize::try_from(kept).ok()) else { continue };
        let over: Vec<&Value> = jobs.iter().filter(|job| job::finish(job) == Some(kind) && !is_leaving(job)).collect();
        for job in over.iter().take(over.len().saturating_sub(kept)) {
            delete(hand, cron, job).await?;
        }
    }
    Ok(())
}

async fn delete(hand: &Hand, cron: &Value, job: &Value) -> Result<(), Status> {
    let how = Deletion { propagation: Some(Propagation::Background), ..Deletion::default() };
    match hand.delete(job::JOBS, (namespace(job), name(job)), how).await {
        Err(status) if !status.is_not_found() => Err(status),
        _ => {
            let message = format!("Deleted job {}", name(job));
            hand.event(cron, Gravity::Normal, "SuccessfulDelete", &message).await;
            Ok(())
        }
    }
}

/// Makes the Job that is due, and says when the next is.
async fn fire(hand: &Hand, cron: &mut Value, jobs: &[Value]) -> Result<Next, Status> {
    let zone = match text(cron, "/spec/timeZone") {
        "" => Some(jiff::tz::TimeZone::UTC),
        named => jiff::tz::TimeZone::get(named).ok(),
    };
    let schedule = zone.and_then(|zone| Schedule::read(text(cron, "/spec/schedule"), zone));
    let Some(schedule) = schedule else {
        let message = format!("unparseable schedule: \"{}\"", text(cron, "/spec/schedule"));
        hand.event(cron, Gravity::Warning, "UnparseableSchedule", &message).await;
        return Ok(Next::Done);
    };
    let now = hand.now();
    let since = time(cron, "/status/lastScheduleTime").or_else(|| time(cron, "/metadata/creationTimestamp"));
    let next = schedule.after(now).map_or(Next::Done, Next::At);
    let Some(due) = schedule.latest(since.unwrap_or(now), now) else { return Ok(next) };
    let patience = number(cron, "/spec/startingDeadlineSeconds");
    if patience.is_some_and(|seconds| later(due, seconds) < now) {
        let message = format!("Missed scheduled time to start a job: {}", due.strftime("%a, %d %b %Y %H:%M:%S +0000"));
        hand.event(cron, Gravity::Warning, "MissSchedule", &message).await;
        return Ok(next);
    }
    let running = items(cron, "/status/active").to_vec();
    match text(cron, "/spec/concurrencyPolicy") {
        "Forbid" if !running.is_empty() => {
            let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
            hand.event(cron, Gravity::Normal, "JobAlreadyActive", message).await;
            return Ok(next);
        }
        "Replace" => {
            for job in jobs.iter().filter(|job| running.iter().any(|entry| entry["uid"] == job["metadata"]["uid"])) {
                delete(hand, cron, job).await?;
            }
            map_at(cron, "status").shift_remove("active");
        }
        _ => {}
    }
    start(hand, cron, due).await?;
    Ok(next)
}

async fn start(hand: &Hand, cron: &mut Value, due: Timestamp) -> Result<(), Status> {
    let template = &cron["spec"]["jobTemplate"];
    let mut metadata = json!({
        "name": format!("{}-{}", name(cron), due.as_second() / 60), "namespace": namespace(cron),
        "annotations": { "batch.kubernetes.io/cronjob-scheduled-timestamp": stamp(due) },
        "ownerReferences": [reference(cron, KIND)],
    });
    for (key, value) in template["metadata"]["annotations"].as_object().into_iter().flatten() {
        metadata["annotations"][key] = value.clone();
    }
    if let Some(labels) = template["metadata"].get("labels") {
        metadata["labels"] = labels.clone();
    }
    let job = json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"] });
    match hand.create(job::JOBS, job).await {
        Ok(made) => {
            let message = format!("Created job {}", name(&made));
            hand.event(cron, Gravity::Normal, "SuccessfulCreate", &message).await;
            let entry = json!({
                "kind": "Job", "namespace": namespace(&made), "name": name(&made), "uid": made["metadata"]["uid"],
                "apiVersion": "batch/v1", "resourceVersion": made["metadata"]["resourceVersion"],
            });
            list_at(&mut cron["status"], "active").push(entry);
        }
        Err(status) if status.reason == "AlreadyExists" => {}
        Err(status) => {
            let message = format!("Error creating job: {}", status.message);
            hand.event(cron, Gravity::Warning, "FailedCreate", &message).await;
            return Err(status);
        }
    }
    map_at(cron, "status").insert("lastScheduleTime".to_owned(), stamp(due));
    Ok(())
}
