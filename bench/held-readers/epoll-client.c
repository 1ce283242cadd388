/*
 * The floor of the held-reader benchmarks: the least a client can do. One thread, epoll, one read
 * buffer; a reader is its socket and its times. It knows the holding server's answers and would
 * not survive others.
 *
 *   epoll-client PORT READERS IN_FLIGHT response|sse EVENTS
 *
 * It says `{"event":"ready"}`, starts at the first line on standard input, and ends with one line:
 * `{"event":"done",...}` with the quantiles of the readers' last bytes and its processor time.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int readers, in_flight_max, sse, events_max, queue, started, in_flight, finished;
static struct sockaddr_in target = {.sin_family = AF_INET};
static int *fd_of, *got;
static char *connected;
static double *last_byte;
static char first_body[65536];
static int identical;
static const char request[] = "GET / HTTP/1.1\r\nHost: held.test\r\naccept: */*\r\n\r\n";

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static double cpu_seconds(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return used.ru_utime.tv_sec + used.ru_stime.tv_sec +
         (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void start_some(void) {
  while (started < readers && in_flight < in_flight_max) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0) exit(70);
    connect(fd, (struct sockaddr *)&target, sizeof target);
    struct epoll_event one = {.events = EPOLLOUT, .data.u32 = started};
    epoll_ctl(queue, EPOLL_CTL_ADD, fd, &one);
    fd_of[started++] = fd;
    in_flight++;
  }
}

static void send_request(int reader) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(fd_of[reader], SOL_SOCKET, SO_ERROR, &error, &length);
  if (error || write(fd_of[reader], request, sizeof request - 1) < 0) exit(70);
  struct epoll_event one = {.events = EPOLLIN, .data.u32 = reader};
  epoll_ctl(queue, EPOLL_CTL_MOD, fd_of[reader], &one);
  connected[reader] = 1;
  in_flight--;
}

static int data_events(const char *bytes, int length) {
  int count = 0;
  const char *end = bytes + length, *at = bytes;
  while ((at = memmem(at, end - at, "event: data\n", 12)) && count++ >= 0) at += 12;
  return count;
}

static void receive(int reader) {
  static char bytes[65536];
  int length = read(fd_of[reader], bytes, sizeof bytes);
  if (length <= 0) exit(70);
  double now = now_ms();
  if (!got[reader] && !sse) {
    if (memcmp(bytes, "HTTP/1.1 200", 12)) exit(70);
    if (!identical) memcpy(first_body, bytes, length);
    identical += !memcmp(first_body, bytes, length);
  }
  int before = got[reader];
  got[reader] += sse ? data_events(bytes, length) : 1;
  if (got[reader] == before) return;
  last_byte[reader] = now;
  if (got[reader] == (sse ? events_max : 1)) finished++;
}

static int by_time(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc != 6) return 64;
  readers = atoi(argv[2]), in_flight_max = atoi(argv[3]), sse = !strcmp(argv[4], "sse");
  events_max = atoi(argv[5]);
  target.sin_port = htons(atoi(argv[1]));
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  fd_of = calloc(readers, sizeof *fd_of), got = calloc(readers, sizeof *got);
  connected = calloc(readers, 1), last_byte = calloc(readers, sizeof *last_byte);
  queue = epoll_create1(0);
  printf("{\"event\":\"ready\"}\n");
  fflush(stdout);
  if (getchar() == EOF) return 130;
  double cpu = cpu_seconds();
  start_some();
  while (finished < readers) {
    struct epoll_event ready[512];
    int n = epoll_wait(queue, ready, 512, -1);
    for (int i = 0; i < n; i++) {
      int reader = ready[i].data.u32;
      if (!connected[reader]) send_request(reader);
      else receive(reader);
    }
    start_some();
  }
  cpu = cpu_seconds() - cpu;
  qsort(last_byte, readers, sizeof *last_byte, by_time);
  printf("{\"event\":\"done\",\"cpuSeconds\":%.6f,\"lastByteAtMs\":{\"min\":%.3f,\"p50\":%.3f,"
         "\"p99\":%.3f,\"max\":%.3f},\"complete\":%d}\n",
         cpu, last_byte[0], last_byte[readers / 2], last_byte[(int)(readers * 0.99) - 1],
         last_byte[readers - 1], sse ? finished : identical);
  fflush(stdout);
  while (getchar() != EOF);
  return 0;
}
