{{- /* The load generator's pod; takes the root. */ -}}
{{- define "tidemark.loadgenPod" -}}
{{- $with := .Values.loadgen -}}
{{- $args := concat (list "loadgen" "--rate" (include "tidemark.number" $with.rate) "--duration" $with.duration "--via" $with.via) ($with.extraArgs | default list) -}}
{{- if eq $with.via "gateway" -}}
{{- $args = concat $args (list "--gateway" (printf "http://%s-gateway:%v" (include "tidemark.fullname" .) .Values.gateway.service.port)) -}}
{{- end -}}
metadata:
  # Without versions: the Job's name is made of all this.
  labels:
    {{- include "tidemark.selectorLabels" (dict "root" . "component" "loadgen") | nindent 4 }}
    {{- with .Values.commonLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  restartPolicy: Never
  {{- include "tidemark.podHead" (dict "root" .) | nindent 2 }}
  containers:
    {{- include "tidemark.command" (dict "root" . "name" "loadgen" "image" (include "tidemark.image" (dict "root" .)) "args" $args "env" dict "resources" $with.resources) | nindent 4 }}
  {{- with include "tidemark.volumes" (dict "root" . "projections" (printf "%s-projections" (include "tidemark.fullname" .))) }}
  volumes:
    {{- . | trim | nindent 4 }}
  {{- end }}
{{- end -}}
