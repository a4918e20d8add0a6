{{- /* What every pod gets from the user must not meet what the chart gives it, and must be whole. */ -}}
{{- define "tidemark.podFaults" -}}
{{- $faults := list -}}
{{- $workers := include "tidemark.workers" . | fromJsonArray -}}

{{- /* Kubernetes takes a variable twice and lets the last one win; server-side apply, as Helm 4 does it, refuses it. */ -}}
{{- $set := list "TIDEMARK_HTTP_PORT" "TIDEMARK_DRAIN_DEADLINE_SECONDS" "TIDEMARK_WORKING_SET_MIB" -}}
{{- range include "tidemark.connectionEnv" . | fromYamlArray -}}{{- $set = append $set .name -}}{{- end -}}
{{- $envs := list .Values.env .Values.gateway.env .Values.query.env -}}
{{- range $workers -}}{{- $envs = append $envs .env -}}{{- end -}}
{{- range $env := $envs -}}
{{- range $name, $value := $env -}}{{- if not (kindIs "invalid" $value) -}}{{- $set = append $set $name -}}{{- end -}}{{- end -}}
{{- end -}}
{{- $seen := list -}}
{{- range .Values.extraEnv -}}
  {{- if has .name $set -}}
  {{- $faults = append $faults (printf "extraEnv has %s, which the chart's own values or env set already: say it in one place" .name) -}}
  {{- else if has .name $seen -}}
  {{- $faults = append $faults (printf "extraEnv has %s twice: leave one out" .name) -}}
  {{- end -}}
  {{- if and .value .valueFrom -}}
  {{- $faults = append $faults (printf "extraEnv has %s with value and valueFrom: leave one out" .name) -}}
  {{- end -}}
  {{- $seen = append $seen .name -}}
{{- end -}}

{{- $volumes := list -}}
{{- range include "tidemark.volumes" (dict "root" . "projections" "any") | fromYamlArray -}}
  {{- if has .name $volumes -}}
  {{- $faults = append $faults (printf "extraVolumes has %s, and there is a volume of that name already: choose another" .name) -}}
  {{- end -}}
  {{- $volumes = append $volumes .name -}}
{{- end -}}
{{- $paths := list -}}
{{- range include "tidemark.volumeMounts" (dict "root" .) | fromYamlArray -}}
  {{- if not (has .name $volumes) -}}
  {{- $faults = append $faults (printf "extraVolumeMounts has %s, and there is no such volume: add it to extraVolumes" .name) -}}
  {{- end -}}
  {{- if has .mountPath $paths -}}
  {{- $faults = append $faults (printf "extraVolumeMounts has %s at %s, where something is mounted already: choose another path" .name .mountPath) -}}
  {{- end -}}
  {{- $paths = append $paths .mountPath -}}
{{- end -}}

{{- $envs := dict "gateway" .Values.gateway.env "query" .Values.query.env -}}
{{- range $workers -}}{{- $_ := set $envs (printf "projections.%s (v%s)" .projection .version) .env -}}{{- end -}}
{{- range $where, $env := $envs -}}
  {{- if hasKey ($env | default dict) "TIDEMARK_BUILTIN" -}}
  {{- $faults = append $faults (printf "%s: env has TIDEMARK_BUILTIN, which all processes must agree on: set it in env at the top" $where) -}}
  {{- end -}}
{{- end -}}

{{- $images := dict "image" .Values.image "gateway: image" .Values.gateway.image "query: image" .Values.query.image -}}
{{- $resources := dict "gateway" .Values.gateway "query" .Values.query "init" .Values.init "loadgen" .Values.loadgen -}}
{{- range $workers -}}
{{- $where := printf "projections.%s (v%s)" .projection .version -}}
{{- $_ := set $images (printf "%s: image" $where) .image -}}
{{- $_ := set $resources $where . -}}
{{- end -}}
{{- range $value, $image := $images -}}
  {{- if and $image (contains ":" (base ($image.repository | default ""))) -}}
  {{- $faults = append $faults (printf "%s.repository is %q and ends in a tag or digest: put that into %s.tag or %s.digest" $value $image.repository $value $value) -}}
  {{- end -}}
  {{- if and $image (hasKey $image "tag") (not (kindIs "string" $image.tag)) (not (kindIs "invalid" $image.tag)) -}}
  {{- $faults = append $faults (printf "%s.tag is a number, and YAML would change it (1.10 is 1.1): put it into quotes, or set it with --set-string" $value) -}}
  {{- end -}}
{{- end -}}

{{- range $where, $part := $resources -}}
  {{- $of := $part.resources | default dict -}}
  {{- $amounts := dict "requests" dict "limits" dict -}}
  {{- range $kind := list "requests" "limits" -}}
  {{- range $name, $amount := index $of $kind -}}
    {{- $text := include "tidemark.number" $amount -}}
    {{- if kindIs "invalid" $amount -}}
    {{- else if not (regexMatch "^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$" $text) -}}
    {{- $faults = append $faults (printf "%s: resources.%s.%s is %q: write an amount of Kubernetes, like %s" $where $kind $name $text (ternary "768Mi" "250m" (eq $name "memory"))) -}}
    {{- else if and (eq $name "memory") (lt (include "tidemark.mib" $amount | float64) 16.0) -}}
    {{- $faults = append $faults (printf "%s: resources.%s.memory is %q, less than any process needs: write it with its unit, like 768Mi; a number alone is in bytes" $where $kind $text) -}}
    {{- else -}}
    {{- $_ := set (get $amounts $kind) $name $text -}}
    {{- end -}}
  {{- end -}}
  {{- end -}}
  {{- range $name, $limit := $amounts.limits -}}
    {{- $request := get $amounts.requests $name -}}
    {{- if and $request (gt (include "tidemark.amount" $request | float64) (include "tidemark.amount" $limit | float64)) -}}
    {{- $faults = append $faults (printf "%s: resources.requests.%s is %s and above the limit, %s: lower the one or raise the other" $where $name $request $limit) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}

{{- range $index, $object := .Values.extraObjects -}}
  {{- $made := tpl (kindIs "string" $object | ternary $object (toYaml $object)) $ -}}
  {{- if not (contains "\n---" $made) -}}
    {{- $object := fromYaml $made -}}
    {{- if not (and $object.apiVersion $object.kind) -}}
    {{- $faults = append $faults (printf "extraObjects[%d] is no Kubernetes object: give it apiVersion, kind and metadata.name" $index) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- toJson $faults -}}
{{- end -}}
