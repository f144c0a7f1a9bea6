//! What the catalogue says of built-in kinds and of those that CRDs add.

use serde_json::{Value, json};

use super::*;

fn crd(plural: &str, kind: &str) -> Value {
    json!({
        "metadata": { "name": format!("{plural}.shop.example") },
        "spec": {
            "group": "shop.example",
            "names": { "plural": plural, "kind": kind, "shortNames": ["gd"], "categories": ["all"] },
            "scope": "Namespaced",
            "versions": [
                { "name": "v1beta1", "served": true, "storage": false },
                {
                    "name": "v1", "served": true, "storage": true,
                    "subresources": { "status": {}, "scale": { "specReplicasPath": ".spec.size" } },
                    "schema": { "openAPIV3Schema": {
                        "type": "object",
                        "properties": { "spec": { "type": "object", "properties": { "size": { "type": "integer" } } } },
                    } },
                },
                { "name": "v2", "served": false, "storage": false },
            ],
        },
    })
}

#[test]
fn built_in_kinds_are_found_by_path_and_by_name() {
    let catalogue = Catalogue::builtin();
    let deployments = catalogue.find("apps", "v1", "deployments").unwrap();
    assert_eq!((deployments.kind.as_str(), deployments.namespaced), ("Deployment", true));
    assert_eq!(deployments.short_names, ["deploy"]);
    let scale = deployments.subresource("scale").unwrap();
    assert_eq!((scale.group.as_str(), scale.kind.as_str()), ("autoscaling", "Scale"));
    assert_eq!(catalogue.by_kind("v1", "Namespace").unwrap().plural, "namespaces");
    assert!(catalogue.find("apps", "v1beta1", "deployments").is_none());
    assert_eq!(catalogue.by_kind("v1", "Pod").unwrap().schema_name(), Some("io.k8s.api.core.v1.Pod"));
}

#[test]
fn a_crd_adds_its_served_versions_and_takes_them_away() {
    let with = Catalogue::builtin().with_crd(&crd("goods", "Good"));
    let versions: Vec<_> = with.versions("shop.example", "goods").iter().map(|kind| kind.version.clone()).collect();
    assert_eq!(versions, ["v1", "v1beta1"]);
    assert_eq!(with.by_kind("shop.example/v1", "Good").unwrap().list_kind, "GoodList");
    let group = with.group("shop.example").unwrap();
    assert_eq!(group["preferredVersion"]["version"], "v1");
    let listed = with.resource_list("shop.example", "v1").unwrap();
    let names: Vec<_> = listed["resources"].as_array().unwrap().iter().map(|entry| &entry["name"]).collect();
    assert_eq!(names, ["goods", "goods/status", "goods/scale"]);
    let without = with.without_crd("goods.shop.example");
    assert!(without.group("shop.example").is_none() && without.find("shop.example", "v1", "goods").is_none());
}

#[test]
fn names_that_another_crd_has_are_a_conflict() {
    let with = Catalogue::builtin().with_crd(&crd("goods", "Good"));
    assert_eq!(with.conflict(&crd("goods", "Good")), None);
    let found = with.conflict(&crd("wares", "Ware")).unwrap();
    assert_eq!((found.reason, found.message.as_str()), ("ShortNamesConflict", "\"gd\" is already in use"));
    let found = with.conflict(&crd("wares", "Good")).unwrap();
    assert_eq!(found.reason, "KindConflict");
}

#[test]
fn versions_are_preferred_as_the_server_prefers_them() {
    let mut versions = ["v1alpha1", "foo", "v10", "v2beta2", "v2", "v2beta10", "bar"];
    versions.sort_by_key(|version| custom::Preference::of(version));
    assert_eq!(versions, ["v10", "v2", "v2beta10", "v2beta2", "v1alpha1", "bar", "foo"]);
}

#[test]
fn documents_are_whole_and_name_what_patches_take() {
    let catalogue = Catalogue::builtin().with_crd(&crd("goods", "Good"));
    for path in catalogue.openapi_index()["paths"].as_object().unwrap().keys() {
        let document = catalogue.openapi(path).unwrap();
        let schemas = &document["components"]["schemas"];
        let text = document.to_string();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(schemas[name].is_object(), "{path} refers to {name}");
        }
    }
    let goods = catalogue.openapi("apis/shop.example/v1").unwrap();
    let patch = &goods["paths"]["/apis/shop.example/v1/namespaces/{namespace}/goods/{name}"]["patch"];
    assert_eq!(patch["x-kubernetes-group-version-kind"]["kind"], "Good");
    assert_eq!(patch["parameters"][2]["name"], "fieldValidation");
    assert!(goods["components"]["schemas"]["example.shop.v1.Good"]["properties"]["spec"].is_object());
}

#[test]
fn another_definition_gives_its_document_another_hash() {
    let url = |crd: &Value| {
        let index = Catalogue::builtin().with_crd(crd).openapi_index();
        index["paths"]["apis/shop.example/v1"]["serverRelativeURL"].clone()
    };
    let mut other = crd("goods", "Good");
    other["spec"]["versions"][1]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["size"]["minimum"] =
        1.into();
    assert_ne!(url(&crd("goods", "Good")), url(&other));
}

#[test]
fn every_recorded_kind_has_a_schema_that_was_recorded() {
    let mut stored = 0;
    for kind in Catalogue::builtin().all().filter(|kind| kind.allows("get")) {
        assert!(kind.schema_name().and_then(recorded_schema).is_some(), "{}", kind.qualified());
        stored += 1;
    }
    assert!(stored > 50, "{stored}");
}
