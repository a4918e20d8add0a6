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
    labels: { namespace: {{ $.Release.Namespace }}, projection: {{ $worker.projection }}, version: {{ $worker.version | quote }} }
  {{- end }}
  {{- end }}
  {{- end }}
{{- end -}}

{{- /* All groups: the bounds, the recording rules, and the alerts with their runbooks. */ -}}
{{- define "tidemark.ruleGroups" -}}
{{- $groups := list (include "tidemark.boundsGroup" . | fromYaml) -}}
{{- range list "fleet" "autoscaling" "alerts" -}}
  {{- range (printf "rules/%s.yaml" . | $.Files.Get | fromYaml).groups -}}
    {{- $rules := list -}}
    {{- range .rules -}}
      {{- if not (has (.alert | default "") $.Values.monitoring.rules.disabledAlerts) -}}
        {{- if and .alert $.Values.monitoring.rules.runbookUrl -}}
          {{- $_ := set .annotations "runbook_url" (printf "%s%s.md" $.Values.monitoring.rules.runbookUrl .alert) -}}
        {{- end -}}
        {{- $rules = append $rules . -}}
      {{- end -}}
    {{- end -}}
    {{- $_ := set . "rules" $rules -}}
    {{- $groups = append $groups . -}}
  {{- end -}}
{{- end -}}
{{ toYaml (dict "groups" $groups) }}
{{- end -}}
