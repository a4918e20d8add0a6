{{- define "tidemark.scalingFaults" -}}
{{- $faults := list -}}
{{- range include "tidemark.workers" . | fromJsonArray -}}
  {{- $where := printf "projections.%s (v%s)" .projection .version -}}
  {{- $autoscaling := .autoscaling -}}
  {{- if and .partitions (gt (int .maximum) (int .partitions)) -}}
  {{- $faults = append $faults (printf "%s: up to %d workers for %d partition(s): the others would be idle. Lower %s, or correct partitions" $where (int .maximum) (int .partitions) (ternary "autoscaling.maxReplicas" "replicas" .scaled)) -}}
  {{- end -}}
  {{- if .scaled -}}
    {{- if .counted -}}
    {{- $faults = append $faults (printf "%s: replicas has no effect while autoscaling.type is %s: leave it out, or set autoscaling.type to none" $where $autoscaling.type) -}}
    {{- end -}}
    {{- if not .partitions -}}
    {{- $faults = append $faults (printf "%s: autoscaling needs to know how many partitions there are: set partitions to the sum over its topics" $where) -}}
    {{- end -}}
    {{- if and .maximum (gt (int .minimum) (int .maximum)) -}}
    {{- $faults = append $faults (printf "%s: autoscaling.minReplicas is %d and above maxReplicas, %d: lower the one or raise the other" $where (int .minimum) (int .maximum)) -}}
    {{- end -}}
  {{- end -}}
  {{- if eq $autoscaling.type "hpa" -}}
    {{- if eq (int .minimum) 0 -}}
    {{- $faults = append $faults (printf "%s: an HPA can't wake a fleet from zero: set autoscaling.minReplicas to 1, or autoscaling.type to keda" $where) -}}
    {{- end -}}
    {{- $resources := .resources | default dict -}}
    {{- if and (eq $autoscaling.hpa.metric "cpu") (not (dig "requests" "cpu" nil $resources)) (not (dig "limits" "cpu" nil $resources)) -}}
    {{- $faults = append $faults (printf "%s: an HPA on CPU compares with the CPU request, and there is none: set resources.requests.cpu, or autoscaling.hpa.metric to external" $where) -}}
    {{- end -}}
  {{- end -}}
  {{- if eq $autoscaling.type "keda" -}}
    {{- if not .topics -}}
    {{- $faults = append $faults (printf "%s: KEDA watches its topics to wake it: set topics to their names" $where) -}}
    {{- end -}}
    {{- $keda := $autoscaling.keda -}}
    {{- if not (regexMatch "^($|https?://.)" ($keda.prometheusAddress | default "")) -}}
    {{- $faults = append $faults (printf "%s: autoscaling.keda.prometheusAddress is %q: write its URL, http://host:port" $where $keda.prometheusAddress) -}}
    {{- end -}}
    {{- if and $keda.prometheusAuthModes (not $keda.prometheusAuthenticationRef) -}}
    {{- $faults = append $faults (printf "%s: autoscaling.keda.prometheusAuthModes is %s, but nothing says with what: set autoscaling.keda.prometheusAuthenticationRef to { name: … }" $where $keda.prometheusAuthModes) -}}
    {{- end -}}
    {{- if and $keda.prometheusAuthenticationRef (not $keda.prometheusAddress) -}}
    {{- $faults = append $faults (printf "%s: autoscaling.keda.prometheusAuthenticationRef has no effect: set autoscaling.keda.prometheusAddress as well" $where) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- toJson $faults -}}
{{- end -}}
