# A whole cluster on this machine; the work is done by tools/cluster/cluster.py. Sourced by ./dev.
# shellcheck shell=bash

clusterDir() { realpath -m "${TIPFLOW_CLUSTER_DIR:-$root/var/cluster}"; }

# cluster ARGS...: with what is installed and built already.
cluster() {
  TIPFLOW_CLUSTER_DIR=$(clusterDir) TIPFLOW_CLUSTER_BINARY=${TIPFLOW_BIN:-$root/build/release/tipflow} \
    TIPFLOW_CLUSTER_CONSUL=$consulProgram TIPFLOW_CLUSTER_MYSQL=$cacheDir/mysql python3 -B "$root/tools/cluster/cluster.py" "$@"
}

commandCluster() {
  consulProgram=$(command -v consul || echo "$cacheDir/consul/usr/bin/consul")
  case ${1:-} in
  up | add | start | rolling-restart)
    case " $* " in
    *' --help '* | *' -h '*) ;;
    *)
      setupCluster
      case "$*" in
      *--databases?galera*) setupGalera ;;
      *--databases?mysql*) setupMysql ;;
      esac
      [ -n "${TIPFLOW_BIN:-}" ] || buildPreset release tipflow
      ;;
    esac
    ;;
  '') cluster --help; exit 2 ;;
  esac
  cluster "$@"
}
