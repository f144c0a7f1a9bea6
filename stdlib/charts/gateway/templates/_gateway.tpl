{{- define "gateway.name" -}}
{{- .Values.name | default .Release.Name }}
{{- end }}

{{- define "gateway.selector" -}}
app: {{ (.Values.labels.app | quote) | default (include "gateway.name" .) }}
istio: {{ (.Values.labels.istio | quote) | default (include "gateway.name" . | trimPrefix "istio-") }}
{{- end }}

{{- define "gateway.labels" -}}
app.kubernetes.io/name: {{ include "gateway.name" . }}
{{ include "standin.labels" . }}
{{ include "gateway.selector" . }}
{{- range $key, $value := omit .Values.labels "app" "istio" }}
{{ $key | quote }}: {{ $value | quote }}
{{- end }}
istio.io/dataplane-mode: none
{{- end }}
