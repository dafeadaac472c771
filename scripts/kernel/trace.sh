#!/bin/sh
# Records what this kernel's tracing says of resets whose truth is known: trace.sh STORIES NC FOLDER
# STORIES is stories.c, compiled; NC a link to busybox by that name. Runs as root in a network namespace of its own with
# tracefs mounted, under any sh (busybox's too), and with one CPU, so that one buffer holds everything. The instance it
# makes is gone at the end.
set -eu
export LC_ALL=C
stories=$1
nc=$2
out=$3
tracing=/sys/kernel/tracing
instance=$tracing/instances/record-$$
release=$(uname -r)
version=$(uname -v)

cleanup() {
  [ ! -d "$instance" ] || rmdir "$instance"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM
mkdir "$instance"
mkdir -p "$out"

echo 0 >"$instance/tracing_on"
echo mono >"$instance/trace_clock"
echo 512 >"$instance/buffer_size_kb"

# Every line of setup becomes a line of JSON that says what the kernel made of it: "ok", "absent" or its own error.
attempt() {
  name=$1 file=$2 text=$3
  if [ ! -e "$instance/$file" ]; then
    result=absent
  elif (echo "$text" >"$instance/$file") 2>"$out/error"; then
    result=ok
  else
    result=$(sed 's/.*: //; s/"//g' "$out/error" | head -n 1)
  fi
  printf '{"step":"%s","file":"%s","text":"%s","result":"%s"}\n' "$name" "$file" "$text" "$result" >>"$out/setup"
}
event() {
  attempt filter "events/$1/filter" "$2"
  attempt enable "events/$1/enable" 1
}
: >"$out/setup"
states='newstate==2 || oldstate==2 || newstate==10'
event tcp/tcp_send_reset 0
event tcp/tcp_receive_reset 0
event sock/inet_sock_set_state "protocol==6 && ($states || ((newstate==4 || newstate==9) && !(common_flags & 24)))"
event sock/sock_recv_length 'protocol==6 && ret==-104'
event sock/sock_send_length 'protocol==6 && (ret==-104 || ret==-32)'
event tcp/tcp_destroy_sock '!(common_flags & 24)'
# Births and names of the programs of the stories alone, whatever else the machine does.
event task/task_newtask "comm == 'stories'"
event task/task_rename "oldcomm == 'stories'"
attempt stack events/tcp/tcp_send_reset/trigger 'stacktrace if skbaddr == 0'
attempt option options/record-tgid 1

echo 1 >"$instance/tracing_on"
"$stories" "$nc" >"$out/stories"
echo 0 >"$instance/tracing_on"
# What the kernel counted of them, from 0: the machine, or the namespace, was made for this.
cat /proc/net/snmp >"$out/snmp.txt"
cat /proc/net/netstat >"$out/netstat.txt"

{
  echo "# seen on $release"
  for e in tcp/tcp_send_reset tcp/tcp_receive_reset tcp/tcp_destroy_sock sock/inet_sock_set_state \
    sock/sock_recv_length sock/sock_send_length task/task_newtask task/task_rename ftrace/kernel_stack \
    sched/sched_process_fork sched/sched_process_exec; do
    [ ! -f "$tracing/events/$e/format" ] || { echo "## $e" && cat "$tracing/events/$e/format"; }
  done
  echo '## header_page'
  cat "$tracing/events/header_page"
} >"$out/formats.txt"
{
  echo "# seen on $release"
  cat "$instance/trace"
} >"$out/trace.txt"
for cpu in "$instance"/per_cpu/cpu*; do
  "$stories" drain "$cpu/trace_pipe_raw" >"$out/${cpu##*/}.raw"
  [ -s "$out/${cpu##*/}.raw" ] || rm "$out/${cpu##*/}.raw"
done

# The functions of the stacks and those the paths of resets go through, each with the symbol behind it: where it ends.
{
  sed -n 's/^ *=> \([A-Za-z0-9_.]*\).*/\1/p' "$out/trace.txt"
  echo tcp_send_active_reset tcp_disconnect __tcp_close tcp_close inet_child_forget inet_csk_listen_stop \
    tcp_diag_destroy tcp_abort tcp_keepalive_timer tcp_write_timer __inet_stream_connect inet_release inet6_release \
    tcp_check_oom tcp_out_of_resources do_exit do_group_exit get_signal __x64_sys_close __x64_sys_connect \
    __x64_sys_exit_group tcp_v4_send_reset tcp_v6_send_reset tcp_send_loss_probe | tr ' ' '\n'
} | sort -u >"$out/wanted"
{
  echo "# seen on $release"
  sort /proc/kallsyms | awk -v wanted="$out/wanted" '
    BEGIN { while ((getline name < wanted) > 0) want[name] = 1 }
    last != "" && $1 != last { print; last = ""; if (!($3 in want)) next; last = $1; next }
    $3 in want { print; last = $1 }'
} >"$out/symbols.txt"

rows() {
  sed 's/^/    /; $!s/$/,/' "$1"
}
{
  printf '{\n  "seen_on": "%s",\n  "version": "%s",\n  "clock": "mono",\n' "$release" "$version"
  printf '  "kernel_pids": "of the initial namespace",\n  "setup": [\n'
  rows "$out/setup"
  printf '  ],\n  "offers": {'
  comma=
  for file in kprobe_events synthetic_events dynamic_events events/tcp/tcp_send_reset/hist saved_tgids; do
    [ -e "$tracing/$file" ] && there=true || there=false
    printf '%s"%s":%s' "$comma" "${file##*/}" "$there"
    comma=,
  done
  printf '},\n  "stories": [\n'
  rows "$out/stories"
  printf '  ]\n}\n'
} >"$out/truth.json"
rm "$out/setup" "$out/stories" "$out/wanted" "$out/error"
