{{- /*
Every fleet to install as a list in JSON: `defaults`, overwritten by the projection's entry, overwritten by the version's. Each has
`projection`, `version`, `id` (`cart-summary-v1`, as in object names), `group` (`cart-summary.v1`, its consumer group) and `counted` (somebody
set `replicas` for it). A null entry is none.
mergeOverwrite and not merge, which would take an explicit false or 0 for nothing.
*/ -}}
{{- define "tidemark.workers" -}}
{{- $workers := list -}}
{{- range $projection, $entry := .Values.projections -}}
  {{- $own := $entry | default dict -}}
  {{- $base := mergeOverwrite (deepCopy $.Values.defaults) (deepCopy (omit $own "versions")) -}}
  {{- $versions := dict -}}
  {{- if hasKey $own "version" -}}
    {{- $_ := set $versions (toString (int $own.version)) dict -}}
  {{- end -}}
  {{- range $version, $difference := $own.versions -}}
    {{- $_ := set $versions (toString $version) ($difference | default dict) -}}
  {{- end -}}
  {{- range $version, $difference := $versions -}}
    {{- $worker := mergeOverwrite (deepCopy $base) (deepCopy $difference) -}}
    {{- if $worker.enabled -}}
      {{- $_ := set $worker "projection" $projection -}}
      {{- $_ := set $worker "version" $version -}}
      {{- $_ := set $worker "id" (printf "%s-v%s" $projection $version) -}}
      {{- $_ := set $worker "group" (printf "%s.v%s" $projection $version) -}}
      {{- $autoscaling := $worker.autoscaling -}}
      {{- $_ := set $worker "scaled" (ne $autoscaling.type "none") -}}
      {{- $_ := set $worker "counted" (or (hasKey $own "replicas") (hasKey $difference "replicas")) -}}
      {{- $_ := set $worker "minimum" (ternary $autoscaling.minReplicas $worker.replicas $worker.scaled) -}}
      {{- $_ := set $worker "maximum" (ternary (default $worker.partitions $autoscaling.maxReplicas) $worker.replicas $worker.scaled) -}}
      {{- $workers = append $workers $worker -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- toJson $workers -}}
{{- end -}}

{{- define "tidemark.workerLabels" -}}
tidemark.dev/projection: {{ .projection }}
tidemark.dev/version: {{ .version | quote }}
{{- end -}}

{{- /* How fast a fleet may change: each step is a rebalance, so up in one step, and down slowly. */ -}}
{{- define "tidemark.scalingBehavior" -}}
{{- if .worker.autoscaling.behavior -}}
{{ toYaml .worker.autoscaling.behavior }}
{{- else -}}
scaleUp:
  stabilizationWindowSeconds: 30
  selectPolicy: Max
  policies:
    - { type: Pods, value: {{ max 1 (int .worker.maximum) }}, periodSeconds: 30 }
scaleDown:
  stabilizationWindowSeconds: 600
  policies:
    - { type: Pods, value: 1, periodSeconds: 120 }
{{- end -}}
{{- end -}}
