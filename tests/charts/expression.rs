//! Functions and the language itself, one expression each, answered by helm and by us.

use runbook_chart::{Chart, Dialect};
use runbook_control_plane::required_or_skip;

use crate::answer::{Helm, Tally, ours};

/// What the expressions see as `.Values`.
const VALUES: &str = "a: one\nn: 3\nf: 1.5\nbig: 1e6\nhuge: 123456789012\nlist: [3, 1, 2]\nwords: [b, a, c, a]\nmap: {x: 1, w: {z: two}}\nyes: 'yes'\nempty: ''\nnothing: null\ntext: \"one\\ntwo\\n\"\nlong: 'The quick brown fox jumps over the lazy dog and then goes on for quite a while until the line is much too long'\nodd: {'1': a, '10': b, '2': c, 'A': d, 'a': e, '_': f, 'true': g}\ntpl: '{{ .Values.a | upper }}'\n";

/// Expressions with an answer.
const ANSWERED: &[&str] = &[
    "{{ .Values.n }} {{ .Values.f }} {{ .Values.big }} {{ .Values.huge }}",
    "{{ .Values.missing }}|{{ .Values.nothing }}|{{ (.Values.missing).deeper }}",
    "{{ printf \"%v %d %s %q %5.2f %05d %x %t %T\" .Values.a 3 \"s\" \"q\" 1.5 42 255 true .Values.n }}",
    "{{ printf \"%d %s %v\" .Values.n .Values.n .Values.list }}",
    "{{ printf \"%s\" }} {{ printf \"%d\" 1 2 }} {{ printf \"%-5s|%5s|%+d\" \"a\" \"b\" 3 }}",
    "{{ .Values.list }} {{ .Values.map }} {{ list 1 \"a\" nil true 1.0 }} {{ dict \"a\" 1 \"b\" nil }}",
    "{{ range $i, $e := .Values.list }}{{ $i }}={{ $e }},{{ end }}",
    "{{ range $k, $v := .Values.odd }}{{ $k }}={{ $v }},{{ end }}",
    "{{ range 3 }}{{ . }}{{ end }}{{ range .Values.nothing }}x{{ else }}none{{ end }}",
    "{{ range .Values.words }}{{ if eq . \"c\" }}{{ break }}{{ end }}{{ if eq . \"a\" }}{{ continue }}{{ end }}{{ . }}{{ end }}",
    "{{ with .Values.map }}{{ .x }}{{ end }}{{ with .Values.empty }}x{{ else with .Values.a }}{{ . }}{{ end }}",
    "{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $x := 3 }}{{ end }}{{ $x }}",
    "{{ define \"t\" }}[{{ . }}]{{ end }}{{ template \"t\" .Values.a }}{{ include \"t\" 5 }}",
    "{{ tpl .Values.tpl . }} {{ tpl \"{{ define \\\"in\\\" }}x{{ end }}{{ include \\\"in\\\" . }}\" . }}",
    "{{- /* c */}}\nb{{/* d */ -}}   e",
    "{{ and 1 0 2 }} {{ or 0 \"\" \"x\" }} {{ not 1 }} {{ len .Values.words }} {{ index .Values.map \"w\" \"z\" }} {{ slice .Values.words 1 }}",
    "{{ eq 1 1 }} {{ eq \"a\" \"b\" \"a\" }} {{ ne 1 2 }} {{ lt 1 2 }} {{ le 1.5 1.5 }} {{ gt \"b\" \"a\" }} {{ eq .Values.n 3.0 }} {{ eq .Values.missing nil }}",
    "{{ html \"<a b='c'>\" }} {{ js \"it's\" }} {{ urlquery \"a b&c\" }} {{ print 1 2 \"a\" 3 4 }} {{ println \"x\" }}",
    "{{ 0x10 }} {{ 1_000 }} {{ 'a' }} {{ 1e3 }} {{ 017 }} {{ -3 }} {{ 1.0 }}",
    "{{ `raw \\n` }} {{ \"esc \\t \\u00e9 \\x41\" }}",
    "{{ default \"d\" .Values.empty }} {{ default \"d\" .Values.a }} {{ coalesce nil \"\" 0 \"c\" }} {{ ternary \"t\" \"f\" true }} {{ empty 0 }}",
    "{{ upper \"aB\" }} {{ lower \"aB\" }} {{ title \"hello world\" }} {{ untitle \"Hello World\" }} {{ repeat 3 \"ab\" }} {{ substr 1 3 \"hello\" }} {{ nospace \" a b \" }} {{ trunc 3 \"hello\" }} {{ trunc -3 \"hello\" }}",
    "{{ trim \" a \" }}|{{ trimAll \"$\" \"$5$\" }}|{{ trimSuffix \"-\" \"a-\" }}|{{ trimPrefix \"-\" \"-a\" }}|{{ contains \"b\" \"abc\" }}|{{ hasPrefix \"a\" \"abc\" }}|{{ hasSuffix \"c\" \"abc\" }}",
    "{{ quote \"a\\\"b\" 1 nil }} {{ squote \"a\" 2 }} {{ cat \"a\" 1 true }} {{ indent 2 \"a\\nb\" }} {{ nindent 2 \"a\\nb\" }} {{ replace \"a\" \"o\" \"banana\" }} {{ plural \"one\" \"many\" 2 }}",
    "{{ snakecase \"FirstName\" }} {{ camelcase \"first_name\" }} {{ kebabcase \"FirstName\" }} {{ swapcase \"aBc\" }} {{ initials \"First Try\" }} {{ wrap 10 .Values.long }} {{ wrapWith 5 \"|\" \"Hello World again\" }}",
    "{{ abbrev 5 \"hello world\" }} {{ abbrevboth 5 10 \"1234 5678 9123\" }}",
    "{{ join \"-\" .Values.words }} {{ sortAlpha .Values.words }} {{ splitList \",\" \"a,b\" }} {{ (split \".\" \"a.b\")._1 }} {{ (splitn \".\" 2 \"a.b.c\")._1 }} {{ toStrings .Values.list }}",
    "{{ first .Values.list }} {{ last .Values.list }} {{ rest .Values.list }} {{ initial .Values.list }} {{ append .Values.list 9 }} {{ prepend .Values.list 0 }} {{ reverse .Values.list }} {{ uniq .Values.words }} {{ without .Values.words \"a\" }} {{ has \"a\" .Values.words }} {{ compact (list 0 1 \"\" 2) }} {{ concat .Values.list (list 7) }} {{ slice .Values.words 1 3 }} {{ chunk 2 .Values.list }}",
    "{{ until 4 }} {{ untilStep 3 10 3 }} {{ seq 1 2 7 }} {{ seq 5 }} {{ seq 3 1 }}",
    "{{ $d := dict \"a\" 1 }}{{ $_ := set $d \"b\" 2 }}{{ $d }} {{ unset $d \"a\" }} {{ hasKey $d \"b\" }} {{ get $d \"b\" }} {{ get $d \"z\" }} {{ keys $d }} {{ values $d }} {{ pluck \"b\" $d (dict \"b\" 5) }} {{ pick .Values.map \"x\" }} {{ omit .Values.map \"x\" }} {{ dig \"w\" \"z\" \"no\" .Values.map }} {{ dig \"w\" \"q\" \"no\" .Values.map }}",
    "{{ merge (dict \"a\" 1 \"m\" (dict \"x\" 1)) (dict \"a\" 2 \"b\" 3 \"m\" (dict \"y\" 2)) }} {{ mergeOverwrite (dict \"a\" 1 \"m\" (dict \"x\" 1)) (dict \"a\" 2 \"m\" (dict \"x\" 5 \"y\" 0)) }} {{ deepCopy .Values.map }}",
    "{{ add 1 2 3 }} {{ add1 4 }} {{ sub 5 3 }} {{ mul 2 3 4 }} {{ div 7 2 }} {{ mod 7 2 }} {{ max 1 5 3 }} {{ min 1 5 3 }} {{ ceil 1.2 }} {{ floor 1.8 }} {{ round 123.5555 2 }} {{ addf 1.5 2 }} {{ subf 5 1.5 }} {{ mulf 1.5 2 }} {{ divf 10 4 }} {{ maxf 1 2.5 }}",
    "{{ int \"12\" }} {{ int64 3.9 }} {{ float64 \"1.5\" }} {{ atoi \"7\" }} {{ int .Values.big }} {{ int \"0x1f\" }} {{ toString 1.0 }} {{ toDecimal \"777\" }}",
    "{{ b64enc \"hello\" }} {{ b64dec \"aGVsbG8=\" }} {{ b64dec \"!\" }} {{ b32enc \"hello\" }} {{ b32dec \"NBSWY3DP\" }} {{ sha1sum \"a\" }} {{ sha256sum \"a\" }} {{ sha512sum \"a\" }} {{ adler32sum \"a\" }}",
    "{{ range list \"maximum\" \"long\" \"medium\" \"short\" \"basic\" \"pin\" \"none\" }}{{ derivePassword 1 . \"password\" \"user\" \"example.com\" }} {{ derivePassword 7 . \"\" \"é\" \"\" }} {{ end }}",
    "{{ decryptAES \"key\" (encryptAES \"key\" .Values.long) }} {{ encryptAES \"k\" \"\" }} {{ decryptAES \"k\" \"\" }} {{ len (encryptAES \"k\" \"0123456789abcdef\") }}",
    "{{ htpasswd \"a:b\" \"c\" }} {{ htpasswd \"a\" (repeat 73 \"x\") }} {{ len (bcrypt \"x\") }} {{ bcrypt \"x\" | trunc 7 }} {{ genPrivateKey \"round\" }} {{ genPrivateKey \"ed25519\" | len }} {{ genPrivateKey \"ecdsa\" | len }} {{ genPrivateKey \"ecdsa\" | trunc 30 }}",
    "{{ kindOf .Values.n }} {{ kindOf (int 1) }} {{ kindOf (int64 1) }} {{ kindOf \"a\" }} {{ kindOf .Values.list }} {{ kindOf .Values.map }} {{ kindOf nil }} {{ typeOf .Values }} {{ typeOf .Values.list }} {{ typeOf 1 }} {{ kindIs \"map\" .Values.map }} {{ typeIs \"string\" \"a\" }} {{ deepEqual (list 1) (list 1) }} {{ typeOf .Chart }} {{ typeOf .Files }} {{ typeOf .Capabilities.APIVersions }}",
    "{{ regexMatch \"^a.c$\" \"abc\" }} {{ regexFind \"[0-9]+\" \"a12b\" }} {{ regexFindAll \"[a-z]\" \"a1b2\" -1 }} {{ regexReplaceAll \"a(x*)b\" \"-ab-axxb-\" \"${1}W\" }} {{ regexReplaceAllLiteral \"a\" \"aba\" \"$1\" }} {{ regexSplit \"z+\" \"pizza\" -1 }} {{ regexQuoteMeta \"1.2\" }} {{ regexMatch \"\\\\d\" \"5\" }}",
    "{{ semverCompare \">=1.20-0\" \"v1.30.1-gke.5\" }} {{ semverCompare \"^1.2\" \"1.9.9\" }} {{ semverCompare \"~1.2.3\" \"1.3.0\" }} {{ (semver \"1.2.3-a+b\").Major }} {{ semver \"v1.2\" }} {{ (semver \"1.2.3-beta\").Prerelease }}",
    "{{ urlParse \"https://u:p@h.com:80/p?q=1#f\" }} {{ urlJoin (dict \"scheme\" \"http\" \"host\" \"h:1\" \"path\" \"/p\" \"query\" \"q=1\") }}",
    "{{ base \"a/b.c\" }} {{ dir \"a/b\" }} {{ ext \"a.tar.gz\" }} {{ clean \"a/../b\" }} {{ isAbs \"/a\" }}",
    "{{ duration 95 }} {{ duration \"3600\" }} {{ durationRound \"2h10m5s\" }} {{ date \"2006-01-02\" (toDate \"2006-01-02\" \"2017-12-31\") }} {{ htmlDate (toDate \"2006-01-02\" \"2017-12-31\") }} {{ unixEpoch (toDate \"2006-01-02\" \"2017-12-31\") }} {{ dateModify \"24h\" (toDate \"2006-01-02\" \"2017-12-31\") | date \"Jan 2, 2006 at 3:04pm (MST)\" }}",
    "{{ toJson .Values.map }} {{ toPrettyJson .Values.map }} {{ toRawJson (dict \"a\" \"<b>\") }} {{ toJson (dict \"a\" \"<b>\" \"f\" 1.5 \"big\" .Values.big) }} {{ fromJson \"{\\\"a\\\":1}\" }} {{ fromJsonArray \"[1,2]\" }}",
    "{{ toYaml .Values }}",
    "{{ toYaml (dict \"a\" \"yes\" \"b\" \"1\" \"c\" \"null\" \"d\" \"a: b\" \"e\" \"\" \"f\" \" x\" \"g\" \"x #y\" \"h\" \"- a\" \"i\" \"1:30\" \"j\" \"@x\" \"k\" \"tab\\there\" \"l\" \"é\" \"m\" \"0o7\" \"n\" \"~\" \"o\" \"=\" \"p\" \"1e3\" \"q\" \"x:\" \"r\" \"'\" \"s\" \"*a\") }}",
    "{{ toYaml (list (list 1 2) (dict \"a\" (list)) (dict) (dict \"b\" (list (dict \"c\" 1 \"d\" 2)))) }}",
    "{{ toYaml (dict \"t\" \"a\\nb\" \"u\" \"a\\nb\\n\" \"v\" \"a\\n\\n\" \"w\" \"\\na\" \"x\" \" a\\nb\" \"y\" \"a \\nb\" \"z\" .Values.long) }}",
    "{{ toYamlPretty (dict \"a\" (list 1 2) \"b\" (dict \"c\" (list (dict \"d\" 1)))) }}",
    "{{ fromYaml \"a: 0644\\nb: yes\\nc: 1_000\\nd: 2001-01-01\\ne: .5\\nf: 0x1F\\n\" }} {{ fromYaml \"- 1\" }} {{ fromYamlArray \"[a, 1]\" }} {{ fromYaml \"a: &x {b: 1}\\nc: {<<: *x, d: 2}\" }}",
    "{{ toToml (dict \"a\" 1 \"b\" (dict \"c\" \"d\") \"l\" (list 1 2)) }} {{ fromToml \"a = 1\\n[b]\\nc = 'd'\" }}",
    "{{ .Release.Name }} {{ .Release.Namespace }} {{ .Release.Revision }} {{ .Release.IsInstall }} {{ .Release.Service }} {{ .Chart.Name }} {{ .Chart.Version }} {{ .Chart.AppVersion }} {{ .Chart.IsRoot }} {{ .Chart.Type }} {{ .Template.Name }} {{ .Template.BasePath }}",
    "{{ .Capabilities.KubeVersion }} {{ .Capabilities.KubeVersion.Version }} {{ .Capabilities.KubeVersion.Major }} {{ .Capabilities.KubeVersion.Minor }} {{ .Capabilities.KubeVersion.GitVersion }} {{ .Capabilities.APIVersions.Has \"apps/v1\" }} {{ .Capabilities.APIVersions.Has \"x/v1\" }} {{ len .Capabilities.APIVersions }}",
    "{{ .Files.Get \"conf/a.txt\" }} {{ .Files.Get \"none\" }} {{ (.Files.Glob \"conf/*\").AsConfig }} {{ (.Files.Glob \"**.txt\").AsSecrets }} {{ range .Files.Lines \"conf/a.txt\" }}[{{ . }}]{{ end }} {{ range $p, $_ := .Files.Glob \"conf/{a,b}.*\" }}{{ $p }},{{ end }}",
    "{{ lookup \"v1\" \"Pod\" \"a\" \"b\" }} {{ getHostByName \"localhost\" }} {{ required \"no\" \"x\" }}",
    "{{ $m := .Values.map }}{{ $_ := set $m \"new\" 1 }}{{ .Values.map.new }} {{ .Values.map | toYaml | nindent 2 }}",
    "{{ .Values.text | indent 2 }} {{ .Values.text | quote }} {{ .Values.big | quote }} {{ .Values.huge | int64 }} {{ .Values.n | toString | b64enc }}",
    "{{ all 1 0 }} {{ any 0 1 }} {{ hello }} {{ tuple 1 2 }} {{ list | len }} {{ min 1 }} {{ biggest 1 2 }}",
];

