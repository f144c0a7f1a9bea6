//! Which disruption budgets speak of the pods that a run takes away.
//!
//! Does not know why the pods go. A budget holds back evictions; a rollout it does not.

use runbook_core::Value;
use runbook_stdlib::value::labels;

use super::disruption::{Disruption, Pods};
use crate::screen;

/// Says of each disruption of pods which of these budgets speaks of them, or that none does.
pub(super) fn name(disturbs: &mut [Disruption], budgets: &[Value]) {
    for disruption in disturbs {
        let Some(pods) = &disruption.pods else { continue };
        let spoken: Vec<String> = budgets.iter().filter(|budget| speaks_of(budget, pods)).map(in_words).collect();
        let words = if spoken.is_empty() { "no PodDisruptionBudget".to_owned() } else { spoken.join(", ") };
        disruption.what = format!("{}, {words}", disruption.what);
    }
}

fn speaks_of(budget: &Value, pods: &Pods) -> bool {
    // One without a selector is for nobody (policy/v1).
    let selector = budget["spec"]["selector"].as_object();
    budget["metadata"]["namespace"] == pods.namespace.as_str()
        && selector.is_some_and(|selector| labels::fits(selector, &pods.labels).unwrap_or(false))
}

fn in_words(budget: &Value) -> String {
    let said = ["minAvailable", "maxUnavailable"].iter().find_map(|field| Some((field, budget["spec"].get(field)?)));
    let said = said.map(|(field, value)| format!(" ({field} {})", screen::plain(value))).unwrap_or_default();
    format!("PodDisruptionBudget {}{said}", screen::plain(&budget["metadata"]["name"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dry_run::Grade;
    use serde_json::json;

    #[test]
    fn each_budget_that_speaks_of_the_pods_is_named() {
        let disruption = |app: &str| Disruption {
            step: "s".to_owned(),
            what: format!("deployment shop/{app}: 1 pod is replaced"),
            why: String::new(),
            grade: Grade::Simulated,
            pods: Some(Pods {
                namespace: "shop".to_owned(),
                labels: json!({ "app": app }).as_object().cloned().unwrap(),
            }),
        };
        let budget = |namespace: &str, name: &str, spec: Value| json!({ "metadata": { "namespace": namespace, "name": name }, "spec": spec });
        let selector = json!({ "matchLabels": { "app": "web" } });
        let budgets = [
            budget("shop", "web", json!({ "minAvailable": "50%", "selector": selector })),
            budget("bank", "web", json!({ "minAvailable": 1, "selector": selector })),
            budget("shop", "nobody", json!({ "maxUnavailable": 1 })),
        ];
        let mut found = [disruption("web"), disruption("cart")];
        name(&mut found, &budgets);
        assert!(found[0].what.ends_with(", PodDisruptionBudget web (minAvailable 50%)"), "{}", found[0].what);
        assert!(found[1].what.ends_with(", no PodDisruptionBudget"), "{}", found[1].what);
    }
}
