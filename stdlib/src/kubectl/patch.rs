//! `kubectl::patch`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Code, Effect, Fault, Outcome, Param, Primitive, Repeat, Value};
use serde_json::{Map, json};

use super::api::{Api, without_managed_fields};
use super::option::{CONTEXT, FIELD_MANAGER, KIND, MANAGER, NAME, NAMESPACE, Target};
use super::outcome::{self, Changed, Decision, Trace, is_condition, settle};
use super::query::{Patch, Writing};
use crate::difference::{self, Difference};
use crate::path::Path;
use runbook_core::command::Command;

const PATCH_BODY: Param<Value> = Param::required("patch", "The patch: a map, or for `json` a list of operations.");
const TYPE: Param<Option<String>> =
    Param::option("type", "`merge` (RFC 7386), `json` (RFC 6902) or `strategic` (built-in kinds); `merge` if absent.");
const TEST: Param<Option<Map<String, Value>>> = Param::option(
    "test",
    "What must hold before, by path: `#{ \"spec.replicas\": 2 }`, `()` for what must be absent. A fault where it does not.",
);
const SUBRESOURCE: Param<Option<String>> = Param::option("subresource", "Patch a part: `status` or `scale`.");

/// How often a patch is tried anew because the object changed between test and patch.
const ROUNDS: usize = 5;

/// `kubectl::patch`
pub(super) const PATCH: Primitive = Primitive {
    name: "kubectl::patch",
    summary: "Change fields of an object; sends nothing where the object already is so.",
    params: &[&KIND, &NAME, &PATCH_BODY, &NAMESPACE, &TYPE, &TEST, &SUBRESOURCE, &FIELD_MANAGER, &CONTEXT],
    effect: Effect::Write(Repeat::Ask),
    answer: Answer::Recorded,
    announce,
    command: |args| Some(command(args)),
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"
            let patched = kubectl::patch("configmap", "settings", #{ data: #{ colour: "green" } }, #{
                namespace: "shop",
                test: #{ "data.colour": "blue" },
            });
            patched.changes
        "#,
        expect: r#"[{"new":"green","old":"blue","path":"data.colour"}]"#,
    }],
};

fn announce(args: &Args) -> String {
    let part = args.get(&SUBRESOURCE).map(|part| format!("{part} of ")).unwrap_or_default();
    format!("patch {part}{}", Target::of(args).words(&args.get(&KIND), &args.get(&NAME)))
}

fn command(args: &Args) -> Command {
    let kind = args.get(&KIND).to_lowercase();
    // What is patched into a Secret is not for people.
    let body = if kind.starts_with("secret") { "<secret>".to_owned() } else { args.get(&PATCH_BODY).to_string() };
    let line = Command::new("kubectl patch").word(args.get(&KIND)).word(args.get(&NAME));
    let line = line
        .flag("--type", Some(args.get(&TYPE).unwrap_or_else(|| "merge".to_owned())))
        .flag("--subresource", args.get(&SUBRESOURCE))
        .flag("--patch", Some(body));
    Target::of(args).flags(line)
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let body = args.get(&PATCH_BODY);
    let part = args.get(&SUBRESOURCE);
    if let Some(part) = &part {
        super::name::check("subresource", part)?;
    }
    let tests = Tests::parse(&args.get(&TEST).unwrap_or_default())?;
    let word = args.get(&TYPE).unwrap_or_else(|| "merge".to_owned());
    let fits = if word == "json" { body.is_array() } else { body.is_object() };
    if !fits {
        let wanted = if word == "json" { "a list of operations" } else { "a map" };
        return Err(Fault::new(Code::WrongArgument, format!("a patch of type `{}` is {wanted}", word.escape_debug())));
    }
    let target = Target::of(args);
    let cluster = target.cluster(call)?;
    let writing = Writing::by(&args.get(&FIELD_MANAGER).unwrap_or_else(|| MANAGER.to_owned()));
    let name = args.get(&NAME);
    call.write(async {
        let api = target.open(&cluster, &args.get(&KIND)).await?;
        let patching = Patching { api: &api, name: &name, part: part.as_deref(), tests: &tests, writing: &writing };
        let changed = match word.as_str() {
            "merge" => patching.merge(&body).await?,
            "strategic" => patching.strategic(&body).await?,
            "json" => patching.json(&body).await?,
            other => {
                let message = format!("`type` is `merge`, `json` or `strategic`, not `{}`", other.escape_debug());
                return Err(Fault::new(Code::WrongArgument, message));
            }
        };
        Ok(answer(&api.title(&name), changed))
    })
}

fn answer(title: &str, Changed { before, after }: Changed) -> Value {
    let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
    let really = after.as_ref().is_some_and(|after| version(after) != version(&before));
    let changes = after.as_ref().map(|after| difference::between(&before, after)).unwrap_or_default();
    let mut object = after.unwrap_or(before);
    without_managed_fields(&mut object);
    json!({
        "changed": really,
        "changes": changes.iter().map(Difference::to_value).collect::<Vec<_>>(),
        "summary": format!("{title}: {}", if really { "patched" } else { "unchanged" }),
        "object": object,
    })
}