/// Expressions that are refused, and how helm says so.
const REFUSED: &[&str] = &[
    "{{ .Values.missing.deeper }}",
    "{{ .Values.a.b.c }}",
    "{{ fail \"no way\" }}",
    "{{ required \"need it\" .Values.missing }}",
    "{{ include \"nowhere\" . }}",
    "{{ template \"nowhere\" . }}",
    "{{ define \"t\" }}\n{{ .Values.missing.deeper }}{{ end }}\n{{ include \"t\" . }}",
    "{{ define \"t\" }}{{ fail \"inside\" }}{{ end }}{{ include \"t\" . | quote }}",
    "{{ tpl \"{{ .Values.missing.deeper }}\" . }}",
    "{{ tpl \"{{ if }}\" . }}",
    "{{ index .Values.list 9 }}",
    "{{ index .Values.missing \"a\" }}",
    "{{ repeat \"x\" 3 }}",
    "{{ repeat .Values.n \"a\" }}",
    "{{ upper 5 }}",
    "{{ upper .Values.n }}",
    "{{ upper .Values.missing }}",
    "{{ trim }}",
    "{{ lt 1 \"a\" }}",
    "{{ eq 1 \"a\" }}",
    "{{ eq .Values.n 3 }}",
    "{{ range .Values.a }}{{ end }}",
    "{{ len .Values.n }}",
    "{{ len .Values.missing }}",
    "{{ derivePassword .Values.n \"long\" \"p\" \"u\" \"s\" }}",
    "{{ derivePassword \"1\" \"long\" \"p\" \"u\" \"s\" }}",
    "{{ decryptAES \"k\" \"!\" }}",
    "{{ decryptAES \"k\" \"AAECAwQFBgcICQoLDA0ODwA=\" }}",
    "{{ genSelfSignedCert \"a\" (list 5) nil 1 }}",
    "{{ genSelfSignedCert \"a\" (list \"here\") nil 1 }}",
    "{{ genSelfSignedCert \"a\" nil (list 5) 1 }}",
    "{{ genSelfSignedCert \"a\" \"1.2.3.4\" nil 1 }}",
    "{{ genSignedCert \"a\" nil nil 1 (dict \"Cert\" \"\" \"Key\" \"\") }}",
    "{{ genCAWithKey \"a\" 1 \"no key\" }}",
    "{{ genCAWithKey \"a\" .Values.n (genPrivateKey \"ecdsa\") }}",
    "{{ buildCustomCert \"!\" \"!\" }}",
    "{{ buildCustomCert \"eA==\" \"!\" }}",
    "{{ buildCustomCert \"eA==\" \"eA==\" }}",
    "{{ div 1 0 }}",
    "{{ first \"abc\" }}",
    "{{ semverCompare \"x.y\" \"1.0\" }}",
    "{{ mustRegexMatch \"[\" \"a\" }}",
    "{{ .Chart.Nothing.more }}",
    "{{ nosuch 1 }}",
    "{{ $x }}",
    "{{ if }}{{ end }}",
    "{{ .a | 5 }}",
    "{{ range .Values.list }}",
    "{{ end }}",
    "{{ \"open }}",
    "{{ (1 }}",
    "{{ break }}",
    "{{ include \"a\" }}",
    "{{ nil }}",
    "{{ 1 2 }}",
    "{{ .Values.a 1 }}",
    "{{ dict 1 | keys | first | upper | nosuch }}",
    "{{ define \"r\" }}{{ include \"r\" . }}{{ end }}{{ include \"r\" . }}",
    "{{ set .Values.missing \"a\" 1 }}",
    "{{ .Files.Get 5 }}",
    "a: [",
    "a: b: c",
    "metadata: {annotations: [a]}",
    "kind: {a: 5}",
];

