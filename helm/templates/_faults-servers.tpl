{{- define "tidemark.serverFaults" -}}
{{- $faults := list -}}
{{- range $component := list "gateway" "query" -}}
  {{- $part := index $.Values $component -}}
  {{- if and $part.ingress.enabled (not $part.ingress.hosts) -}}
  {{- $faults = append $faults (printf "%s.ingress is enabled, but has no hosts: set %s.ingress.hosts to [{ host: … }]" $component $component) -}}
  {{- end -}}
  {{- if and $part.route.enabled (not $part.route.parentRefs) -}}
  {{- $faults = append $faults (printf "%s.route is enabled, but has no parentRefs: set %s.route.parentRefs to [{ name: your Gateway }]" $component $component) -}}
  {{- end -}}
  {{- range $way := list "ingress" "route" -}}
    {{- if and (index $part $way).enabled (not $part.enabled) -}}
    {{- $faults = append $faults (printf "%s.%s is enabled, but %s.enabled is false: it would lead nowhere. Enable both or neither" $component $way $component) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if and .Values.loadgen.enabled (eq .Values.loadgen.via "gateway") (not .Values.gateway.enabled) -}}
{{- $faults = append $faults "loadgen.via is gateway, but gateway.enabled is false: enable it, or set loadgen.via to kafka" -}}
{{- end -}}
{{- toJson $faults -}}
{{- end -}}
