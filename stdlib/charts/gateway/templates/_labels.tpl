{{- /* What every object of these charts is labelled with. */}}
{{- define "standin.labels" -}}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/part-of: "istio"
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- /* Where images come from: the registry changed with 1.30. */}}
{{- define "standin.hub" -}}
{{- $global := .Values.global | default dict }}
{{- if $global.hub }}{{ $global.hub }}{{ else if .Values.hub }}{{ .Values.hub }}{{ else if semverCompare ">=1.30.0-0" .Chart.Version }}registry.istio.io/release{{ else }}docker.io/istio{{ end }}
{{- end }}

{{- /* Their version. */}}
{{- define "standin.tag" -}}
{{- $global := .Values.global | default dict }}
{{- $global.tag | default .Values.tag | default .Chart.Version }}-{{ $global.variant | default .Values.variant | default "distroless" }}
{{- end }}