pub(crate) fn chart(templates: &[(String, String)]) -> Vec<(String, Vec<u8>)> {
    let meta = "apiVersion: v2\nname: words\nversion: 1.2.3\nappVersion: \"4.5\"\ntype: application\n";
    let mut files = vec![
        ("Chart.yaml".to_owned(), meta.as_bytes().to_vec()),
        ("conf/a.txt".to_owned(), b"first\nsecond\n".to_vec()),
        ("conf/b.txt".to_owned(), b"other".to_vec()),
    ];
    files.extend(templates.iter().map(|(name, text)| (format!("templates/{name}"), text.as_bytes().to_vec())));
    files
}

pub(crate) fn on_disk(files: &[(String, Vec<u8>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, data) in files {
        let path = folder.path().join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, data).unwrap();
    }
    folder
}

fn indented(text: &str) -> String {
    // Each answer becomes a string, so that whatever it is, the manifest stays YAML.
    format!("{{{{- define \"answer\" -}}}}\n{text}\n{{{{- end -}}}}\nanswer: {{{{ include \"answer\" . | toJson }}}}\n")
}

fn answered(test: &str, dialect: Dialect) {
    let Some(binaries) = required_or_skip(test) else { return };
    let mut helm = Helm::of(&binaries, dialect, "expressions");
    let mut tally = Tally::default();
    for (index, expression) in ANSWERED.iter().enumerate() {
        // A definition cannot stand inside the one that holds the answer.
        let defines = expression.starts_with("{{ define");
        let template = if defines {
            format!("{expression}\n").replacen("{{ template", "\nanswer: x{{ template", 1)
        } else {
            indented(expression)
        };
        let files = chart(&[(format!("e{index}.yaml"), template.clone())]);
        let folder = on_disk(&files);
        let theirs = helm.template(&template, folder.path(), VALUES);
        if let Err(words) = &theirs {
            tally.wrong.push(format!("helm does not answer {expression}: {words}"));
        }
        tally.hold(expression, &theirs, &ours(&Chart::from_files(files), VALUES, dialect));
    }
    tally.demand(1.0);
}

