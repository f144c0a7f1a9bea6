//! Charts that mean harm: each ends in a fault, soon, and within bounds.

use std::io::Write as _;
use std::time::{Duration, Instant};

use runbook_chart::{Chart, Dialect, Fault, Order, render, values};
use serde_json::json;

/// Longer than any of them takes, on a machine that does other things as well.
const SOON: Duration = Duration::from_mins(1);

fn rendered(template: &str) -> Result<String, Fault> {
    let files = [
        ("Chart.yaml".to_owned(), b"apiVersion: v2\nname: harm\nversion: 1.0.0\n".to_vec()),
        ("templates/a.yaml".to_owned(), template.as_bytes().to_vec()),
    ];
    let begun = Instant::now();
    let chart = Chart::from_files(files)?;
    let done = render(&chart, &Order::template("x", "y", json!({}), Dialect::Helm4));
    assert!(begun.elapsed() < SOON, "{template} took {:?}", begun.elapsed());
    done.map(|rendered| rendered.printed())
}

#[test]
fn endless_templates_end_in_a_fault() {
    for template in [
        "{{ range until 2000000000 }}x{{ end }}",
        "{{ range 9000000000000000000 }}{{ end }}",
        "{{ range until 10000 }}{{ range until 10000 }}{{ range until 10000 }}{{ end }}{{ end }}{{ end }}",
        "{{ repeat 2000000000 \"x\" }}",
        "{{ repeat 100000 (repeat 100000 \"x\") }}",
        "{{ untilStep 0 9000000000000000000 1 }}",
        "{{ untilStep -9000000000000000000 9000000000000000000 1 }}",
        "{{ seq 1 9000000000000000000 }}",
        "{{ indent 2000000000 \"a\" }}",
        "{{ printf \"%2000000000d\" 1 }}{{ range until 2000 }}{{ printf \"%1000000d\" 1 }}{{ end }}",
        "{{ define \"a\" }}{{ template \"a\" . }}{{ end }}{{ template \"a\" . }}",
        "{{ define \"a\" }}{{ include \"b\" . }}{{ end }}{{ define \"b\" }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}",
        "{{ $t := \"{{ tpl .t . }}\" }}{{ tpl $t (dict \"t\" $t) }}",
        "{{ $x := \"aaaaaaaaaaaaaaaa\" }}{{ range until 64 }}{{ $x = printf \"%s%s\" $x $x }}{{ end }}{{ $x }}",
        "{{ $x := \"aaaaaaaaaaaaaaaa\" }}{{ range until 64 }}{{ $x = replace \"a\" \"aa\" $x }}{{ end }}{{ $x }}",
        "{{ $x := list 1 }}{{ range until 64 }}{{ $x = concat $x $x }}{{ end }}{{ len $x }}",
        "{{ randBytes 2000000000 }}",
        "{{ regexReplaceAll \"a{1000}{1000}\" \"a\" \"b\" }}{{ fail \"unreachable or not\" }}",
    ] {
        let done = rendered(template);
        assert!(done.is_err(), "{template} rendered {} bytes", done.unwrap_or_default().len());
    }
}

#[test]
fn values_that_hold_themselves_do_no_harm() {
    for template in [
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}a: {{ $d | toJson | quote }}",
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}a: {{ printf \"%v\" $d | len }}",
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}a: {{ toYaml $d | quote }}",
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ $e := deepCopy $d }}",
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ $e := merge (dict) $d }}",
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ $e := toToml $d }}{{ deepEqual $d (dict \"d\" $d) }}",
        "{{ $x := list }}{{ range until 100000 }}{{ $x = list $x }}{{ end }}a: {{ $x | toJson | quote }}",
        "{{ $m := dict }}{{ $c := $m }}{{ range until 100000 }}{{ $n := dict }}{{ $_ := set $c \"a\" $n }}{{ $c = $n }}{{ end }}",
    ] {
        // Whatever it answers, it comes back.
        let _ = rendered(template);
    }
}

#[test]
fn deep_nesting_ends_in_a_fault() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    for template in [
        deep("{{ if true }}", "{{ end }}"),
        format!("{{{{ {} }}}}", deep("(", ")")),
        format!("{{{{ fromJson `{}` }}}}{{{{ fail \"end\" }}}}", deep("[", "]")),
        format!("{{{{ fromYaml `{}` }}}}{{{{ fail \"end\" }}}}", deep("[", "]")),
        format!("{{{{ fromToml `a = {}` }}}}{{{{ fail \"end\" }}}}", deep("[", "]")),
        format!("a: {}", deep("[", "]")),
        format!("a: {}", deep("{a: ", "}")),
    ] {
        assert!(rendered(&template).is_err(), "{}", &template[..40]);
    }
}

