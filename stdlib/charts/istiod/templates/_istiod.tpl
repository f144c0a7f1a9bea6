{{- define "istiod.suffix" -}}
{{- with .Values.revision }}-{{ . }}{{ end }}
{{- end }}

{{- /* Behind the names of objects of the whole cluster. */}}
{{- define "istiod.outside" -}}
{{- if ne .Release.Namespace "istio-system" }}-{{ .Release.Namespace }}{{ end }}
{{- end }}

{{- define "istiod.labels" -}}
istio.io/rev: {{ .Values.revision | default "default" | quote }}
install.operator.istio.io/owning-resource: unknown
operator.istio.io/component: "Pilot"
release: {{ .Release.Name }}
app.kubernetes.io/name: "istiod"
{{ include "standin.labels" . }}
{{- end }}

{{- define "istiod.selector" -}}
app: istiod
{{- if .Values.revision }}
istio.io/rev: {{ .Values.revision | quote }}
{{- else }}
istio: pilot
{{- end }}
{{- end }}

{{- /* What may be said at the top, or under `pilot` as of old. */}}
{{- define "istiod.flat" -}}
{{- $flat := mergeOverwrite (deepCopy (omit .Values "pilot" "global" "meshConfig")) (.Values.pilot | default dict) }}
{{- if eq .Values.profile "ambient" }}
{{- $flat = mergeOverwrite $flat (dict "env" (merge (deepCopy ($flat.env | default dict)) (dict "PILOT_ENABLE_AMBIENT" "true"))) }}
{{- end }}
{{- toJson $flat }}
{{- end }}

{{- /* One entry of an injector. */}}
{{- define "istiod.injector" -}}
- name: {{ .prefix }}sidecar-injector.istio.io
  admissionReviewVersions: [v1]
  clientConfig:
    service:
      name: istiod{{ include "istiod.suffix" .top }}
      namespace: {{ .top.Release.Namespace }}
      path: /inject
      port: 443
  failurePolicy: Fail
  reinvocationPolicy: {{ .top.Values.sidecarInjectorWebhook.reinvocationPolicy }}
  rules:
  - apiGroups: [""]
    apiVersions: [v1]
    operations: [CREATE]
    resources: [pods]
  sideEffects: None
  namespaceSelector:
    matchExpressions:
    {{- range .namespaces }}
    - {{ toJson . }}
    {{- end }}
  objectSelector:
    matchExpressions:
    {{- range .pods }}
    - {{ toJson . }}
    {{- end }}
{{- end }}

{{- /* The entries for a revision or a tag: the label on the namespace, else on the pod. */}}
{{- define "istiod.injectors" -}}
{{- $willing := dict "key" "sidecar.istio.io/inject" "operator" "NotIn" "values" (list "false") }}
{{- $asks := dict "key" "sidecar.istio.io/inject" "operator" "In" "values" (list "true") }}
{{- $named := dict "key" "istio.io/rev" "operator" "In" "values" (list .name) }}
{{- $unnamed := dict "key" "istio.io/rev" "operator" "DoesNotExist" }}
{{- $unlabelled := dict "key" "istio-injection" "operator" "DoesNotExist" }}
{{- $enabled := dict "key" "istio-injection" "operator" "In" "values" (list "enabled") }}
{{ include "istiod.injector" (dict "top" .top "prefix" "rev.namespace." "namespaces" (list $named $unlabelled) "pods" (list $willing)) }}
{{ include "istiod.injector" (dict "top" .top "prefix" "rev.object." "namespaces" (list $unnamed $unlabelled) "pods" (list $willing $named)) }}
{{- if eq .name "default" }}
{{ include "istiod.injector" (dict "top" .top "prefix" "namespace." "namespaces" (list $enabled) "pods" (list $willing)) }}
{{ include "istiod.injector" (dict "top" .top "prefix" "object." "namespaces" (list $unlabelled $unnamed) "pods" (list $asks $unnamed)) }}
{{- end }}
{{- end }}
