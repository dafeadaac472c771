/*
 * Makes one reset of each kind on loopback and says who made it: the known truth beside a recording of the kernel's
 * tracing (see trace.sh). Each story has a server process and a client process of its own; each story becomes one line
 * of JSON on standard output. Standard C and Linux, static, nothing else needed; it ends by itself in some ten seconds.
 *
 *   stories NC       NC is a program to execute as "NC 127.0.0.1 7211"
 *   stories drain F  copies per_cpu/cpuN/trace_pipe_raw F to standard output, page by page, without ever waiting
 *   stories up       brings lo up
 *   stories load F…  loads kernel modules
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CLOSED_PORT = 7211 };

/* What the processes of a story tell each other and us. */
struct told {
  volatile int ready, connected, accepted, go, done;
  volatile int client_port;
  volatile int client_errno, server_errno; /* of the call that met the reset; 0: none did */
  volatile int helper_errno;
};
static struct told *told;

static void die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  _exit(9);
}

static void must(int ok, const char *what) {
  if (!ok) die(what);
}

static void nap(int ms) {
  struct timespec t = {ms / 1000, (ms % 1000) * 1000000L};
  nanosleep(&t, NULL);
}

/* Waits until a process of the story has come so far, 5 s at most. */
static void until(volatile int *flag) {
  for (int i = 0; i < 5000 && !*flag; i++) nap(1);
  if (!*flag) {
    errno = ETIMEDOUT;
    die("story");
  }
}

static unsigned long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

static socklen_t loopback(union address *a, int family, int port) {
  memset(a, 0, sizeof *a);
  a->any.sa_family = family;
  if (family == AF_INET) {
    a->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a->v4.sin_port = htons(port);
    return sizeof a->v4;
  }
  a->v6.sin6_addr = in6addr_loopback;
  a->v6.sin6_port = htons(port);
  return sizeof a->v6;
}

static int local_port(int fd) {
  union address a;
  socklen_t n = sizeof a;
  if (getsockname(fd, &a.any, &n) < 0) return 0;
  return ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
}

static int listening(int family, int port) {
  union address a;
  socklen_t n = loopback(&a, family, port);
  int fd = socket(family, SOCK_STREAM, 0), one = 1;
  must(fd >= 0, "socket");
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  must(bind(fd, &a.any, n) == 0 && listen(fd, 8) == 0, "listen");
  told->ready = 1;
  return fd;
}

static int accepted(int listener) {
  int fd = accept(listener, NULL, NULL);
  must(fd >= 0, "accept");
  told->accepted = 1;
  return fd;
}

static int connected(int family, int port) {
  union address a;
  socklen_t n = loopback(&a, family, port);
  int fd = socket(family, SOCK_STREAM, 0);
  must(fd >= 0, "socket");
  int e = connect(fd, &a.any, n) < 0 ? errno : 0;
  told->client_port = local_port(fd);
  told->client_errno = e;
  told->connected = 1;
  return fd;
}

static int read_errno(int fd) {
  char c[64];
  ssize_t n;
  while ((n = read(fd, c, sizeof c)) > 0) continue;
  return n < 0 ? errno : 0;
}

static void linger0(int fd) {
  struct linger l = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
}

/* The servers. */

static void aborts(int family, int port) {
  int fd = accepted(listening(family, port));
  until(&told->connected);
  nap(50); /* until the client waits in read() */
  linger0(fd);
  close(fd);
}

static void sends_then_reads(int family, int port) {
  int fd = accepted(listening(family, port));
  must(write(fd, "unread", 6) == 6, "write");
  told->server_errno = read_errno(fd);
}

static void waits_in_read(int family, int port) {
  int fd = accepted(listening(family, port));
  told->server_errno = read_errno(fd);
}

/* Something unread lies in its socket when it is killed. */
static void sleeps(int family, int port) {
  accepted(listening(family, port));
  nap(5000);
}

