#!/usr/bin/env bash
# Starts a real S3 server for the tests: Ceph's RADOS gateway over one OSD that lives in memory.
# Loopback only, everything below one folder, nothing of it survives `stop`. Needs root and
#   apt-get install --no-install-recommends ceph-mon ceph-osd ceph-common radosgw uuid-runtime
#
#   ceph-rgw.sh start DIR [PORT]   DIR is made; PORT and the two above it must be free (17480)
#   ceph-rgw.sh stop DIR           ends the daemons that were started in DIR
#
# Prints the endpoint. Access key AKTEST, secret key SKTEST, region us-east-1, path style.
set -euo pipefail

usage() {
  sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

stop_daemons() {
  local dir=$1 name pid
  for name in client.rgw osd.0 mon.a; do
    [[ -s $dir/run/$name.pid ]] || continue
    pid=$(<"$dir/run/$name.pid")
    # The pid file may be older than a reboot: only end what was started from this folder.
    grep -qsF "$dir/ceph.conf" "/proc/$pid/cmdline" || continue
    kill "$pid" 2>/dev/null || true
    for _ in {1..25}; do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.2
    done
    kill -KILL "$pid" 2>/dev/null || true
  done
}

write_config() {
  local dir=$1 port=$2
  cat >"$dir/ceph.conf" <<CONF
[global]
fsid = $(uuidgen)
mon initial members = a
mon host = $(monitor_address "$port")
ms bind ipv6 = false
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = $dir/keyring
run dir = $dir/run
pid file = $dir/run/\$name.pid
admin socket = $dir/run/\$name.asok
log file = $dir/log/\$name.log
# One copy on one host is all there is.
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd crush chooseleaf type = 0
osd crush update on start = false
mon allow pool size one = true
mon data avail crit = 1
mon data = $dir/mon
osd data = $dir/osd
osd objectstore = memstore
memstore device bytes = 2147483648
memstore page set = false
osd class load list = *
osd class default list = *
rgw frontends = beast endpoint=127.0.0.1:$port
rgw dns name = localhost
rgw crypt require ssl = false
rgw enable usage log = false
CONF
}

monitor_address() { echo "[v2:127.0.0.1:$(($1 + 1)),v1:127.0.0.1:$(($1 + 2))]"; }

# `auth none` makes radosgw hang, so every daemon gets a key of its own.
write_keys() {
  local dir=$1
  ceph-authtool --create-keyring "$dir/keyring" --gen-key -n mon. --cap mon 'allow *'
  ceph-authtool "$dir/keyring" --gen-key -n client.admin \
    --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
  ceph-authtool "$dir/keyring" --gen-key -n client.rgw --cap mon 'allow *' --cap osd 'allow *'
  ceph-authtool "$dir/keyring" --gen-key -n osd.0 \
    --cap mon 'allow profile osd' --cap osd 'allow *' --cap mgr 'allow profile osd'
}

start_storage() {
  local dir=$1 port=$2 uuid
  local as_root=(--setuser root --setgroup root)
  monmaptool --create --clobber --addv a "$(monitor_address "$port")" \
    --fsid "$(sed -n 's/^fsid = //p' "$dir/ceph.conf")" "$dir/monmap"
  ceph-mon --mkfs -i a -c "$dir/ceph.conf" --monmap "$dir/monmap" --keyring "$dir/keyring" "${as_root[@]}"
  ceph-mon -i a -c "$dir/ceph.conf" "${as_root[@]}"
  uuid=$(uuidgen)
  ceph_cli osd new "$uuid"
  ceph_cli auth import -i "$dir/keyring"
  ceph_cli osd crush add-bucket localhost host
  ceph_cli osd crush move localhost root=default
  ceph_cli osd crush add osd.0 1.0 host=localhost
  ceph-osd -i 0 -c "$dir/ceph.conf" --mkfs --osd-uuid "$uuid" "${as_root[@]}"
  ceph-osd -i 0 -c "$dir/ceph.conf" "${as_root[@]}"
  wait_until "the OSD is up" osd_is_up
}

start_gateway() {
  local dir=$1
  radosgw -c "$dir/ceph.conf" -n client.rgw --setuser root --setgroup root
  timeout 60 radosgw-admin -c "$dir/ceph.conf" -n client.rgw user create \
    --uid=trainyard --display-name=Trainyard --access-key=AKTEST --secret-key=SKTEST
}

ceph_cli() { timeout 30 ceph -c "$DIR/ceph.conf" "$@"; }
osd_is_up() { ceph_cli osd stat | grep -q '1 up'; }
gateway_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$PORT"); }

wait_until() {
  local what=$1
  shift
  for _ in {1..120}; do
    "$@" 2>/dev/null && return
    sleep 0.5
  done
  echo "gave up after 60 s: not true that $what; logs are in $DIR/log" >&2
  return 1
}

# Half a cluster is of no use to anyone: what had started is stopped, and the end of the log shown.
on_exit() {
  [[ $1 == 0 ]] && return
  tail -n 20 "$DIR/log/start.log" >&2
  stop_daemons "$DIR"
}

[[ $# -ge 2 ]] || usage
mkdir -p "$2"
DIR=$(realpath "$2")
PORT=${3:-17480}
export CEPH_CONF=$DIR/ceph.conf
case $1 in
start)
  [[ ! -e $DIR/mon ]] || { echo "$DIR was used before: give an empty folder" >&2; exit 2; }
  mkdir -p "$DIR"/{mon,osd,run,log}
  trap 'on_exit $?' EXIT
  {
    write_config "$DIR" "$PORT"
    write_keys "$DIR"
    start_storage "$DIR" "$PORT"
    start_gateway "$DIR"
    wait_until "the gateway answers on port $PORT" gateway_answers
  } >>"$DIR/log/start.log" 2>&1
  echo "http://127.0.0.1:$PORT"
  ;;
stop) stop_daemons "$DIR" ;;
*) usage ;;
esac
