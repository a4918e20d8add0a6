#!/usr/bin/env bash
# A local Kubernetes with Kafka, Cassandra, Prometheus, Grafana, KEDA and Tidemark: `make kind-up`, `make minikube-up`. Needs Docker,
# kubectl, helm, and kind or minikube. Run again, it brings up to date what is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
kind=${1:?kind, minikube or down}
keda=2.21.0
kubernetes=v1.34.0
image=tidemark:dev

if [[ $kind == down ]]; then
	if command -v kind >/dev/null; then kind delete cluster --name tidemark; fi
	if command -v minikube >/dev/null; then minikube delete --profile tidemark; fi
	exit
fi

for tool in docker kubectl helm "$kind"; do
	command -v "$tool" >/dev/null || { echo "$tool is missing: install it first" >&2; exit 1; }
done

make image IMAGE=$image
case $kind in
	kind)
		kind get clusters | grep -qx tidemark || kind create cluster --config k8s/dev/kind.yaml --wait 120s
		kind load docker-image $image --name tidemark
		context=kind-tidemark
		;;
	minikube)
		minikube start --profile tidemark --driver docker --kubernetes-version $kubernetes --cpus 4 --memory 6g
		minikube image load $image --profile tidemark
		context=tidemark
		;;
	*) echo "kind or minikube, not $kind" >&2; exit 64 ;;
esac

k=(kubectl --context "$context" --namespace tidemark)
kubectl --context "$context" create namespace tidemark --dry-run=client -o yaml | "${k[@]}" apply -f -
kubectl --context "$context" apply --server-side -f https://github.com/kedacore/keda/releases/download/v$keda/keda-$keda.yaml
"${k[@]}" apply -f k8s/dev/kind-servers.yaml -f k8s/e2e/prometheus.yaml -f k8s/dev/kind-grafana.yaml
kubectl --context "$context" --namespace keda rollout status deployment --timeout 300s
"${k[@]}" rollout status deployment --timeout 600s
helm --kube-context "$context" upgrade --install tidemark helm --namespace tidemark -f k8s/dev/kind-values.yaml --wait --timeout 10m
# What it mounts has only come with the chart.
"${k[@]}" rollout restart deployment/grafana deployment/prometheus
"${k[@]}" rollout status deployment --timeout 300s

cat <<END

Tidemark runs in namespace tidemark of the context $context.
  dashboards   kubectl --context $context -n tidemark port-forward svc/grafana 3000:80
  events       kubectl --context $context -n tidemark port-forward svc/tidemark-gateway 8080:80
  load         helm --kube-context $context -n tidemark upgrade tidemark helm --reuse-values --set loadgen.enabled=true

The cluster tests need the topics for themselves:
  helm --kube-context $context -n tidemark uninstall tidemark
  E2E_IMAGE=$image E2E_KAFKA=kafka.tidemark:9092 E2E_CASSANDRA=cassandra.tidemark make e2e
END
