{{- define "tidemark.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "tidemark.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains (include "tidemark.name" .) .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "tidemark.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "tidemark.serviceAccountName" -}}
{{- default (ternary (include "tidemark.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{- /* Labels that never change: selectors are made of them. Takes (dict "root" $ "component" "gateway" "more" (dict …)). */ -}}
{{- define "tidemark.selectorLabels" -}}
app.kubernetes.io/name: {{ include "tidemark.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- with .more }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* What somebody set for one object over what is set for all; takes (list all own), gives nothing where there is nothing. */ -}}
{{- define "tidemark.over" -}}
{{- with mergeOverwrite (deepCopy (index . 0 | default dict)) (deepCopy (index . 1 | default dict)) -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}

{{- /* Labels of an object; takes `labels` besides, the object's own, which win over those of all. */ -}}
{{- define "tidemark.labels" -}}
{{ include "tidemark.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: tidemark
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with include "tidemark.over" (list .root.Values.commonLabels .labels) }}
{{ . }}
{{- end }}
{{- end -}}

{{- /* An image as `image` names it, with what `over` says otherwise. */ -}}
{{- define "tidemark.image" -}}
{{- $image := mergeOverwrite (deepCopy .root.Values.image) (deepCopy (.over | default dict)) -}}
{{- if and (hasKey (.over | default dict) "tag") (not (.over).digest) -}}
{{- $_ := set $image "digest" "" -}}
{{- end -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default .root.Chart.AppVersion (toString (default "" $image.tag))) -}}
{{- end -}}
{{- end -}}
