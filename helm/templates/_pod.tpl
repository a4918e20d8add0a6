{{- define "tidemark.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end -}}

{{- /* Plain settings by name; `env` of the component wins over `env` of all. */ -}}
{{- define "tidemark.settingsEnv" -}}
{{- range $name, $value := mergeOverwrite (deepCopy (.root.Values.env | default dict)) (deepCopy (.env | default dict)) }}
{{- if not (kindIs "invalid" $value) }}
- { name: {{ $name }}, value: {{ include "tidemark.number" $value | quote }} }
{{- end }}
{{- end }}
{{- end -}}

{{- /* The head of every pod: nobody's rights, no token, no variables of other Services. */ -}}
{{- define "tidemark.podHead" -}}
serviceAccountName: {{ .serviceAccount | default (include "tidemark.serviceAccountName" .root) | quote }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: { type: RuntimeDefault }
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* One `tidemark` command as a container; takes root, name, image, args, env, resources. */ -}}
{{- define "tidemark.command" -}}
- name: {{ .name }}
  image: {{ .image }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  args:
    {{- toYaml .args | nindent 4 }}
  # The last words of a process that failed are in `kubectl describe pod`.
  terminationMessagePolicy: FallbackToLogsOnError
  env:
    {{- include "tidemark.connectionEnv" .root | nindent 4 }}
    {{- with include "tidemark.settingsEnv" (dict "root" .root "env" .env) | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with .root.Values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- include "tidemark.containerSecurity" . | nindent 2 }}
  {{- with include "tidemark.resources" .resources }}
  resources:
    {{- . | nindent 4 }}
  {{- end }}
  {{- with include "tidemark.volumeMounts" . }}
  volumeMounts:
    {{- . | trim | nindent 4 }}
  {{- end }}
{{- end -}}

{{- /* What a process that listens adds to its container. Liveness never depends on Kafka or Cassandra. */ -}}
{{- define "tidemark.listening" -}}
ports:
  - { name: http, containerPort: {{ . }} }
startupProbe:
  httpGet: { path: /livez, port: http }
  # A node that is short of CPU may take minutes; to begin anew would only take longer.
  periodSeconds: 1
  timeoutSeconds: 5
  failureThreshold: 300
livenessProbe:
  httpGet: { path: /livez, port: http }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /readyz, port: http }
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 3
{{- end -}}

{{- define "tidemark.spread" -}}
{{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ $key }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- $.labels | nindent 6 }}
{{- end }}
{{- end -}}

{{- /* A Deployment of one process; takes root, name, labels, selector, part (its values), replicas, port, image, args, env, grace, lingers (seconds). */ -}}
{{- define "tidemark.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .name }}
  labels:
    {{- .labels | nindent 4 }}
spec:
  {{- if not (kindIs "invalid" .replicas) }}
  replicas: {{ .replicas }}
  {{- end }}
  minReadySeconds: {{ .part.minReadySeconds | default 0 }}
  {{- with .part.strategy }}
  strategy:
    {{- toYaml (eq (.type | default "") "Recreate" | ternary (omit . "rollingUpdate") .) | nindent 4 }}
  {{- end }}
  selector:
    matchLabels:
      {{- .selector | nindent 6 }}
  template:
    metadata:
      # Without versions, so that an upgrade that changes nothing of a pod restarts none.
      labels:
        {{- .selector | nindent 8 }}
        {{- with include "tidemark.over" (list .root.Values.commonLabels .part.podLabels) }}
        {{- . | nindent 8 }}
        {{- end }}
      {{- $annotations := dict "kubectl.kubernetes.io/default-container" "tidemark" }}
      {{- with .root.Values.projectionFiles }}
      {{- $_ := set $annotations "checksum/projections" (toJson . | sha256sum) }}
      {{- end }}
      annotations:
        {{- include "tidemark.over" (list $annotations .part.podAnnotations) | nindent 8 }}
    spec:
      {{- include "tidemark.podHead" . | nindent 6 }}
      terminationGracePeriodSeconds: {{ .grace }}
      {{- with .part.priorityClassName }}
      priorityClassName: {{ . | quote }}
      {{- end }}
      {{- if .part.spread }}
      topologySpreadConstraints:
        {{- include "tidemark.spread" (dict "labels" .selector) | trim | nindent 8 }}
      {{- end }}
      {{- range $key := list "nodeSelector" "tolerations" "affinity" }}
      {{- with index $.part $key }}
      {{ $key }}:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- end }}
      containers:
        {{- include "tidemark.command" (dict "root" .root "name" "tidemark" "image" .image "args" .args "env" .env "resources" .part.resources) | nindent 8 }}
          {{- include "tidemark.listening" .port | nindent 10 }}
          {{- with .lingers }}
          # A pod that ends is still sent requests until every node has heard of it, and would refuse them. Counts as grace.
          lifecycle: { preStop: { sleep: { seconds: {{ . }} } } }
          {{- end }}
      {{- with include "tidemark.volumes" (dict "root" .root "projections" (printf "%s-projections" (include "tidemark.fullname" .root))) }}
      volumes:
        {{- . | trim | nindent 8 }}
      {{- end }}
{{- end -}}

{{- define "tidemark.pdb" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .name }}
  labels:
    {{- .labels | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- .selector | nindent 6 }}
{{- end -}}