fn refused(test: &str, dialect: Dialect) {
    let Some(binaries) = required_or_skip(test) else { return };
    let mut helm = Helm::of(&binaries, dialect, "refusals");
    let mut tally = Tally::default();
    for expression in REFUSED {
        let files = chart(&[("e.yaml".to_owned(), format!("# a line\n{expression}\n"))]);
        let folder = on_disk(&files);
        let theirs = helm.template(expression, folder.path(), VALUES);
        if let Ok(text) = &theirs {
            tally.wrong.push(format!("helm answers {expression}: {text}"));
        }
        tally.hold(expression, &theirs, &ours(&Chart::from_files(files), VALUES, dialect));
    }
    tally.agree();
    assert_eq!(tally.refused, REFUSED.len());
}

#[test]
fn expressions_have_helm_4s_answers() {
    answered("expressions_have_helm_4s_answers", Dialect::Helm4);
}

#[test]
fn expressions_have_helm_3s_answers() {
    answered("expressions_have_helm_3s_answers", Dialect::Helm3);
}

#[test]
fn refusals_have_helm_4s_words() {
    refused("refusals_have_helm_4s_words", Dialect::Helm4);
}

#[test]
fn refusals_have_helm_3s_words() {
    refused("refusals_have_helm_3s_words", Dialect::Helm3);
}
