// The API behind the proxies: one thread, answers that are ready before anybody asks, so that next to nothing of
// what is measured is its own.
//
//   upstream PORT
//
//   GET /big    a megabyte (1,000,000 bytes)
//   GET /echo   the head that came, so that it can be seen what a proxy made of it
//   otherwise   1 KB of JSON, after the request's body, if it has one
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BIG = 1000000, SMALL = 1024, HEAD = 16384, DESCRIPTORS = 65536 };

struct answer {
    char *bytes;
    size_t length;
};

struct connection {
    char head[HEAD];
    size_t have;                 // bytes in `head`
    size_t body;                 // bytes of the request's body that are yet to come
    bool busy;                   // a head was read, its answer is not all out
    const struct answer *answer; // what is being sent
    size_t sent;
    bool blocked; // waits until the socket takes more
    struct answer own;
};

static struct connection *connections[DESCRIPTORS];
static struct answer small, big;
static int events;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static struct answer make(const char *type, const char *body, size_t length) {
    struct answer made = {malloc(length + 512), 0};
    made.length = (size_t)sprintf(made.bytes,
                                  "HTTP/1.1 200 OK\r\nServer: upstream\r\nDate: Sat, 22 Nov 2025 09:30:00 GMT\r\n"
                                  "Content-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n\r\n",
                                  type, length);
    memcpy(made.bytes + made.length, body, length);
    made.length += length;
    return made;
}

static void prepare(void) {
    char *filler = malloc(BIG);
    memset(filler, 'x', BIG);
    big = make("application/octet-stream", filler, BIG);
    const char *begin = "{\"id\":42,\"text\":\"";
    memcpy(filler, begin, strlen(begin));
    memcpy(filler + SMALL - 3, "\"}\n", 3);
    small = make("application/json", filler, SMALL);
    free(filler);
}

static void watch(int fd, int operation, unsigned what) {
    struct epoll_event event = {.events = what, .data.fd = fd};
    if (epoll_ctl(events, operation, fd, &event) < 0) fail("epoll_ctl");
}

static void drop(int fd) {
    free(connections[fd]->own.bytes);
    free(connections[fd]);
    connections[fd] = NULL;
    close(fd);
}

// Whether the connection is still there.
static bool put_out(int fd, struct connection *c) {
    while (c->sent < c->answer->length) {
        ssize_t n = send(fd, c->answer->bytes + c->sent, c->answer->length - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            if (!c->blocked) watch(fd, EPOLL_CTL_MOD, EPOLLOUT);
            c->blocked = true;
            return true;
        }
        if (n <= 0) return drop(fd), false;
        c->sent += (size_t)n;
    }
    if (c->blocked) watch(fd, EPOLL_CTL_MOD, EPOLLIN);
    c->blocked = c->busy = false;
    return true;
}

static void choose(struct connection *c) {
    c->sent = 0;
    c->answer = &small;
    if (!strncmp(c->head, "GET /big ", 9)) c->answer = &big;
    if (!strncmp(c->head, "GET /echo ", 10)) {
        free(c->own.bytes);
        c->own = make("text/plain", c->head, strlen(c->head));
        c->answer = &c->own;
    }
}

// Reads what is there. A proxy sends the next request on a connection when it has the answer to the last one.
static void take_in(int fd, struct connection *c) {
    static char discarded[262144];
    if (c->busy) {
        size_t wanted = c->body < sizeof discarded ? c->body : sizeof discarded;
        ssize_t n = read(fd, discarded, wanted ? wanted : 1);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0 || !wanted) return drop(fd);
        c->body -= (size_t)n;
        if (!c->body) put_out(fd, c);
        return;
    }
    ssize_t n = read(fd, c->head + c->have, HEAD - 1 - c->have);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return drop(fd);
    c->have += (size_t)n;
    c->head[c->have] = 0;
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) {
        if (c->have == HEAD - 1) drop(fd);
        return;
    }
    size_t behind = c->have - (size_t)(end + 4 - c->head);
    end[2] = 0;
    const char *length = strcasestr(c->head, "\r\ncontent-length:");
    size_t body = length ? strtoul(length + 17, NULL, 10) : 0;
    c->busy = true;
    c->have = 0;
    // Chunks are not understood, and no proxy here has a reason to make any.
    if (strcasestr(c->head, "\r\ntransfer-encoding:") || behind > body) return drop(fd);
    c->body = body - behind;
    choose(c);
    if (!c->body) put_out(fd, c);
}

static void welcome(int listener) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= DESCRIPTORS) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connections[fd] = calloc(1, sizeof *connections[fd]);
        watch(fd, EPOLL_CTL_ADD, EPOLLIN);
    }
}

int main(int count, char **words) {
    if (count != 2) return fprintf(stderr, "usage: upstream PORT\n"), 2;
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(words[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (void *)&address, sizeof address) < 0) fail("bind");
    if (listen(listener, 4096) < 0) fail("listen");
    prepare();
    events = epoll_create1(0);
    watch(listener, EPOLL_CTL_ADD, EPOLLIN);
    for (;;) {
        struct epoll_event ready[256];
        int n = epoll_wait(events, ready, 256, -1);
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (fd == listener) welcome(listener);
            else if (connections[fd] && connections[fd]->blocked) put_out(fd, connections[fd]);
            else if (connections[fd]) take_in(fd, connections[fd]);
        }
    }
}
