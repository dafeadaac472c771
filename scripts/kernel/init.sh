#!/bin/busybox sh
# The first and only program of the machine that scripts/record-kernel.sh boots: records, sends what it recorded through
# the second serial line, and switches off.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tracefs tracefs /sys/kernel/tracing
exec </dev/null >/dev/ttyS0 2>&1
mkdir -p /tmp
/stories up
/stories load /modules/*.ko
if sh /trace.sh /stories /bin/nc /tmp/record; then
  stty -F /dev/ttyS1 raw -echo
  (cd /tmp/record && tar cf - .) | gzip -9 >/dev/ttyS1
  echo RECORDED
fi
sleep 1
poweroff -f
