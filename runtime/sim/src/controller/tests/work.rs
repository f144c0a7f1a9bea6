//! Jobs, and those that the clock makes.

use serde_json::{Value, json};

use super::{Bench, template};
use crate::{
    controller::{Habits, condition},
    resource::Resource,
};

const JOBS: Resource = Resource::of("batch", "v1", "jobs");
const CRON_JOBS: Resource = Resource::of("batch", "v1", "cronjobs");

fn job(name: &str, spec: &Value) -> Value {
    let mut template = template(name, "a:1");
    template["spec"]["restartPolicy"] = "Never".into();
    let mut job = json!({ "metadata": { "name": name, "namespace": "shop" }, "spec": spec.clone() });
    job["spec"]["template"] = template;
    job
}

#[tokio::test]
async fn a_job_is_complete_once_enough_pods_have_ended_well() {
    let bench = Bench::new(Habits::default()).await;
    bench.create(JOBS, &job("j", &json!({ "completions": 3, "parallelism": 2 }))).await;
    bench.pass(200).await;
    assert_eq!(bench.pods().len(), 2);
    bench.pass(8000).await;
    let done = bench.get(JOBS, "j");
    assert!(condition::holds(&done, "Complete"));
    assert!(condition::holds(&done, "SuccessCriteriaMet"));
    assert_eq!((&done["status"]["succeeded"], done["status"].get("active")), (&json!(3), None));
    assert!(done["status"]["completionTime"].is_string());
    assert!(bench.events("j").contains(&("Completed".to_owned(), "Job completed".to_owned())));
}

#[tokio::test]
async fn a_job_gives_up_after_so_many_failures_or_so_long() {
    let bench = Bench::new(Habits::default()).await;
    let mut failing = job("failing", &json!({ "backoffLimit": 1 }));
    failing["spec"]["template"]["metadata"]["annotations"] = json!({ "control-plane.test/fail": "crash-loop" });
    bench.create(JOBS, &failing).await;
    let mut slow = job("slow", &json!({ "activeDeadlineSeconds": 5, "ttlSecondsAfterFinished": 60 }));
    slow["spec"]["template"]["metadata"]["annotations"] = json!({ "control-plane.test/fail": "image-pull" });
    bench.create(JOBS, &slow).await;
    bench.pass(30_000).await;
    let reason = |name: &str| {
        let job = bench.get(JOBS, name);
        condition::find(&job, "/status/conditions", "Failed").map(|it| it["reason"].clone()).unwrap_or_default()
    };
    assert_eq!(reason("failing"), "BackoffLimitExceeded");
    assert_eq!(bench.get(JOBS, "failing")["status"]["failed"], 2);
    assert_eq!(reason("slow"), "DeadlineExceeded");
    bench.pass(60_000).await;
    assert_eq!(bench.get(JOBS, "slow"), Value::Null, "it was over for as long as it says");
}

#[tokio::test]
async fn a_suspended_job_has_no_pods() {
    let bench = Bench::new(Habits::default()).await;
    bench.create(JOBS, &job("j", &json!({ "suspend": true }))).await;
    bench.pass(1000).await;
    assert!(bench.pods().is_empty());
    assert!(condition::holds(&bench.get(JOBS, "j"), "Suspended"));
    bench.merge(JOBS, "j", json!({ "spec": { "suspend": false } })).await;
    bench.pass(5000).await;
    assert!(condition::holds(&bench.get(JOBS, "j"), "Complete"));
}

#[tokio::test]
async fn the_clock_makes_jobs_and_only_the_latest_are_kept() {
    let bench = Bench::new(Habits::default()).await;
    let spec = job("x", &json!({}))["spec"].clone();
    let cron = json!({
        "metadata": { "name": "nightly", "namespace": "shop" },
        "spec": { "schedule": "* * * * *", "successfulJobsHistoryLimit": 2, "jobTemplate": { "spec": spec } },
    });
    bench.create(CRON_JOBS, &cron).await;
    bench.pass(65_000).await;
    let jobs = bench.hand.list(JOBS, Some("shop"));
    assert_eq!(jobs.len(), 1);
    assert!(condition::holds(&jobs[0], "Complete"));
    bench.pass(190_000).await;
    let cron = bench.get(CRON_JOBS, "nightly");
    assert!(cron["status"]["lastScheduleTime"].is_string() && cron["status"]["lastSuccessfulTime"].is_string());
    assert_eq!(cron["status"].get("active"), None);
    assert_eq!(bench.hand.list(JOBS, Some("shop")).len(), 2);
}
