#!/bin/sh
# Records the golden captures that hold real resets, made by the kernel of this machine, in network namespaces that
# this script makes and removes. Root, iproute2, dumpcap (tshark), tcpdump and node are needed. Everything stays in the
# namespaces: no packet leaves them.
#
#   lo             loopback of "rsc-host": a client that knocks at a dead port, IPv4 and IPv6
#   app   10.77.0.10   behind bridge br0 of the host, as a container is
#   far   192.0.2.50   a client behind the host's "NIC" eth0
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$here/test/pcaps}
traffic=$here/scripts/make-resets.mjs
work=$(mktemp -d)

cleanup() {
  for ns in rsc-host rsc-app rsc-far; do
    pids=$(ip netns pids "$ns" 2>/dev/null || true)
    [ -z "$pids" ] || kill $pids 2>/dev/null || true
    ip netns del "$ns" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap cleanup EXIT INT TERM
cleanup_quietly() { cleanup 2>/dev/null; work=$(mktemp -d); }
cleanup_quietly

for ns in rsc-host rsc-app rsc-far; do
  ip netns add "$ns"
  ip -n "$ns" link set lo up
done
ip -n rsc-host link add br0 type bridge
ip -n rsc-host addr add 10.77.0.1/24 dev br0
ip -n rsc-host link set br0 up
ip -n rsc-host link add veth1 type veth peer name eth0 netns rsc-app
ip -n rsc-host link set veth1 master br0 up
ip -n rsc-app addr add 10.77.0.10/24 dev eth0
ip -n rsc-app link set eth0 up
ip -n rsc-app route add default via 10.77.0.1
ip -n rsc-host link add eth0 type veth peer name eth0 netns rsc-far
ip -n rsc-host addr add 192.0.2.1/24 dev eth0
ip -n rsc-host link set eth0 up
ip -n rsc-far addr add 192.0.2.50/24 dev eth0
ip -n rsc-far link set eth0 up
ip -n rsc-far route add default via 192.0.2.1
ip netns exec rsc-host sysctl -qw net.ipv4.ip_forward=1
sleep 2

ip netns exec rsc-host dumpcap -q -i lo -i veth1 -i br0 -i eth0 -w "$work/demo.pcapng" 2>/dev/null &
recorder=$!
# tcpdump gives up root before it writes; -Z keeps it.
ip netns exec rsc-host tcpdump -Z root -i any -U -w "$work/any.pcap" 2>/dev/null &
any=$!
sleep 2
ip netns exec rsc-app node "$traffic" servers &
sleep 1
ip netns exec rsc-host node "$traffic" knock &
knock=$!
ip netns exec rsc-far node "$traffic" clients
wait "$knock"
sleep 1
kill -INT "$recorder" "$any"
wait "$recorder" "$any" || true
chmod 644 "$work"/*
cp "$work/demo.pcapng" "$out/demo.pcapng"
cp "$work/any.pcap" "$out/any-sll2.pcap"
ls -l "$out/demo.pcapng" "$out/any-sll2.pcap"
