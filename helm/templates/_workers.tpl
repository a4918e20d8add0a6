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

{{- /*
Every process to install as a list in JSON: `image`, and `process` as `tidemark init --serves` takes it. Kubernetes would start what can't
run, and start it again and again. A setting that null took away is empty, which to a process is the same.
*/ -}}
{{- define "tidemark.serving" -}}
{{- $parts := list -}}
{{- range include "tidemark.workers" . | fromJsonArray -}}
  {{- $process := dict "name" (printf "projections.%s (v%s)" .projection .version) "run" .group -}}
  {{- if .topics -}}{{- $_ := set $process "topics" .topics -}}{{- end -}}
  {{- if .partitions -}}{{- $_ := set $process "partitions" (int .partitions) -}}{{- end -}}
  {{- $parts = append $parts (dict "process" $process "part" .) -}}
{{- end -}}
{{- range $component := list "gateway" "query" -}}
  {{- if (index $.Values $component).enabled -}}
  {{- $parts = append $parts (dict "process" (dict "name" $component) "part" (index $.Values $component)) -}}
  {{- end -}}
{{- end -}}
{{- $serving := list -}}
{{- range $parts -}}
  {{- $env := dict -}}
  {{- range $name, $value := .part.env -}}
  {{- $_ := set $env $name (kindIs "invalid" $value | ternary "" (include "tidemark.number" $value)) -}}
  {{- end -}}
  {{- if $env -}}{{- $_ := set .process "env" $env -}}{{- end -}}
  {{- $serving = append $serving (dict "image" (include "tidemark.image" (dict "root" $ "over" .part.image)) "process" .process) -}}
{{- end -}}
{{- toJson $serving -}}
{{- end -}}

{{- define "tidemark.workerLabels" -}}
tidemark.dev/projection: {{ .projection }}
tidemark.dev/version: {{ .version | quote }}
{{- end -}}

{{- /*
How fast a fleet may change: each step is a rebalance, so up and down in one step to the number that is wanted, down only after it was
wanted for long. Numbers between are worth no rebalance. What somebody set wins, part by part.
*/ -}}
{{- define "tidemark.scalingBehavior" -}}
{{- $up := dict "type" "Pods" "value" (max 1 (int .worker.maximum)) "periodSeconds" 30 -}}
{{- $down := dict "type" "Percent" "value" 100 "periodSeconds" 120 -}}
{{- $behavior := dict
  "scaleUp" (dict "stabilizationWindowSeconds" 30 "selectPolicy" "Max" "policies" (list $up))
  "scaleDown" (dict "stabilizationWindowSeconds" 600 "policies" (list $down)) -}}
{{- toYaml (mergeOverwrite $behavior (deepCopy (.worker.autoscaling.behavior | default dict))) -}}
{{- end -}}
