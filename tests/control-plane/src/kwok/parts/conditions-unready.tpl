conditions:
{{ range list "PodReadyToStartContainers" "Initialized" }}
- type: {{ . }}
  status: "True"
  lastProbeTime: null
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
{{ range list "ContainersReady" "Ready" }}
- type: {{ . }}
  status: "False"
  lastProbeTime: null
  lastTransitionTime: {{ $now | Quote }}
  reason: ContainersNotReady
  message: 'containers with unready status: [{{ range $index, $item := $root.spec.containers }}{{ if $index }} {{ end }}{{ $item.name }}{{ end }}]'
{{ end }}