static void closes_listener(int family, int port) {
  int fd = listening(family, port);
  until(&told->connected);
  nap(50);
  close(fd);
}

static void keeps_alive(int family, int port) {
  int fd = accepted(listening(family, port)), one = 1;
  until(&told->go);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &one, sizeof one);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &one, sizeof one);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &one, sizeof one);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
  told->server_errno = read_errno(fd);
}

static void closes(int family, int port) {
  int fd = accepted(listening(family, port));
  until(&told->connected);
  close(fd);
  told->go = 1;
  nap(300);
}

static void only_listens(int family, int port) {
  listening(family, port);
  until(&told->done);
}

/* The clients. */

static void refused(int family, int port) { close(connected(family, port)); }

static void reads(int family, int port) {
  int fd = connected(family, port);
  told->client_errno = read_errno(fd);
}

static void writes_then_reads(int family, int port) {
  int fd = connected(family, port);
  must(write(fd, "unread", 6) == 6, "write");
  told->go = 1;
  told->client_errno = read_errno(fd);
}

static void closes_unread(int family, int port) {
  int fd = connected(family, port);
  until(&told->accepted);
  nap(50); /* until the server's bytes are here */
  close(fd);
}

static void disconnects(int family, int port) {
  struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
  int fd = connected(family, port);
  until(&told->accepted);
  nap(50);
  must(connect(fd, &nowhere, sizeof nowhere) == 0, "disconnect");
}

/* A peer that is gone without a word: its socket drops what comes. When the server has ended it closes: into nothing. */
static void plays_dead(int family, int port) {
  struct sock_filter nothing = {BPF_RET | BPF_K, 0, 0, 0};
  struct sock_fprog program = {1, &nothing};
  int unused = 0, fd = connected(family, port);
  until(&told->accepted);
  must(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0, "filter");
  told->go = 1;
  until(&told->done);
  setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
  close(fd);
  nap(50);
}

static void talks_late(int family, int port) {
  int fd = connected(family, port);
  until(&told->go);
  nap(50);
  must(write(fd, "late", 4) == 4, "write");
  nap(50);
  told->client_errno = send(fd, "later", 5, MSG_NOSIGNAL) < 0 ? errno : 0;
}

static unsigned short checksum(const void *data, int length, unsigned long sum) {
  const unsigned char *p = data;
  for (int i = 0; i + 1 < length; i += 2) sum += p[i] << 8 | p[i + 1];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return htons(~sum & 0xffff);
}

/* An ACK out of nowhere to a port that listens. */
static void strays(int family, int port) {
  union address a;
  socklen_t n = loopback(&a, family, 0);
  struct tcphdr h = {0};
  int fd = socket(family, SOCK_RAW, IPPROTO_TCP);
  must(fd >= 0, "raw socket");
  told->client_port = 40000;
  h.source = htons(40000);
  h.dest = htons(port);
  h.seq = htonl(1);
  h.ack_seq = htonl(2);
  h.doff = 5;
  h.ack = 1;
  h.window = htons(1024);
  h.check = checksum(&h, sizeof h, 2 * (0x7f00 + 0x0001) + IPPROTO_TCP + sizeof h);
  must(sendto(fd, &h, sizeof h, 0, &a.any, n) == sizeof h, "sendto");
  nap(50);
  told->done = 1;
}

/* Does as "ss -K" does. */
static void destroys(int family, int port) {
  struct {
    struct nlmsghdr h;
    struct inet_diag_req_v2 r;
  } q = {0};
  struct {
    struct nlmsghdr h;
    struct nlmsgerr e;
    char rest[256];
  } answer;
  until(&told->connected);
  until(&told->accepted);
  nap(50);
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
  q.h.nlmsg_len = sizeof q;
  q.h.nlmsg_type = SOCK_DESTROY;
  q.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  q.r.sdiag_family = family;
  q.r.sdiag_protocol = IPPROTO_TCP;
  q.r.idiag_states = -1;
  q.r.id.idiag_sport = htons(port);
  q.r.id.idiag_dport = htons(told->client_port);
  q.r.id.idiag_src[0] = q.r.id.idiag_dst[0] = htonl(INADDR_LOOPBACK);
  q.r.id.idiag_cookie[0] = q.r.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  must(fd >= 0 && send(fd, &q, sizeof q, 0) == sizeof q, "sock_diag");
  must(recv(fd, &answer, sizeof answer, 0) > 0, "sock_diag");
  told->helper_errno = -answer.e.error;
}

