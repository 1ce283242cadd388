/*
 * The server of the held-reader benchmarks: one thread, epoll. It holds every GET until told to
 * release it, so that what differs between rounds is the client alone.
 *
 *   holding-server response|sse READERS
 *
 * Standard output, a line each: `port N`, `held MS` when READERS requests are there, `released
 * BEGIN END` for each wave it has written. Times: milliseconds of CLOCK_MONOTONIC.
 * Standard input: `release` answers all readers; `events N GAP_MS` writes N waves of one event.
 * It ends with its standard input.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char answer[4096], event_chunk[4096];
static size_t answer_length, event_length;
static char sse_open[512];
static size_t sse_open_length;

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void prepare(void) {
  char body[1025], event[2048];
  memset(body, 'x', 1024);
  body[1024] = 0;
  answer_length = sprintf(answer,
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nStream-Next-Offset: 0_1024\r\n"
      "Stream-Up-To-Date: true\r\nStream-Cursor: 1234567\r\nContent-Length: 1024\r\n\r\n%s", body);
  int n = sprintf(event,
      "event: data\ndata: %s\n\nevent: control\ndata: {\"streamNextOffset\":\"0_1024\"}\n\n", body);
  const char *first = "event: control\ndata: {\"streamNextOffset\":\"0_0\",\"upToDate\":true}\n\n";
  sse_open_length = sprintf(sse_open,
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
      "%zx\r\n%s\r\n", strlen(first), first);
  event_length = sprintf(event_chunk, "%x\r\n%s\r\n", n, event);
}

static int listen_here(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096)) exit(70);
  socklen_t length = sizeof address;
  getsockname(fd, (struct sockaddr *)&address, &length);
  printf("port %d\n", ntohs(address.sin_port));
  return fd;
}

static void write_all(const int *fds, int count, const char *bytes, size_t length) {
  double begin = now_ms();
  for (int i = 0; i < count; i++)
    if (write(fds[i], bytes, length) < 0) continue; /* A reader that has gone is its own matter. */
  printf("released %.3f %.3f\n", begin, now_ms());
}

static void obey(const char *line, const int *fds, int count) {
  int waves = 0, gap_ms = 0;
  if (!strncmp(line, "release", 7)) write_all(fds, count, answer, answer_length);
  else if (sscanf(line, "events %d %d", &waves, &gap_ms) == 2)
    for (int i = 0; i < waves; i++) {
      double begin = now_ms();
      write_all(fds, count, event_chunk, event_length);
      double rest = begin + gap_ms - now_ms();
      if (rest > 0 && i + 1 < waves) usleep(rest * 1e3);
    }
}

int main(int argc, char **argv) {
  if (argc != 3) return 64;
  int sse = !strcmp(argv[1], "sse"), readers = atoi(argv[2]), held = 0;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  setvbuf(stdout, NULL, _IOLBF, 0);
  prepare();
  int listener = listen_here(), queue = epoll_create1(0);
  int *fds = calloc(readers, sizeof *fds);
  struct epoll_event one = {.events = EPOLLIN, .data.fd = listener}, ready[512];
  epoll_ctl(queue, EPOLL_CTL_ADD, listener, &one);
  one.data.fd = 0;
  epoll_ctl(queue, EPOLL_CTL_ADD, 0, &one);
  for (;;) {
    int n = epoll_wait(queue, ready, 512, -1);
    for (int i = 0; i < n; i++) {
      int fd = ready[i].data.fd;
      char bytes[4096];
      if (fd == listener) {
        int peer, flag = 1;
        while ((peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
          setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &flag, sizeof flag);
          one.data.fd = peer;
          epoll_ctl(queue, EPOLL_CTL_ADD, peer, &one);
        }
        continue;
      }
      ssize_t length = read(fd, bytes, sizeof bytes - 1);
      if (fd == 0) {
        if (length <= 0) return 0;
        bytes[length] = 0;
        obey(bytes, fds, held);
      } else if (length <= 0) {
        epoll_ctl(queue, EPOLL_CTL_DEL, fd, NULL);
        close(fd);
      } else if (held < readers && !memcmp(bytes, "GET ", 4)) {
        fds[held++] = fd;
        if (sse && write(fd, sse_open, sse_open_length) < 0) return 70;
        if (held == readers) printf("held %.3f\n", now_ms());
      }
    }
  }
}
