{{- /* Names and labels: what is made of a user's word must be one that Kubernetes takes. */ -}}
{{- define "tidemark.nameFaults" -}}
{{- $faults := list -}}
{{- $name := include "tidemark.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- $faults = append $faults (printf "objects would be named %s-…, which Kubernetes refuses: set fullnameOverride to lower-case letters, digits and '-', a letter first" $name) -}}
{{- end -}}
{{- $suffixes := list -}}
{{- range $part := list "gateway" "query" "init" -}}
{{- if (index $.Values $part).enabled -}}{{- $suffixes = append $suffixes $part -}}{{- end -}}
{{- end -}}
{{- if .Values.loadgen.enabled -}}{{- $suffixes = append $suffixes "loadgen-00000000" -}}{{- end -}}
{{- range $suffixes -}}
  {{- if gt (len (printf "%s-%s" $name .)) 63 -}}
  {{- $faults = append $faults (printf "the name %s-%s is longer than 63 characters: set a shorter fullnameOverride" $name .) -}}
  {{- end -}}
{{- end -}}
{{- range $projection, $_ := .Values.projections -}}
  {{- if or (not (regexMatch "^[a-z][a-z0-9]*(-[a-z0-9]+)*$" $projection)) (gt (len $projection) 40) -}}
  {{- $faults = append $faults (printf "projections.%s can be no projection's name: those are lower-case words with '-' between, at most 40 characters. Name it as its definition does" $projection) -}}
  {{- end -}}
{{- end -}}
{{- $bytes := 0 -}}
{{- range $file, $text := .Values.projectionFiles -}}
  {{- $bytes = add $bytes (len $text) (len $file) -}}
  {{- if not (regexMatch "^[A-Za-z0-9][A-Za-z0-9_.-]*\\.m?[jt]s$" $file) -}}
  {{- $faults = append $faults (printf "projectionFiles has %q: a file's name ends in .ts, .mts, .js or .mjs and has only letters, digits, '.', '_' and '-'; with --set-file, write dots as '\\.'" $file) -}}
  {{- end -}}
{{- end -}}
{{- if gt (int $bytes) 1048576 -}}
{{- $faults = append $faults (printf "projectionFiles hold %d bytes, and a ConfigMap holds 1048576: build them into an image (see README.md) and name it in image" (int $bytes)) -}}
{{- end -}}
{{- $labels := dict "commonLabels" .Values.commonLabels "gateway.podLabels" .Values.gateway.podLabels "query.podLabels" .Values.query.podLabels -}}
{{- range include "tidemark.workers" . | fromJsonArray -}}
  {{- $_ := set $labels (printf "projections.%s.podLabels" .projection) .podLabels -}}
  {{- $worker := printf "%s-%s" $name .id -}}
  {{- if gt (len $worker) 63 -}}
  {{- $faults = append $faults (printf "projections.%s (v%s): its Deployment's name %s is longer than 63 characters: set a shorter fullnameOverride" .projection .version $worker) -}}
  {{- end -}}
{{- end -}}
{{- $own := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" "app.kubernetes.io/version" "app.kubernetes.io/part-of" "app.kubernetes.io/managed-by" "helm.sh/chart" "tidemark.dev/projection" "tidemark.dev/version" -}}
{{- range $value, $map := $labels -}}
  {{- range $label, $_ := $map -}}
    {{- if has $label $own -}}
    {{- $faults = append $faults (printf "%s has %s, a label that the chart sets itself: choose another" $value $label) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if and .Values.serviceAccount.create (eq .Values.serviceAccount.name (printf "%s-init" $name)) -}}
{{- $faults = append $faults "serviceAccount.name is the name of the init Job's own account: choose another" -}}
{{- end -}}
{{- toJson $faults -}}
{{- end -}}