/// What must hold before.
struct Tests(Vec<(Path, Value)>);

impl Tests {
    fn parse(tests: &Map<String, Value>) -> Result<Self, Fault> {
        let parsed = tests.iter().map(|(path, value)| {
            Path::parse(path)
                .map(|path| (path, value.clone()))
                .map_err(|reason| Fault::new(Code::WrongArgument, format!("`test`: {reason}")))
        });
        parsed.collect::<Result<_, _>>().map(Self)
    }

    /// Whether a patch must only reach the object that was tested.
    fn bind(&self) -> bool {
        !self.0.is_empty()
    }

    /// Faults: `RB026` with what was expected and what was found.
    fn check(&self, title: &str, object: &Value) -> Result<(), Fault> {
        for (path, expected) in &self.0 {
            let found = path.at(object).unwrap_or(&Value::Null);
            if found != expected {
                let secret = object["kind"] == "Secret";
                let shown = |value: &Value| if secret { "something else".to_owned() } else { shown(value) };
                let message = format!(
                    "{title}: `{path}` is {}, expected {}; nothing was changed",
                    shown(found),
                    if secret { "what the test says".to_owned() } else { shown(expected) }
                );
                let fault = Fault::new(Code::Precondition, message).about(title).with("path", path.to_string());
                return Err(if secret {
                    fault
                } else {
                    fault.with("expected", expected.clone()).with("found", found.clone())
                });
            }
        }
        Ok(())
    }
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => return "absent".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    format!("`{}`", crate::readiness::object::shortened(&text, 120))
}

/// One patch of one object.
struct Patching<'a> {
    api: &'a Api,
    name: &'a str,
    part: Option<&'a str>,
    tests: &'a Tests,
    writing: &'a Writing,
}

impl Patching<'_> {
    async fn merge(&self, body: &Value) -> Result<Changed, Fault> {
        let title = self.api.title(self.name);
        outcome::change(self.api, self.name, self.part, self.writing, |before| {
            // A second time, what the first time changed no longer is as it was.
            if outcome::holds(before, body) {
                return Ok(None);
            }
            self.tests.check(&title, before)?;
            let looked_at = self.tests.0.iter().map(|(path, _)| path.clone()).collect();
            Ok(Some(Decision { patch: body.clone(), looked_at }))
        })
        .await
    }

    /// What it would make of the object only the server can tell.
    async fn strategic(&self, body: &Value) -> Result<Changed, Fault> {
        self.guarded(|before| {
            let mut patch = body.clone();
            if self.tests.bind() {
                patch["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"].clone();
            }
            Ok(Some(Patch::Strategic(patch)))
        })
        .await
    }

    async fn json(&self, body: &Value) -> Result<Changed, Fault> {
        let operations: json_patch::Patch = serde_json::from_value(body.clone())
            .map_err(|error| Fault::new(Code::WrongArgument, format!("the patch is no JSON patch: {error}")))?;
        self.guarded(|before| {
            let mut after = before.clone();
            json_patch::patch(&mut after, &operations).map_err(|error| self.inapplicable(&error))?;
            if after == *before {
                return Ok(None);
            }
            let version = &before["metadata"]["resourceVersion"];
            let unmoved = json!({ "op": "test", "path": "/metadata/resourceVersion", "value": version });
            let whole =
                self.tests.bind().then_some(unmoved).into_iter().chain(body.as_array().into_iter().flatten().cloned());
            Ok(Some(Patch::Json(whole.collect())))
        })
        .await
    }

    fn inapplicable(&self, error: &json_patch::PatchError) -> Fault {
        let title = self.api.title(self.name);
        let code = match error.kind {
            json_patch::PatchErrorKind::TestFailed => Code::Precondition,
            _ => Code::Rejected,
        };
        Fault::new(
            code,
            format!(
                "{title}: operation {} of the patch, on `{}`: {}; nothing was changed",
                error.operation + 1,
                error.path,
                error.kind
            ),
        )
        .about(title)
    }

    /// Reads, tests, and sends a patch; where there are tests, it holds only for the version that was tested.
    async fn guarded(&self, make: impl Fn(&Value) -> Result<Option<Patch>, Fault>) -> Result<Changed, Fault> {
        let mut round = 1;
        loop {
            let before = self.api.get_part(self.name, self.part).await?;
            self.tests.check(&self.api.title(self.name), &before)?;
            let Some(patch) = make(&before)? else { return Ok(Changed { before, after: None }) };
            let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
            let sent = settle(
                self.api,
                self.name,
                async || self.api.patch_part(self.name, self.part, &patch, self.writing).await,
                |live| match live {
                    Some(live) if version(&live) == version(&before) => Trace::NotDone,
                    _ => Trace::Unclear,
                },
            );
            match sent.await {
                Ok(after) => return Ok(Changed { before, after: Some(after) }),
                Err(fault) if round < ROUNDS && is_condition(&fault) => {
                    if version(&self.api.get_part(self.name, self.part).await?) == version(&before) {
                        return Err(fault);
                    }
                    round += 1;
                }
                Err(fault) => return Err(fault),
            }
        }
    }
}
