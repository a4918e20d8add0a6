{{- define "tidemark.connectionFaults" -}}
{{- $faults := list -}}
{{- $kafka := .Values.kafka -}}
{{- $cassandra := .Values.cassandra -}}
{{- $sasl := $kafka.sasl -}}
{{- if not $kafka.brokers -}}
{{- $faults = append $faults "kafka.brokers is empty: this chart installs no Kafka. Name some brokers: --set 'kafka.brokers={kafka-0.kafka:9092,kafka-1.kafka:9092}'" -}}
{{- end -}}
{{- if not $cassandra.contactPoints -}}
{{- $faults = append $faults "cassandra.contactPoints is empty: this chart installs no Cassandra. Name some nodes: --set 'cassandra.contactPoints={cassandra-0.cassandra,cassandra-1.cassandra}'" -}}
{{- end -}}
{{- /* A contact point may leave out its port; of IPv6 only an address in brackets can be told from its port. */ -}}
{{- $host := "^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+)" -}}
{{- range $value, $form := dict "kafka.brokers" ":[0-9]+$" "cassandra.contactPoints" "(:[0-9]+)?$" -}}
  {{- range ternary $kafka.brokers $cassandra.contactPoints (eq $value "kafka.brokers") -}}
    {{- $port := regexFind ":[0-9]+$" . | trimPrefix ":" -}}
    {{- if not (regexMatch (print $host $form) .) -}}
    {{- $faults = append $faults (printf "%s has %q: write host:port, an IPv6 address in brackets, without a scheme" $value .) -}}
    {{- else if and $port (or (gt (int $port) 65535) (lt (int $port) 1)) -}}
    {{- $faults = append $faults (printf "%s has %s: ports go from 1 to 65535" $value .) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if not (regexMatch "^[a-z][a-z0-9_]{0,47}$" $cassandra.keyspace) -}}
{{- $faults = append $faults (printf "cassandra.keyspace is %q: write lower-case letters, digits and '_', at most 48, a letter first" $cassandra.keyspace) -}}
{{- else if regexMatch "^system(_(auth|schema|distributed|distributed_everywhere|traces|views|virtual_schema|cluster_metadata))?$" $cassandra.keyspace -}}
{{- $faults = append $faults (printf "cassandra.keyspace is %s, one of Cassandra's own: choose another" $cassandra.keyspace) -}}
{{- end -}}
{{- if and $sasl.mechanism (not $sasl.existingSecret) -}}
{{- $faults = append $faults (printf "kafka.sasl.mechanism is %s, but kafka.sasl.existingSecret is empty: make a secret with %s and %s and name it there" $sasl.mechanism $sasl.usernameKey $sasl.passwordKey) -}}
{{- end -}}
{{- if and $sasl.existingSecret (not $sasl.mechanism) -}}
{{- $faults = append $faults "kafka.sasl.existingSecret has no effect: set kafka.sasl.mechanism as well (plain, scram-sha-256, scram-sha-512, oauthbearer)" -}}
{{- end -}}
{{- if and (eq $sasl.mechanism "oauthbearer") (not $sasl.tokenEndpoint) -}}
{{- $faults = append $faults "kafka.sasl.mechanism is oauthbearer, but kafka.sasl.tokenEndpoint is empty: set the URL that gives tokens" -}}
{{- end -}}
{{- if ne $sasl.mechanism "oauthbearer" -}}
  {{- range $key := list "tokenEndpoint" "scope" -}}
  {{- if index $sasl $key -}}
  {{- $faults = append $faults (printf "kafka.sasl.%s has no effect: set kafka.sasl.mechanism to oauthbearer, or leave it out" $key) -}}
  {{- end -}}
  {{- end -}}
{{- end -}}
{{- range $name, $server := dict "kafka" $kafka "cassandra" $cassandra -}}
  {{- if and $server.tls.existingSecret (not $server.tls.enabled) -}}
  {{- $faults = append $faults (printf "%s.tls.existingSecret has no effect: set %s.tls.enabled=true as well" $name $name) -}}
  {{- end -}}
  {{- if ne (empty $server.tls.certKey) (empty $server.tls.keyKey) -}}
  {{- $faults = append $faults (printf "%s.tls needs certKey and keyKey, or neither: mutual TLS takes both" $name) -}}
  {{- else if and $server.tls.certKey (not $server.tls.existingSecret) -}}
  {{- $faults = append $faults (printf "%s.tls.certKey and keyKey are keys of a secret: name it in %s.tls.existingSecret" $name $name) -}}
  {{- end -}}
{{- end -}}
{{- toJson $faults -}}
{{- end -}}
