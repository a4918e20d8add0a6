{{- /* What a schema can't say: every contradiction at once, each with its remedy. */ -}}
{{- define "tidemark.validate" -}}
{{- $faults := list -}}
{{- $kafka := .Values.kafka -}}
{{- $cassandra := .Values.cassandra -}}
{{- if not $kafka.brokers -}}
{{- $faults = append $faults "kafka.brokers is empty: this chart installs no Kafka. Name some brokers: --set 'kafka.brokers={kafka-0.kafka:9092,kafka-1.kafka:9092}'" -}}
{{- end -}}
{{- if not $cassandra.contactPoints -}}
{{- $faults = append $faults "cassandra.contactPoints is empty: this chart installs no Cassandra. Name some nodes: --set 'cassandra.contactPoints={cassandra-0.cassandra,cassandra-1.cassandra}'" -}}
{{- end -}}
{{- if and $kafka.sasl.mechanism (not $kafka.sasl.existingSecret) -}}
{{- $faults = append $faults (printf "kafka.sasl.mechanism is %s, but kafka.sasl.existingSecret is empty: make a secret with %s and %s and name it there" $kafka.sasl.mechanism $kafka.sasl.usernameKey $kafka.sasl.passwordKey) -}}
{{- end -}}
{{- if and $kafka.sasl.existingSecret (not $kafka.sasl.mechanism) -}}
{{- $faults = append $faults "kafka.sasl.existingSecret has no effect: set kafka.sasl.mechanism as well (plain, scram-sha-256, scram-sha-512, oauthbearer)" -}}
{{- end -}}
{{- if and (eq $kafka.sasl.mechanism "oauthbearer") (not $kafka.sasl.tokenEndpoint) -}}
{{- $faults = append $faults "kafka.sasl.mechanism is oauthbearer, but kafka.sasl.tokenEndpoint is empty: set the URL that gives tokens" -}}
{{- end -}}
{{- range $name, $server := dict "kafka" $kafka "cassandra" $cassandra -}}
  {{- if and $server.tls.existingSecret (not $server.tls.enabled) -}}
  {{- $faults = append $faults (printf "%s.tls.existingSecret has no effect: set %s.tls.enabled=true as well" $name $name) -}}
  {{- end -}}
  {{- if ne (empty $server.tls.certKey) (empty $server.tls.keyKey) -}}
  {{- $faults = append $faults (printf "%s.tls needs certKey and keyKey, or neither: mutual TLS takes both" $name) -}}
  {{- end -}}
{{- end -}}
{{- if and .Values.serviceAccount.name (eq .Values.serviceAccount.name (printf "%s-init" (include "tidemark.fullname" .))) -}}
{{- $faults = append $faults "serviceAccount.name is the name of the init Job's own account: choose another" -}}
{{- end -}}
{{- range $component := list "gateway" "query" -}}
  {{- $part := index $.Values $component -}}
  {{- if and $part.ingress.enabled (not $part.ingress.hosts) -}}
  {{- $faults = append $faults (printf "%s.ingress is enabled, but has no hosts: set %s.ingress.hosts to [{ host: … }]" $component $component) -}}
  {{- end -}}
  {{- if and $part.route.enabled (not $part.route.parentRefs) -}}
  {{- $faults = append $faults (printf "%s.route is enabled, but has no parentRefs: set %s.route.parentRefs to [{ name: your Gateway }]" $component $component) -}}
  {{- end -}}
{{- end -}}
{{- if and .Values.loadgen.enabled (eq .Values.loadgen.via "gateway") (not .Values.gateway.enabled) -}}
{{- $faults = append $faults "loadgen.via is gateway, but gateway.enabled is false: enable it, or set loadgen.via to kafka" -}}
{{- end -}}
{{- range $projection, $entry := .Values.projections -}}
  {{- if and (not (hasKey ($entry | default dict) "version")) (not ($entry | default dict).versions) -}}
  {{- $faults = append $faults (printf "projections.%s says no version: set projections.%s.version to the one its definition has" $projection $projection) -}}
  {{- end -}}
{{- end -}}
{{- range include "tidemark.workers" . | fromJsonArray -}}
  {{- $where := printf "projections.%s (v%s)" .projection .version -}}
  {{- $name := printf "%s-%s" (include "tidemark.fullname" $) .id -}}
  {{- if gt (len $name) 63 -}}
  {{- $faults = append $faults (printf "%s: its Deployment's name %s is longer than 63 characters: set a shorter fullnameOverride" $where $name) -}}
  {{- end -}}
  {{- if lt (int .terminationGracePeriodSeconds) (add (int .drainDeadlineSeconds) 10 | int) -}}
  {{- $faults = append $faults (printf "%s: terminationGracePeriodSeconds is %d, so a worker could be killed while it drains: make it at least drainDeadlineSeconds + 10 = %d" $where (int .terminationGracePeriodSeconds) (add (int .drainDeadlineSeconds) 10)) -}}
  {{- end -}}
  {{- if and .partitions (gt (int .maximum) (int .partitions)) -}}
  {{- $faults = append $faults (printf "%s: up to %d workers for %d partition(s): the others would be idle. Lower %s, or correct partitions" $where (int .maximum) (int .partitions) (ternary "autoscaling.maxReplicas" "replicas" .scaled)) -}}
  {{- end -}}
  {{- if .scaled -}}
    {{- if not .partitions -}}
    {{- $faults = append $faults (printf "%s: autoscaling needs to know how many partitions there are: set partitions to the sum over its topics" $where) -}}
    {{- end -}}
    {{- if and .maximum (gt (int .minimum) (int .maximum)) -}}
    {{- $faults = append $faults (printf "%s: autoscaling.minReplicas is %d and above maxReplicas, %d: lower the one or raise the other" $where (int .minimum) (int .maximum)) -}}
    {{- end -}}
    {{- if and (eq .autoscaling.type "hpa") (eq (int .minimum) 0) -}}
    {{- $faults = append $faults (printf "%s: an HPA can't wake a fleet from zero: set autoscaling.minReplicas to 1, or autoscaling.type to keda" $where) -}}
    {{- end -}}
    {{- if and (eq .autoscaling.type "keda") (not .topics) -}}
    {{- $faults = append $faults (printf "%s: KEDA watches its topics to wake it: set topics to their names" $where) -}}
    {{- end -}}
  {{- end -}}
  {{- $limit := dig "limits" "memory" "" (.resources | default dict) | toString -}}
  {{- $unit := get (dict "Mi" 1.0 "Gi" 1024.0) (regexFind "(Mi|Gi)$" $limit) -}}
  {{- if $unit -}}
    {{- $mib := mulf $unit (regexFind "^[0-9.]+" $limit | float64) -}}
    {{- if gt (float64 .workingSetMiB) (mulf 0.6 $mib) -}}
    {{- $faults = append $faults (printf "%s: workingSetMiB is %d, more than 60 %% of the memory limit %s: workers would be killed for memory. Raise the limit, or lower workingSetMiB to %d or less" $where (int .workingSetMiB) $limit (int (mulf 0.6 $mib))) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if $faults -}}
{{- fail (printf "\n\n%d value(s) to correct:\n  - %s\n" (len $faults) (join "\n  - " $faults)) -}}
{{- end -}}
{{- end -}}
