//! `helm::template`

use runbook_core::primitive::Answer;
use runbook_core::{Args, Call, Effect, Example, Outcome, Param, Primitive, Value};

use super::object;
use super::option::{CHART, NAMESPACE, SET, SKIP_SCHEMA, VALUES, VALUES_FILES, VERSION};
use super::order::SKIP_CRDS;
use super::overlay;
use super::tool::{Feature, Line, Tool};
use runbook_core::command::Command;

const RELEASE: Param<Option<String>> =
    Param::option("release", "Name of the release to render for; `release-name` if absent.");
const SHOW_ONLY: Param<Option<Vec<String>>> =
    Param::option("show_only", "Templates to render, such as `templates/service.yaml`; all if absent.");
const API_VERSIONS: Param<Option<Vec<String>>> = Param::option(
    "api_versions",
    "Kinds that the chart shall believe the cluster to have, such as `apps/v1/Deployment`.",
);
const KUBE_VERSION: Param<Option<String>> =
    Param::option("kube_version", "Version of Kubernetes that the chart shall believe in; helm's own if absent.");
const INCLUDE_CRDS: Param<Option<bool>> =
    Param::option("include_crds", "Render what is in the chart's `crds` folder too; false if absent.");
const IS_UPGRADE: Param<Option<bool>> = Param::option("is_upgrade", "Render as for an upgrade; false if absent.");

/// `helm::template`
pub(super) const TEMPLATE: Primitive = Primitive {
    name: "helm::template",
    summary: "Render a chart without a cluster, and give the objects.",
    params: &[
        &CHART,
        &RELEASE,
        &NAMESPACE,
        &VERSION,
        &VALUES,
        &VALUES_FILES,
        &SET,
        &SHOW_ONLY,
        &API_VERSIONS,
        &KUBE_VERSION,
        &INCLUDE_CRDS,
        &SKIP_CRDS,
        &IS_UPGRADE,
        &SKIP_SCHEMA,
    ],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce,
    command,
    run,
    examples: &[Example {
        cluster: "",
        script: r#"helm::template(helm::chart("web", #{ charts: "./charts", version: "1.1.0" }), #{ show_only: ["templates/service.yaml"] })[0].kind"#,
        expect: r#""Service""#,
    }],
};

fn announce(args: &Args) -> String {
    format!("render {}", args.get(&CHART).in_words(args.get(&VERSION).as_deref()))
}

fn command(args: &Args) -> Option<Command> {
    let release = args.get(&RELEASE).unwrap_or_else(|| "release-name".to_owned());
    let line = Command::new("helm template").word(&release).word(args.get(&CHART).chart);
    let line = line.flag("--version", args.get(&VERSION)).flag("--namespace", args.get(&NAMESPACE));
    let line = args.get(&VALUES_FILES).unwrap_or_default().iter().fold(line, |line, file| line.word("-f").word(file));
    let line = overlay::typed(args).into_iter().fold(line, |line, values| line.file(format!("{release}.yaml"), values));
    Some(args.get(&SHOW_ONLY).unwrap_or_default().iter().fold(line, |line, name| line.word("-s").word(name)))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    call.block_on(async {
        let on = |param: &Param<Option<bool>>| args.get(param) == Some(true);
        let tool = Tool::for_charts(call.world).await?;
        tool.require(Feature::SkipSchemaValidation, on(&SKIP_SCHEMA))?;
        let release = args.get(&RELEASE).unwrap_or_else(|| "release-name".to_owned());
        let chart = args.get(&CHART).locate(call.world, args.get(&VERSION))?;
        let line = chart.add_to(Line::reading("template").flag("--namespace", args.get(&NAMESPACE)).release(&release));
        let many = |line: Line, flag: &'static str, param: &Param<Option<Vec<String>>>| {
            args.get(param).unwrap_or_default().into_iter().fold(line, |line, one| line.flag(flag, Some(one)))
        };
        let line = many(many(line, "--show-only", &SHOW_ONLY), "--api-versions", &API_VERSIONS)
            .flag("--kube-version", args.get(&KUBE_VERSION))
            .switch("--include-crds", on(&INCLUDE_CRDS))
            .switch("--skip-crds", on(&SKIP_CRDS))
            .switch("--is-upgrade", on(&IS_UPGRADE))
            .switch("--skip-schema-validation", on(&SKIP_SCHEMA))
            .values(overlay::given(call.world, args)?);
        Ok(Value::Array(object::parse(&tool.run(line).await?)?))
    })
}
