#!/bin/sh
# Records what a kernel's tracing says of resets into a folder of test/attribute/kernels: the formats of its events, a
# trace of resets of each kind, as text and as raw bytes, and the truth beside it (docs/kernels.md). What its counters
# said of the same resets goes into a folder of test/health/fixtures.
#
#   record-kernel.sh [SUITE]   the kernel of a Debian release, in a virtual machine: bullseye (5.10), bookworm (6.1; the
#                              default), trixie (6.12), trixie-backports (the newest)
#   record-kernel.sh here      the running kernel, in namespaces of its own; as root
#
# For Debian: apt-get (it downloads, with lists of its own, and installs nothing), dpkg-deb, gcc with a static libc, xz
# and, for the machine, qemu-system-x86; root is not needed for that. The machine has no network, no disk and six
# minutes (RECORD_KERNEL_SECONDS); it takes one or two. RECORD_KERNEL_OUT is another folder to write into.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
limit=${RECORD_KERNEL_SECONDS:-360}
mirror=${RECORD_KERNEL_MIRROR:-http://deb.debian.org/debian}
what=${1:-bookworm}
suite=$what
[ "$what" != here ] || suite=bookworm
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

mkdir -p "$work/apt/state/lists/partial" "$work/apt/cache/archives/partial"
: >"$work/apt/status"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
for s in "${suite%-backports}" "$suite"; do
  echo "deb [arch=amd64 signed-by=$keys] $mirror $s main"
done | sort -u >"$work/apt/sources"
cat >"$work/apt/config" <<END
Dir::State "$work/apt/state";
Dir::State::status "$work/apt/status";
Dir::Cache "$work/apt/cache";
Dir::Etc::SourceList "$work/apt/sources";
Dir::Etc::SourceParts "/dev/null";
APT::Architecture "amd64";
APT::Default-Release "$suite";
APT::Sandbox::User "";
END
export APT_CONFIG="$work/apt/config"

fetch() {
  (cd "$work" && apt-get -q download "$1" >&2)
  mkdir "$work/$1"
  dpkg-deb -x "$work/$1"_*.deb "$work/$1"
  rm "$work/$1"_*.deb
}

timeout 120 apt-get -q update >&2
fetch busybox-static
busybox=$(find "$work/busybox-static" -name busybox -type f -perm -1 | head -n 1)
gcc -O1 -static -Wall -o "$work/stories" "$here/scripts/kernel/stories.c"

# What other programs did meanwhile would be in it too: then once more. Of births there are those of the stories alone,
# by the one that makes them all.
record_here() {
  ln -s "$busybox" "$work/nc"
  for try in 1 2 3 4 5; do
    rm -rf "$work/record"
    timeout "$limit" taskset -c 0 unshare -n -m sh -c '
      mount -t tracefs tracefs /sys/kernel/tracing && "$1/stories" up &&
      sh "$2/scripts/kernel/trace.sh" "$1/stories" "$1/nc" "$1/record"' sh "$work" "$here"
    pids=$(grep -o '_pid":[0-9]*' "$work/record/truth.json" | grep -o '[0-9]*$' | sort -u | tr '\n' '|')
    others=$(sed -n '/: task_newtask: /d; s/^ *[^ ].*-\([0-9]\{1,\}\) .* \[[0-9]*\] .*/\1/p' "$work/record/trace.txt" |
      grep -vxEc "${pids}0" || true)
    files=$(cd "$work/record" && echo cpu*.raw)
    if [ "$others" = 0 ] && [ "$files" = cpu0.raw ]; then
      return
    fi
    echo "try $try: $others events of other processes, in $files" >&2
  done
  exit 1
}

record_machine() {
  package=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p' | head -n 1)
  # From 7 on the kernel and its modules are packages of their own.
  parts=$(apt-cache depends "$package" | sed -n 's/^ *Depends: \(linux-[bm][io][nd][^ ]*-[0-9].*\)/\1/p')
  kernel=$work/kernel
  mkdir "$kernel"
  for part in $package $parts; do
    fetch "$part"
    cp -a "$work/$part/." "$kernel/"
    rm -rf "${work:?}/$part"
  done
  root=$work/root
  mkdir -p "$root/bin" "$root/proc" "$root/sys" "$root/dev" "$root/modules"
  cp "$busybox" "$root/bin/busybox"
  cp "$work/stories" "$here/scripts/kernel/trace.sh" "$root/"
  cp "$here/scripts/kernel/init.sh" "$root/init"
  chmod 755 "$root/init"
  # What "ss -K" asks. Numbered: the second needs the first.
  n=0
  for module in inet_diag tcp_diag; do
    n=$((n + 1))
    file=$(find "$kernel" -name "$module.ko*" | head -n 1)
    case $file in
      *.xz) xz -dc "$file" >"$root/modules/$n.ko" ;;
      ?*) cp "$file" "$root/modules/$n.ko" ;;
    esac
  done
  (cd "$root" && find . | "$busybox" cpio -o -H newc 2>/dev/null | gzip -1) >"$work/initramfs"
  timeout "$limit" qemu-system-x86_64 -accel "${RECORD_KERNEL_ACCEL:-tcg}" -cpu max -smp 1 -m 512 -nodefaults \
    -display none -no-reboot \
    -kernel "$(find "$kernel" -name 'vmlinuz*' -type f | head -n 1)" -initrd "$work/initramfs" \
    -append 'console=ttyS0 loglevel=4 panic=-1 rdinit=/init' \
    -serial file:"$work/console" -serial file:"$work/sent" </dev/null || true
  if ! grep -q RECORDED "$work/console"; then
    tail -n 30 "$work/console" >&2
    echo "the machine did not record within $limit s" >&2
    exit 1
  fi
  mkdir "$work/record"
  gzip -dc "$work/sent" | tar xf - -C "$work/record"
}

case $what in
  here) record_here ;;
  *) record_machine ;;
esac
release=$(sed -n '1s/^# seen on //p' "$work/record/formats.txt")
version=$(echo "$release" | cut -d . -f 1,2)
out=${RECORD_KERNEL_OUT:-$here/test/attribute/kernels/$version}
counters=${RECORD_KERNEL_OUT:-$here/test/health/fixtures/$version}
chmod 644 "$work/record"/*
mkdir -p "$out" "$counters"
rm -f "$out"/cpu*.raw
mv "$work/record/snmp.txt" "$work/record/netstat.txt" "$counters/"
cp "$work/record"/* "$out/"
prettier=$here/node_modules/.bin/prettier
[ ! -x "$prettier" ] || "$prettier" --log-level warn --write "$out/truth.json"
echo "seen on $release: $out"
ls -l "$out"
