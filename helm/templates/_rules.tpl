{{- /* What the operator has decided, as series that the rules of rules/ read. */ -}}
{{- define "tidemark.boundsGroup" -}}
name: tidemark.bounds
rules:
  {{- range $worker := include "tidemark.workers" . | fromJsonArray }}
  {{- $bounds := dict "minimum" .minimum "maximum" .maximum "catch_up_seconds" .autoscaling.catchUpSeconds "assumed_capacity" .autoscaling.assumedCapacity "partitions" .partitions }}
  {{- range $name, $value := $bounds }}
  {{- if not (kindIs "invalid" $value) }}
  - record: tidemark:bounds:{{ $name }}
    expr: vector({{ int64 $value }})
    labels: { namespace: {{ $.Release.Namespace | quote }}, projection: {{ $worker.projection }}, version: {{ $worker.version | quote }} }
  {{- end }}
  {{- end }}
  - record: tidemark:bounds:deployment
    expr: vector(1)
    labels: { namespace: {{ $.Release.Namespace | quote }}, projection: {{ .projection }}, version: {{ .version | quote }}, deployment: {{ include "tidemark.fullname" $ }}-{{ .id }} }
  - record: tidemark:bounds:cores
    expr: vector({{ include "tidemark.cores" . }})
    labels: { namespace: {{ $.Release.Namespace | quote }}, projection: {{ .projection }}, version: {{ .version | quote }} }
  {{- end }}
{{- end -}}

{{- /* What one worker may use of a core: it is one thread, and a CPU limit may be lower. */ -}}
{{- define "tidemark.cores" -}}
{{- $limit := dig "limits" "cpu" "" (.resources | default dict) | toString -}}
{{- $amount := regexFind "^[0-9.]+" $limit | default "1" | float64 -}}
{{- $millis := ternary $amount (mulf $amount 1000.0) (hasSuffix "m" $limit) -}}
{{- mulf 0.001 (minf 1000.0 $millis) -}}
{{- end -}}

{{- /* All groups: the bounds, the recording rules, and the alerts with their runbooks. */ -}}
{{- define "tidemark.ruleGroups" -}}
{{- $bounds := include "tidemark.boundsGroup" . | fromYaml -}}
{{- $groups := empty $bounds.rules | ternary list (list $bounds) -}}
{{- range list "fleet" "autoscaling" "alerts" -}}
  {{- range (printf "rules/%s.yaml" . | $.Files.Get | fromYaml).groups -}}
    {{- $rules := list -}}
    {{- range .rules -}}
      {{- if not (has (.alert | default "") $.Values.monitoring.rules.disabledAlerts) -}}
        {{- if and .alert $.Values.monitoring.rules.runbookUrl -}}
          {{- $_ := set .annotations "runbook_url" (printf "%s%s.md" $.Values.monitoring.rules.runbookUrl .alert) -}}
        {{- end -}}
        {{- $_ := set . "expr" (include "tidemark.ofNamespace" (dict "expr" .expr "namespace" $.Release.Namespace)) -}}
        {{- $rules = append $rules . -}}
      {{- end -}}
    {{- end -}}
    {{- $_ := set . "rules" $rules -}}
    {{- $groups = append $groups . -}}
  {{- end -}}
{{- end -}}
{{ toYaml (dict "groups" $groups) }}
{{- end -}}

{{- /* An expression about this release's namespace alone: two releases of one Prometheus must not count each other's fleets. */ -}}
{{- define "tidemark.ofNamespace" -}}
{{- $selector := printf "namespace=%q" .namespace -}}
{{- $expr := regexReplaceAll "\\b((?:tidemark[_:]|kube_deployment_)[a-z0-9_:]+)\\{" .expr (printf "${1}{%s," $selector) -}}
{{- regexReplaceAll "\\b((?:tidemark[_:]|kube_deployment_)[a-z0-9_:]+)([^a-z0-9_:{]|$)" $expr (printf "${1}{%s}${2}" $selector) -}}
{{- end -}}
