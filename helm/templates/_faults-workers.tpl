{{- define "tidemark.workerFaults" -}}
{{- $faults := list -}}
{{- range $projection, $entry := .Values.projections -}}
  {{- if not (kindIs "invalid" $entry) -}}
    {{- if and (not (hasKey $entry "version")) (not $entry.versions) -}}
    {{- $faults = append $faults (printf "projections.%s says no version: set projections.%s.version to the one its definition has" $projection $projection) -}}
    {{- end -}}
    {{- range $version, $difference := $entry.versions -}}
      {{- if kindIs "invalid" $difference -}}
      {{- $faults = append $faults (printf "projections.%s.versions.%s is null: write {} to run that version as the entry says, or { enabled: false } to leave it out" $projection $version) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- range include "tidemark.workers" . | fromJsonArray -}}
  {{- $where := printf "projections.%s (v%s)" .projection .version -}}
  {{- if lt (int .terminationGracePeriodSeconds) (add (int .drainDeadlineSeconds) 10 | int) -}}
  {{- $faults = append $faults (printf "%s: terminationGracePeriodSeconds is %d, so a worker could be killed while it drains: make it at least drainDeadlineSeconds + 10 = %d" $where (int .terminationGracePeriodSeconds) (add (int .drainDeadlineSeconds) 10)) -}}
  {{- end -}}
  {{- $limit := dig "limits" "memory" nil (.resources | default dict) -}}
  {{- if $limit -}}
    {{- $mib := include "tidemark.mib" $limit | float64 -}}
    {{- if and (ge $mib 16.0) (gt (float64 .workingSetMiB) (mulf 0.6 $mib)) -}}
    {{- $faults = append $faults (printf "%s: workingSetMiB is %d, more than 60 %% of the memory limit %s: workers would be killed for memory. Raise the limit, or lower workingSetMiB to %d or less" $where (int .workingSetMiB) (include "tidemark.number" $limit) (int (mulf 0.6 $mib))) -}}
    {{- end -}}
  {{- end -}}
  {{- $strategy := .strategy | default dict -}}
  {{- $rolling := $strategy.rollingUpdate | default dict -}}
  {{- $surge := get $rolling "maxSurge" | toString -}}
  {{- $unavailable := get $rolling "maxUnavailable" | toString -}}
  {{- if and (ne ($strategy.type | default "") "Recreate") (regexMatch "^0+%?$" $surge) (regexMatch "^0+%?$" $unavailable) -}}
  {{- $faults = append $faults (printf "%s: strategy.rollingUpdate has maxSurge %s and maxUnavailable %s, and could never replace a worker: raise one of them" $where $surge $unavailable) -}}
  {{- end -}}
{{- end -}}
{{- toJson $faults -}}
{{- end -}}