#[test]
fn documents_that_swell_end_in_a_fault() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb = format!("{bomb}a{level}: &a{level} [{aliases}]\n");
    }
    assert!(values::read(&bomb).is_err());
    assert!(rendered(&bomb).is_err());
}

fn packed(entries: &[(&str, &[u8], u8)]) -> Vec<u8> {
    let mut plain = Vec::new();
    for (name, data, kind) in entries {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..108].copy_from_slice(b"0000644\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
        header[156] = *kind;
        header[257..263].copy_from_slice(b"ustar\0");
        header[263..265].copy_from_slice(b"00");
        if *kind == b'2' {
            header[157..168].copy_from_slice(b"/etc/passwd");
        }
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        plain.extend_from_slice(&header);
        plain.extend_from_slice(data);
        plain.resize(plain.len().next_multiple_of(512), 0);
    }
    plain.resize(plain.len() + 1024, 0);
    gzip(&plain)
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(plain).unwrap();
    out.finish().unwrap()
}

const META: (&str, &[u8], u8) = ("harm/Chart.yaml", b"apiVersion: v2\nname: harm\nversion: 1.0.0\n", b'0');

#[test]
fn archives_stay_in_their_folder() {
    for (name, says) in [
        ("harm/../../etc/passwd", "chart illegally references parent directory"),
        ("harm//etc/passwd", "chart illegally contains absolute paths"),
        ("Chart.yaml", "chart illegally contains content outside the base directory: \"Chart.yaml\""),
        ("harm\\..\\..\\x", "chart illegally references parent directory"),
        ("harm/c:/x", "chart contains illegally named files"),
    ] {
        let fault = Chart::from_archive(&packed(&[META, (name, b"x", b'0')])).unwrap_err();
        assert_eq!(fault.words, says, "{name}");
    }
    // A link is kept as the empty file that helm keeps of it, never followed.
    let chart = Chart::from_archive(&packed(&[META, ("harm/secret", b"", b'2')])).unwrap();
    assert!(chart.files()[0].data.is_empty());
    assert!(Chart::from_archive(&packed(&[META, ("harm/pipe", b"", b'6')])).is_err());
}

#[test]
fn archives_that_swell_or_break_are_refused() {
    let large = vec![0_u8; (5 << 20) + 1];
    let fault = Chart::from_archive(&packed(&[META, ("harm/large", &large, b'0')])).unwrap_err();
    assert!(fault.words.contains("is larger than the maximum file size 5242880"), "{fault}");
    let part = vec![0_u8; 5 << 20];
    let names: Vec<String> = (0..25).map(|index| format!("harm/part{index}")).collect();
    let parts: Vec<_> =
        std::iter::once(META).chain(names.iter().map(|name| (name.as_str(), &part[..], b'0'))).collect();
    let fault = Chart::from_archive(&packed(&parts)).unwrap_err();
    assert!(fault.words.contains("maximum file size 104857600"), "{fault}");
    let whole = packed(&[META]);
    for length in 0..whole.len() {
        let _ = Chart::from_archive(&whole[..length]);
    }
    assert!(Chart::from_archive(b"").is_err());
    assert!(Chart::from_archive(&gzip(b"")).is_err());
    assert!(Chart::from_archive(&gzip(&vec![7; 4096])).is_err());
}

#[test]
fn charts_in_charts_in_charts_end() {
    let mut inner = packed(&[META]);
    for _ in 0..40 {
        inner = packed(&[META, ("harm/charts/harm.tgz", &inner, b'0')]);
    }
    let fault = Chart::from_archive(&inner).unwrap_err();
    assert!(fault.words.contains("deep in charts"), "{fault}");
}