struct story {
  const char *id, *what;
  int family, port;
  void (*server)(int, int), (*client)(int, int), (*helper)(int, int);
  const char *reset_by; /* which end's socket, or the kernel without one */
  const char *via;
  int kill_server, server_first;
};

static const struct story stories[] = {
  {"closed-port-v4", "connect to a port nobody listens on", AF_INET, CLOSED_PORT, 0, refused, 0, "kernel", "no-socket", 0, 0},
  {"closed-port-v6", "connect to a port nobody listens on", AF_INET6, CLOSED_PORT, 0, refused, 0, "kernel", "no-socket", 0, 0},
  {"linger-v4", "server closes with SO_LINGER 0, client waits in read", AF_INET, 8001, aborts, reads, 0, "server", "linger", 0, 0},
  {"linger-v6", "server closes with SO_LINGER 0, client waits in read", AF_INET6, 8002, aborts, reads, 0, "server", "linger", 0, 0},
  {"unread-v4", "client closes with data unread, server waits in read", AF_INET, 8003, sends_then_reads, closes_unread, 0, "client", "close", 0, 0},
  {"killed-v4", "server is killed (SIGKILL) with data unread", AF_INET, 8004, sleeps, writes_then_reads, 0, "server", "killed", 1, 0},
  {"listener-closed-v4", "server closes its listener before it accepted", AF_INET, 8005, closes_listener, reads, 0, "server", "listener-closed", 0, 0},
  {"disconnect-v4", "client connects to AF_UNSPEC, server waits in read", AF_INET, 8006, waits_in_read, disconnects, 0, "client", "disconnect", 0, 0},
  {"sock-destroy-v4", "a third program destroys the server's socket, as ss -K does", AF_INET, 8007, waits_in_read, reads, destroys, "server", "sock-destroy", 0, 0},
  {"keepalive-v4", "client is silent, server's keepalive gives up; then the client closes: a second reset, by the kernel", AF_INET, 8008, keeps_alive, plays_dead, 0, "server", "keepalive", 0, 1},
  {"late-data-v4", "client writes to a connection that the server has closed in order", AF_INET, 8009, closes, talks_late, 0, "kernel", "time-wait", 0, 0},
  {"stray-ack-v4", "an ACK of no connection to a port that listens", AF_INET, 8010, only_listens, strays, 0, "kernel", "listener", 0, 0},
};

static pid_t start(void (*act)(int, int), const struct story *s, const char *name) {
  if (act == NULL) return 0;
  fflush(stdout);
  pid_t pid = fork();
  must(pid >= 0, "fork");
  if (pid == 0) {
    FILE *comm = fopen("/proc/self/comm", "w");
    if (comm != NULL) {
      fputs(name, comm);
      fclose(comm);
    }
    act(s->family, s->port);
    _exit(0);
  }
  return pid;
}

static const char *error_name(int e) { return e == 0 ? "" : strerrorname_np(e); }

static void number(const char *key, long value) {
  if (value > 0) printf(",\"%s\":%ld", key, value);
  else printf(",\"%s\":null", key);
}

static void word(const char *key, const char *value) {
  if (value[0] != 0) printf(",\"%s\":\"%s\"", key, value);
  else printf(",\"%s\":null", key);
}

