{{- define "cni.labels" -}}
release: {{ .Release.Name }}
istio.io/rev: {{ .Values.revision | default "default" | quote }}
install.operator.istio.io/owning-resource: unknown
operator.istio.io/component: "Cni"
app.kubernetes.io/name: istio-cni
{{ include "standin.labels" . }}
{{- end }}

{{- /* What may be said at the top, or under `cni` as of old. */}}
{{- define "cni.flat" -}}
{{- toJson (mergeOverwrite (deepCopy (omit .Values "cni" "global")) (.Values.cni | default dict)) }}
{{- end }}
