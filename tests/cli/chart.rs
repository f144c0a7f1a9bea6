//! `chart diff`: what a chart changes, told to people.

use snapbox::str;

use crate::bench::{Bench, says};

#[test]
fn what_a_version_adds_and_changes_is_told_without_what_changes_everywhere() {
    says!(
        Bench::new().run(&["chart", "diff", "embedded/base@1.29.6", "embedded/base@1.30.3"]),
        str![[r#"
-- stdout
base-1.29.6 -> base-1.30.3
  + CustomResourceDefinition/trafficextensions.extensions.istio.io
  16 more objects change only the labels of their version
1 added, 0 removed, 16 changed
-- exit 0

"#]]
    );
    says!(
        Bench::new().run(&["chart", "diff", "embedded/istiod@1.29.6", "embedded/istiod@1.30.3"]),
        str![[r#"
-- stdout
istiod-1.29.6 -> istiod-1.30.3
  ~ ConfigMap/istio-sidecar-injector
      data.values
        @@ -6,3 +6,3 @@
             "caAddress": "",
        -    "hub": "docker.io/istio",
        +    "hub": "registry.istio.io/release",
             "imagePullPolicy": "",
        @@ -34,3 +34,3 @@
             },
        -    "tag": "1.29.6",
        +    "tag": "1.30.3",
             "variant": "distroless",
  ~ Deployment/istiod
      spec.template.spec.containers[name=discovery].image
          docker.io/istio/pilot:1.29.6-distroless ->
          registry.istio.io/release/pilot:1.30.3-distroless
  15 more objects change only the labels of their version
0 added, 0 removed, 17 changed
-- exit 0

"#]]
    );
}

#[test]
fn charts_that_are_not_there_are_named() {
    says!(
        Bench::new().run(&["chart", "diff", "embedded/base@1.0.0", "embedded/base"]),
        str![[r#"
-- stderr
RB044  no chart `base` 1.0.0 is embedded                                  exit 3

Next: there are 1.29.6, 1.30.3
-- exit 3

"#]]
    );
    says!(
        Bench::new().run(&["chart", "diff", "embedded/base", "http://127.0.0.1:1/base.tgz"]),
        str![[r#"
-- stderr
RB025  `http://127.0.0.1:1/base.tgz` cannot be reached: client error      exit 3
       (Connect): tcp connect error: Connection refused (os error 111)
-- exit 3

"#]]
    );
}

#[test]
fn the_helm_that_is_built_in_is_not_for_live_runs() {
    says!(
        Bench::new().run(&["rolling-restart.rhai", "--name", "web", "--helm", "builtin", "--yes"]),
        str![[r#"
-- stderr
RB002  `--helm builtin` is for rehearsals and dry runs; a live run needs  exit 1
       the real helm

Next: leave `--helm` out where `helm` is on the PATH, or name it with `--helm
      PATH`
-- exit 1

"#]]
    );
}