static void tell(const struct story *s) {
  memset((void *)told, 0, sizeof *told);
  unsigned long long began = now();
  pid_t server = start(s->server, s, "story-server");
  if (server > 0) until(&told->ready);
  pid_t client = start(s->client, s, "story-client");
  pid_t helper = start(s->helper, s, "story-destroyer");
  if (s->kill_server) {
    until(&told->accepted);
    until(&told->go);
    nap(50);
    kill(server, SIGKILL);
  }
  if (s->server_first) {
    waitpid(server, NULL, 0);
    told->done = 1;
  }
  waitpid(client, NULL, 0);
  if (server > 0 && !s->server_first) waitpid(server, NULL, 0);
  if (helper > 0) waitpid(helper, NULL, 0);
  nap(20);
  printf("{\"id\":\"%s\",\"what\":\"%s\",\"reset_by\":\"%s\",\"via\":\"%s\"", s->id, s->what, s->reset_by, s->via);
  printf(",\"ip\":\"%s\"", s->family == AF_INET ? "127.0.0.1" : "::1");
  number("server_port", s->port);
  number("client_port", told->client_port);
  number("server_pid", server);
  number("client_pid", client);
  number("helper_pid", helper);
  word("server_error", error_name(told->server_errno));
  word("client_error", error_name(told->client_errno));
  word("helper_error", error_name(told->helper_errno));
  printf(",\"began_ns\":%llu,\"ended_ns\":%llu}\n", began, now());
}

/* The last story: a program that was executed, so its name is not that of the process that forked. */
static void executed(char *nc) {
  unsigned long long began = now();
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    char *words[] = {"nc", "127.0.0.1", "7211", NULL};
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 2);
    execv(nc, words);
    _exit(9);
  }
  waitpid(pid, NULL, 0);
  nap(20);
  printf("{\"id\":\"closed-port-exec-v4\",\"what\":\"an executed nc connects to a port nobody listens on\"");
  printf(",\"reset_by\":\"kernel\",\"via\":\"no-socket\",\"ip\":\"127.0.0.1\",\"server_port\":%d", CLOSED_PORT);
  printf(",\"client_port\":null,\"server_pid\":null,\"client_pid\":%d,\"helper_pid\":null", (int)pid);
  printf(",\"server_error\":null,\"client_error\":\"ECONNREFUSED\",\"helper_error\":null");
  printf(",\"began_ns\":%llu,\"ended_ns\":%llu}\n", began, now());
}

/* A read of nothing is no end: the kernel gives some before the last page. */
static int drain(const char *file) {
  static char page[65536];
  int fd = open(file, O_RDONLY | O_NONBLOCK), empty = 0;
  must(fd >= 0, file);
  while (empty < 5) {
    ssize_t n = read(fd, page, 4096);
    if (n > 0) must(write(1, page, n) == n, "write");
    else empty++;
  }
  return 0;
}

static int up(void) {
  struct ifreq r = {0};
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  strcpy(r.ifr_name, "lo");
  r.ifr_flags = IFF_UP | IFF_RUNNING;
  must(ioctl(fd, SIOCSIFFLAGS, &r) == 0, "lo");
  return 0;
}

static int load(int count, char **files) {
  for (int i = 0; i < count; i++) {
    int fd = open(files[i], O_RDONLY);
    must(fd >= 0 && syscall(SYS_finit_module, fd, "", 0) == 0, files[i]);
    close(fd);
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc >= 3 && strcmp(argv[1], "drain") == 0) return drain(argv[2]);
  if (argc == 2 && strcmp(argv[1], "up") == 0) return up();
  if (argc >= 2 && strcmp(argv[1], "load") == 0) return load(argc - 2, argv + 2);
  if (argc != 2) return 2;
  told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  must(told != MAP_FAILED, "mmap");
  nap(1200); /* IPv6's ::1 is tentative for a moment after lo came up */
  for (unsigned i = 0; i < sizeof stories / sizeof *stories; i++) tell(&stories[i]);
  executed(argv[1]);
  return 0;
}
