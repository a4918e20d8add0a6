{{- define "tidemark.monitoringFaults" -}}
{{- $faults := list -}}
{{- $monitoring := .Values.monitoring -}}
{{- range $monitor := list "podMonitor" "serviceMonitor" -}}
  {{- $interval := (index $monitoring $monitor).interval -}}
  {{- if not (regexMatch "^[1-9][0-9]*(ms|s|m|h)$" $interval) -}}
  {{- $faults = append $faults (printf "monitoring.%s.interval is %q: write a whole number and one unit, like 15s" $monitor $interval) -}}
  {{- else if eq $monitor "podMonitor" -}}
    {{- $unit := regexFind "[a-z]+$" $interval -}}
    {{- $seconds := mulf (trimSuffix $unit $interval | float64) (get (dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0) $unit) -}}
    {{- if and $monitoring.podMonitor.enabled (ne $monitoring.rules.type "none") (gt $seconds 20.0) -}}
    {{- $faults = append $faults (printf "monitoring.podMonitor.interval is %s, and the rules look back one minute for what arrives: make it 20s or less" $interval) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if not (regexMatch "^($|https?://.*/$)" ($monitoring.rules.runbookUrl | default "")) -}}
{{- $faults = append $faults (printf "monitoring.rules.runbookUrl is %q: write an http or https URL with the slash at its end, since a file's name is added" $monitoring.rules.runbookUrl) -}}
{{- end -}}
{{- $known := list -}}
{{- range (.Files.Get "rules/alerts.yaml" | fromYaml).groups -}}
{{- range .rules -}}{{- if .alert -}}{{- $known = append $known .alert -}}{{- end -}}{{- end -}}
{{- end -}}
{{- range $monitoring.rules.disabledAlerts -}}
  {{- if not (has . $known) -}}
  {{- $faults = append $faults (printf "monitoring.rules.disabledAlerts has %s, and there is no such alert: choose from %s" . (join ", " $known)) -}}
  {{- end -}}
{{- end -}}
{{- toJson $faults -}}
{{- end -}}
