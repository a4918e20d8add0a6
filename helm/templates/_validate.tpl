{{- /* What a schema can't say: every contradiction at once, each with its remedy. Each part gives its faults as a list in JSON. */ -}}
{{- define "tidemark.validate" -}}
{{- $faults := list -}}
{{- range $part := list "connection" "name" "pod" "server" "worker" "scaling" "monitoring" -}}
{{- $faults = concat $faults (include (printf "tidemark.%sFaults" $part) $ | fromJsonArray) -}}
{{- end -}}
{{- if $faults -}}
{{- fail (printf "\n\n%d value(s) to correct:\n  - %s\n" (len $faults) (join "\n  - " $faults)) -}}
{{- end -}}
{{- end -}}
