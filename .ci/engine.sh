# Sourced by .ci/run. A container engine for its tests and simulation: the one that answers here,
# else one of our own where that may be (root, Debian), below $work, ended at the end.

engine=''         # What runs the containers.
engine_missing='' # Why nothing does.
engine_pid=''

engine_answers() { docker version >/dev/null 2>&1; }

start_engine() {
  if engine_answers; then
    engine='the engine of this machine'
  elif [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    engine_missing='no engine answers, and one is started only by root on Debian'
  elif ! install_engine; then
    engine_missing="docker.io could not be installed: $(tail -n 1 "$work/apt.log")"
  elif ! run_dockerd; then
    engine_missing="dockerd did not come up: $(tail -n 1 "$work/dockerd.log" | cut -c 1-300)"
  else
    engine='dockerd, started for this run'
  fi
  [ -n "$engine" ]
}

# Loud: what was skipped is not green.
say_engine() {
  if [ -n "$engine" ]; then
    echo "In containers ($engine): the tests of containers, images and docker-compose.yml; $1."
  else
    echo "NOTHING RAN IN CONTAINERS: $engine_missing. Their tests were skipped, and their simulation did not run."
  fi
}

# Its packages would start a daemon of the whole machine: what is not wanted here is forbidden meanwhile.
install_engine() {
  local wanted=() policy=/usr/sbin/policy-rc.d own_policy='' done_well=0
  command -v dockerd >/dev/null || wanted+=(docker.io)
  command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 || wanted+=(docker-compose)
  mountpoint -q /sys/fs/cgroup || wanted+=(cgroupfs-mount)
  [ ${#wanted[@]} -eq 0 ] && return 0
  if [ ! -e "$policy" ]; then
    own_policy=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
  fi
  { apt-get update && DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -y --no-install-recommends "${wanted[@]}"; } >"$work/apt.log" 2>&1 || done_well=1
  [ -n "$own_policy" ] && rm -f "$policy"
  return "$done_well"
}

run_dockerd() {
  local socket="unix://$work/docker.sock"
  mountpoint -q /sys/fs/cgroup || cgroupfs-mount 2>/dev/null
  dockerd --host "$socket" --data-root "$work/docker" --exec-root "$work/docker-run" --pidfile "$work/docker.pid" >"$work/dockerd.log" 2>&1 &
  engine_pid=$!
  for _ in $(seq 120); do
    kill -0 "$engine_pid" 2>/dev/null || break
    if DOCKER_HOST=$socket engine_answers; then
      export DOCKER_HOST=$socket
      return 0
    fi
    sleep 0.5
  done
  stop_engine
  return 1
}

# Makes the images once, before tests with deadlines need them. Where they cannot be had, nothing runs
# in containers, and nobody else finds an engine either.
make_images() {
  [ -n "$engine" ] || return 1
  if npm run compose-images >"$work/images.log" 2>&1; then
    rm -f .env
    return 0
  fi
  engine_missing="no images for $engine: $(tail -n 1 "$work/images.log")"
  engine=''
  return 1
}

# Only our own. What it leaves mounted would keep its folder from being removed.
stop_engine() {
  [ -n "$engine_pid" ] || return 0
  kill "$engine_pid" 2>/dev/null
  for _ in $(seq 60); do
    kill -0 "$engine_pid" 2>/dev/null || break
    sleep 0.5
  done
  kill -9 "$engine_pid" 2>/dev/null
  wait "$engine_pid" 2>/dev/null
  engine_pid=''
  awk -v below="$work/" 'index($2, below) == 1 { print $2 }' /proc/mounts | sort -r | while read -r place; do umount -l "$place"; done
}
