#!/bin/sh
# Runs a program where everything it does outside one folder can be seen afterwards:
#   watch.sh FOLDER PROGRAM [ARGUMENT...]
# It has a network of its own with nothing but loopback, whose kernel counts each attempt to reach
# any other address, and the root file system under an overlay, which holds each file it writes.
# Both end with it. Needs root (or CAP_SYS_ADMIN), util-linux and either ip or perl.
# Writes to standard output one line for each finding: "wrote PATH" and "no-route N".
set -eu
folder=$1
shift

if [ "${WATCH_INSIDE:-}" != yes ]; then
  WATCH_INSIDE=yes exec unshare --mount --net --pid --fork --kill-child sh "$0" "$folder" "$@"
fi

top=$folder/.watch
mkdir -p "$top"
mount -t tmpfs watch "$top"
mkdir "$top/upper" "$top/work" "$top/root"
mount -t overlay watch -o "lowerdir=/,upperdir=$top/upper,workdir=$top/work" "$top/root"

# Other disks can be read but not written.
while read -r _ place kind _; do
  case $kind in ext*|xfs|btrfs|overlay|zfs|f2fs|tmpfs|virtiofs|9p|fuse*) ;; *) continue ;; esac
  case $place in /|/dev*|/proc*|/sys*|"$top"*|*\\*) continue ;; esac
  [ -d "$place" ] || continue
  mkdir -p "$top/root$place"
  mount --bind "$place" "$top/root$place" && mount -o remount,bind,ro "$top/root$place" || true
done < /proc/mounts

mkdir -p "$top/root$folder"
mount --bind "$folder" "$top/root$folder"
mount -t proc proc "$top/root/proc"
mount --rbind /dev "$top/root/dev"

# A name server that is not on loopback: looking a name up counts as reaching out.
rm -f "$top/root/etc/resolv.conf"
echo 'nameserver 192.0.2.53' > "$top/root/etc/resolv.conf"
ip link set lo up 2>/dev/null ||
  perl -e 'socket(my $s, 2, 2, 0); ioctl($s, 0x8914, pack("a16s", "lo", 0x49)) or exit 1'

written() { find "$top/upper" '(' ! -type d -o -type d -empty ')' | sort; }
written > "$top/before"
code=0
chroot "$top/root" "$@" || code=$?
written | grep -vxF -f "$top/before" | sed "s|^$top/upper|wrote |" || true
awk '/^Ip:/ { if (seen) print "no-route ip4 " $column; else
  { for (i = 1; i <= NF; i++) if ($i == "OutNoRoutes") column = i; seen = 1 } }' /proc/net/snmp
awk '$1 == "Ip6OutNoRoutes" { print "no-route ip6 " $2 }' /proc/net/snmp6
exit "$code"
