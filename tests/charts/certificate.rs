//! Keys and certificates, which are other ones each time: what one renderer makes says the same as what the other makes, and each signs
//! with what the other made.

use runbook_chart::{Chart, Dialect};
use runbook_control_plane::required_or_skip;
use serde_json::{Value, json};
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::X509Certificate;

use crate::answer::{Answer, Helm, ours};
use crate::expression::{chart, on_disk};

/// Makes an authority with a key of a kind, and certificates by it and by themselves.
const MAKE: &str = r#"
{{- $ca := genCA "authority" 365 -}}
{{- if .Values.kind }}{{ $ca = genCAWithKey "authority" 365 (genPrivateKey .Values.kind) }}{{ end -}}
{{- $addresses := list "10.0.0.7" "fd00::1" -}}
{{- $hosts := list "web.shop.svc" "*.example.com" -}}
{{- $made := dict
  "authority" $ca
  "leaf" (genSignedCertWithKey "web" $addresses $hosts 30 $ca (genPrivateKey "ed25519"))
  "plain" (genSignedCert "plain" nil nil 1 $ca)
  "own" (genSelfSignedCertWithKey "own" nil (list "own") 3650 (genPrivateKey "ecdsa"))
-}}
made: {{ range $name, $one := $made }}{{ $_ := set $made $name (dict "cert" $one.Cert "key" $one.Key) }}{{ end }}{{ toJson $made }}
"#;

/// Takes an authority from the values and signs with it.
const TAKE: &str = r#"
{{- $ca := buildCustomCert (b64enc .Values.cert) (b64enc .Values.key) -}}
{{- $leaf := genSignedCertWithKey "taken" nil (list "taken") 30 $ca (genPrivateKey "ecdsa") -}}
{{- $again := genCAWithKey "again" 2 $ca.Key -}}
made: {{ toJson (dict "leaf" (dict "cert" $leaf.Cert "key" $leaf.Key) "again" (dict "cert" $again.Cert "key" $again.Key) "same" (eq $ca.Cert .Values.cert)) }}
"#;

/// A template and what both sides make of it.
struct Sides {
    helm: Helm,
    dialect: Dialect,
}

impl Sides {
    fn theirs(&mut self, template: &str, given: &Value) -> Value {
        let folder = on_disk(&chart(&[("made.yaml".to_owned(), template.to_owned())]));
        made(&self.helm.ask(folder.path(), &given.to_string()))
    }

    fn ours(&self, template: &str, given: &Value) -> Value {
        let chart = Chart::from_files(chart(&[("made.yaml".to_owned(), template.to_owned())]));
        made(&ours(&chart, &given.to_string(), self.dialect))
    }
}

fn made(answer: &Answer) -> Value {
    let printed = answer.as_ref().unwrap_or_else(|words| panic!("refused: {words}"));
    let line = printed.lines().find_map(|line| line.strip_prefix("made: ")).unwrap_or_else(|| panic!("{printed}"));
    serde_json::from_str(line).unwrap()
}

/// What a certificate says but for its keys, its number and its moment; and which kind of key goes with it.
fn said(one: &Value) -> Vec<String> {
    let (_, pem) = parse_x509_pem(one["cert"].as_str().unwrap().as_bytes()).unwrap();
    let certificate = pem.parse_x509().unwrap();
    let lasts = certificate.validity().not_after.timestamp() - certificate.validity().not_before.timestamp();
    let usage = certificate.key_usage().unwrap().map(|usage| usage.value.to_string());
    let extended = certificate.extended_key_usage().unwrap().map(|usage| {
        let usage = usage.value;
        (usage.server_auth, usage.client_auth, usage.any, usage.other.len())
    });
    let authority = certificate.basic_constraints().unwrap().map(|found| (found.critical, found.value.ca));
    let names = certificate.subject_alternative_name().unwrap().map(|names| format!("{:?}", names.value.general_names));
    let key = one["key"].as_str().unwrap();
    vec![
        format!("{} by {}", certificate.subject(), certificate.issuer()),
        format!("lasts {lasts}"),
        format!("usage {usage:?} {extended:?}"),
        format!("authority {authority:?}"),
        format!("names {names:?}"),
        format!("signed {}", certificate.signature_algorithm.algorithm),
        format!("version {}", certificate.version()),
        key.lines().next().unwrap_or_default().to_owned(),
    ]
}

/// Fails unless one is signed by the other.
#[track_caller]
fn is_signed(one: &Value, by: &Value) {
    let read = |one: &Value| parse_x509_pem(one["cert"].as_str().unwrap().as_bytes()).unwrap().1;
    let (one, by) = (read(one), read(by));
    let by: X509Certificate<'_> = by.parse_x509().unwrap();
    one.parse_x509().unwrap().verify_signature(Some(by.public_key())).unwrap();
}

fn handed_over(test: &str, dialect: Dialect) {
    let Some(binaries) = required_or_skip(test) else { return };
    let mut sides = Sides { helm: Helm::of(&binaries, dialect, "certificates"), dialect };
    // The key of an authority that is given none is one of RSA.
    for kind in ["", "ecdsa", "ed25519"] {
        let (theirs, ours) = (sides.theirs(MAKE, &json!({ "kind": kind })), sides.ours(MAKE, &json!({ "kind": kind })));
        for name in ["authority", "leaf", "plain", "own"] {
            assert_eq!(said(&ours[name]), said(&theirs[name]), "{kind} {name}");
        }
        is_signed(&ours["leaf"], &ours["authority"]);
        is_signed(&ours["plain"], &ours["authority"]);
        is_signed(&ours["own"], &ours["own"]);
        let (by_them, by_us) = (sides.theirs(TAKE, &ours["authority"]), sides.ours(TAKE, &theirs["authority"]));
        for (taken, authority) in [(&by_them, &ours["authority"]), (&by_us, &theirs["authority"])] {
            assert_eq!(taken["same"], true);
            is_signed(&taken["leaf"], authority);
            assert_eq!(taken["again"]["key"], authority["key"], "a key is written as it was");
        }
        assert_eq!(said(&by_us["leaf"]), said(&by_them["leaf"]));
        assert_eq!(said(&by_us["again"]), said(&by_them["again"]));
    }
}

#[test]
fn certificates_are_those_of_helm_4() {
    handed_over("certificates_are_those_of_helm_4", Dialect::Helm4);
}

#[test]
fn certificates_are_those_of_helm_3() {
    handed_over("certificates_are_those_of_helm_3", Dialect::Helm3);
}
