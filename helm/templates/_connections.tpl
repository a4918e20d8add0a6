{{- /* Settings of every process, as shared/config.ts of the repository names them. */ -}}
{{- define "tidemark.connectionEnv" -}}
{{- $kafka := .Values.kafka -}}
{{- $cassandra := .Values.cassandra -}}
- { name: KAFKA_BROKERS, value: {{ join "," $kafka.brokers | quote }} }
{{- if $kafka.tls.enabled }}
- { name: KAFKA_TLS, value: "true" }
{{- include "tidemark.tlsEnv" (dict "server" "KAFKA" "folder" "kafka" "tls" $kafka.tls) }}
{{- end }}
{{- if $kafka.sasl.mechanism }}
- { name: KAFKA_SASL_MECHANISM, value: {{ $kafka.sasl.mechanism | quote }} }
{{- if eq $kafka.sasl.mechanism "oauthbearer" }}
- { name: KAFKA_SASL_OAUTH_TOKEN_ENDPOINT, value: {{ $kafka.sasl.tokenEndpoint | quote }} }
{{- with $kafka.sasl.scope }}
- { name: KAFKA_SASL_OAUTH_SCOPE, value: {{ . | quote }} }
{{- end }}
{{- include "tidemark.secretEnv" (list "KAFKA_SASL_OAUTH_CLIENT_ID" $kafka.sasl.existingSecret $kafka.sasl.usernameKey) }}
{{- include "tidemark.secretEnv" (list "KAFKA_SASL_OAUTH_CLIENT_SECRET" $kafka.sasl.existingSecret $kafka.sasl.passwordKey) }}
{{- else }}
{{- include "tidemark.secretEnv" (list "KAFKA_SASL_USERNAME" $kafka.sasl.existingSecret $kafka.sasl.usernameKey) }}
{{- include "tidemark.secretEnv" (list "KAFKA_SASL_PASSWORD" $kafka.sasl.existingSecret $kafka.sasl.passwordKey) }}
{{- end }}
{{- end }}
{{- with $kafka.replicationFactor }}
- { name: KAFKA_REPLICATION_FACTOR, value: {{ . | quote }} }
{{- end }}
- { name: CASSANDRA_CONTACT_POINTS, value: {{ join "," $cassandra.contactPoints | quote }} }
- { name: CASSANDRA_LOCAL_DATACENTER, value: {{ $cassandra.localDatacenter | quote }} }
- { name: CASSANDRA_KEYSPACE, value: {{ $cassandra.keyspace | quote }} }
{{- if $cassandra.tls.enabled }}
- { name: CASSANDRA_TLS, value: "true" }
{{- include "tidemark.tlsEnv" (dict "server" "CASSANDRA" "folder" "cassandra" "tls" $cassandra.tls) }}
{{- end }}
{{- with $cassandra.auth.existingSecret }}
{{- include "tidemark.secretEnv" (list "CASSANDRA_USERNAME" . $cassandra.auth.usernameKey) }}
{{- include "tidemark.secretEnv" (list "CASSANDRA_PASSWORD" . $cassandra.auth.passwordKey) }}
{{- end }}
{{- with $cassandra.replicationFactor }}
- { name: CASSANDRA_REPLICATION_FACTOR, value: {{ . | quote }} }
{{- end }}
{{- if .Values.projectionFiles }}
- { name: TIDEMARK_PROJECTIONS, value: /projections }
{{- end }}
{{- end -}}

{{- define "tidemark.secretEnv" }}
- name: {{ index . 0 }}
  valueFrom: { secretKeyRef: { name: {{ index . 1 | quote }}, key: {{ index . 2 | quote }} } }
{{- end -}}

{{- define "tidemark.tlsEnv" -}}
{{- if .tls.existingSecret }}
{{- range $part, $key := dict "CA" .tls.caKey "CERT" .tls.certKey "KEY" .tls.keyKey }}
{{- if $key }}
- { name: {{ $.server }}_TLS_{{ $part }}_FILE, value: /etc/tidemark/{{ $.folder }}/{{ $key }} }
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "tidemark.volumeMounts" -}}
{{- range $folder, $server := dict "kafka" .root.Values.kafka "cassandra" .root.Values.cassandra }}
{{- if and $server.tls.enabled $server.tls.existingSecret }}
- { name: {{ $folder }}-tls, mountPath: /etc/tidemark/{{ $folder }}, readOnly: true }
{{- end }}
{{- end }}
{{- if .root.Values.projectionFiles }}
- { name: projections, mountPath: /projections, readOnly: true }
{{- end }}
{{- with .root.Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "tidemark.volumes" -}}
{{- range $folder, $server := dict "kafka" .root.Values.kafka "cassandra" .root.Values.cassandra }}
{{- if and $server.tls.enabled $server.tls.existingSecret }}
- { name: {{ $folder }}-tls, secret: { secretName: {{ $server.tls.existingSecret | quote }}, defaultMode: 0444 } }
{{- end }}
{{- end }}
{{- if .root.Values.projectionFiles }}
- { name: projections, configMap: { name: {{ .projections }} } }
{{- end }}
{{- with .root.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
