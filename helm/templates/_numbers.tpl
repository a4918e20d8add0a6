{{- /* A number as it was written: to a template each is a float, and a million would be 1e+06. Text stays as it is. */ -}}
{{- define "tidemark.number" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}{{- int64 . -}}{{- else -}}{{- toString . -}}{{- end -}}
{{- end -}}

{{- /* An amount of memory (768Mi, 1G, 500000000) in MiB. */ -}}
{{- define "tidemark.mib" -}}
{{- divf (include "tidemark.amount" . | float64) 1048576.0 -}}
{{- end -}}

{{- /* An amount of anything (768Mi, 1G, 500m) as a plain number. */ -}}
{{- define "tidemark.amount" -}}
{{- $amount := include "tidemark.number" . -}}
{{- $units := dict "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 -}}
{{- $unit := regexFind "[A-Za-z]+$" $amount -}}
{{- mulf (trimSuffix $unit $amount | float64) (ternary 1.0 (get $units $unit) (empty $unit)) -}}
{{- end -}}

{{- /* Resources without what null took away: `limits: { memory: null }` would be a limit of nothing. */ -}}
{{- define "tidemark.resources" -}}
{{- $kept := dict -}}
{{- range $kind, $amounts := . -}}
  {{- if kindIs "map" $amounts -}}
    {{- $some := dict -}}
    {{- range $name, $amount := $amounts -}}
    {{- if not (kindIs "invalid" $amount) -}}{{- $_ := set $some $name (include "tidemark.number" $amount) -}}{{- end -}}
    {{- end -}}
    {{- if $some -}}{{- $_ := set $kept $kind $some -}}{{- end -}}
  {{- else if $amounts -}}
    {{- $_ := set $kept $kind $amounts -}}
  {{- end -}}
{{- end -}}
{{- if $kept -}}{{- toYaml $kept -}}{{- end -}}
{{- end -}}
