// Sends HTTP/1.1 requests on many connections and says, as JSON, what came back and how long it took.
//
//   load -p PORT -s SECONDS -c CONNECTIONS [-r RATE] [-e STATUS] [-l LENGTH] [-b BODY] [-t] HEADS
//
// HEADS is a file of request heads, one behind the other; the first connection sends the first one, again and again,
// the second the second one, and so on; with -t the requests of all connections take the heads in turn. Behind each head go
// BODY bytes. An answer is bad if its status is not STATUS
// or its body is not LENGTH bytes long.
//
// Without a rate each connection sends its next request as soon as it has its answer. With one, requests are due at even
// distances, whatever became of those before; each takes the connection that has waited longest, and its time is counted
// from when it was due. So a proxy that stands still for a moment is charged with all who would have come meanwhile: there
// is no "coordinated omission". Every time is kept, so percentiles are exact.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 16384, READ = 262144 };

struct connection {
    int fd;
    const char *request;
    size_t request_length;
    uint64_t due;
    size_t sent;     // of head and body together
    bool running;    // a request is under way
    bool blocked;    // waits until the socket takes more
    char head[HEAD]; // of the answer
    size_t have;
    bool in_body;
    int status;
    size_t length, left;
};

static int port, events, wanted_status = 200, connection_count = 64;
static long wanted_length = -1;
static size_t body_length;
static bool in_turn;
static struct head {
    const char *text;
    size_t length;
} *heads;
static size_t head_count, head_turn;
static char *body;
static double rate;
static uint64_t begin, end;
static struct connection *connections;

// Connections without a request, the longest waiting first.
static int *waiting, waiting_first, waiting_count;

static uint32_t *times; // microseconds, in tenths
static size_t done, room, bad, reconnected, received, issued;
static size_t statuses[1000];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void watch(struct connection *c, int operation, unsigned what) {
    struct epoll_event event = {.events = what, .data.ptr = c};
    if (epoll_ctl(events, operation, c->fd, &event) < 0) fail("epoll_ctl");
}

static void dial(struct connection *c) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1;
    // To connect to a socket that listens on the loopback does not block.
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (void *)&address, sizeof address) < 0) fail("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->have = 0;
    c->running = c->in_body = c->blocked = false;
    watch(c, EPOLL_CTL_ADD, EPOLLIN);
}

static void put_out(struct connection *c) {
    size_t whole = c->request_length + body_length;
    while (c->sent < whole) {
        bool head = c->sent < c->request_length;
        const char *from = head ? c->request + c->sent : body + (c->sent - c->request_length);
        size_t length = head ? c->request_length - c->sent : whole - c->sent;
        int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (head && body_length ? MSG_MORE : 0);
        ssize_t n = send(c->fd, from, length, flags);
        if (n < 0 && errno == EAGAIN) {
            if (!c->blocked) watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            c->blocked = true;
            return;
        }
        if (n <= 0) return; // what is read next says why
        c->sent += (size_t)n;
    }
    if (c->blocked) watch(c, EPOLL_CTL_MOD, EPOLLIN);
    c->blocked = false;
}

static void start(struct connection *c, uint64_t due) {
    if (in_turn) {
        const struct head *head = &heads[head_turn++ % head_count];
        c->request = head->text;
        c->request_length = head->length;
    }
    c->due = due;
    c->sent = c->have = 0;
    c->running = true;
    c->in_body = false;
    put_out(c);
}

static void wait_for_work(struct connection *c) {
    waiting[(waiting_first + waiting_count++) % connection_count] = (int)(c - connections);
}

static void next(struct connection *c, uint64_t at) {
    if (rate) wait_for_work(c);
    else if (at < end) start(c, at);
}

static void finish(struct connection *c) {
    uint64_t at = now();
    c->running = false;
    if (rate || at < end) {
        if (done == room) {
            room = room ? room * 2 : 1 << 20;
            times = realloc(times, room * sizeof *times);
            if (!times) fail("realloc");
        }
        times[done++] = (uint32_t)((at - c->due) / 100);
        statuses[c->status > 0 && c->status < 1000 ? c->status : 0]++;
        bad += c->status != wanted_status || (wanted_length >= 0 && c->length != (size_t)wanted_length);
    }
    next(c, at);
}

// The connection is at its end. Between two requests it may be; within one, that request is lost.
static void replace(struct connection *c) {
    bool lost = c->running;
    close(c->fd);
    dial(c);
    reconnected++;
    if (lost) {
        bad++;
        next(c, now());
    }
}

static void take_in(struct connection *c) {
    static char discarded[READ];
    char *into = c->in_body ? discarded : c->head + c->have;
    ssize_t n = recv(c->fd, into, c->in_body ? READ : HEAD - 1 - c->have, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0 || !c->running) return replace(c);
    received += (size_t)n;
    if (!c->in_body) {
        c->have += (size_t)n;
        c->head[c->have] = 0;
        char *blank = strstr(c->head, "\r\n\r\n");
        if (!blank) {
            if (c->have == HEAD - 1) replace(c);
            return;
        }
        n = (ssize_t)(c->have - (size_t)(blank + 4 - c->head));
        blank[2] = 0;
        const char *length = strcasestr(c->head, "\r\ncontent-length:");
        if (!length) return replace(c);
        c->status = atoi(c->head + 9);
        c->length = c->left = strtoul(length + 17, NULL, 10);
        c->in_body = true;
    }
    if ((size_t)n > c->left) return replace(c);
    c->left -= (size_t)n;
    if (!c->left) finish(c);
}

// Begins what is due. Gives the nanoseconds until the next is, or -1 if that has to wait for a connection.
static int64_t begin_due(void) {
    while (waiting_count) {
        uint64_t due = begin + (uint64_t)((double)issued * 1e9 / rate), at = now();
        if (due >= end || at >= end) return -1; // what could not be sent in time is told as such
        if (due > at) return (int64_t)(due - at);
        struct connection *c = &connections[waiting[waiting_first]];
        waiting_first = (waiting_first + 1) % connection_count;
        waiting_count--;
        issued++;
        start(c, due);
    }
    return -1;
}

static void run(void) {
    begin = now();
    end += begin;
    for (int i = 0; i < connection_count; i++) next(&connections[i], begin);
    for (;;) {
        int64_t pause = rate ? begin_due() : -1;
        uint64_t at = now();
        // With a rate the last answers are waited for, but no longer than a second.
        if (at >= end && (!rate || waiting_count == connection_count || at > end + 1000000000u)) return;
        if (pause < 0 || pause > 10000000) pause = 10000000;
        struct timespec timeout = {.tv_nsec = pause};
        struct epoll_event ready[256];
        int n = epoll_pwait2(events, ready, 256, &timeout, NULL);
        for (int i = 0; i < n; i++) {
            struct connection *c = ready[i].data.ptr;
            if (c->blocked && ready[i].events & EPOLLOUT) put_out(c);
            if (ready[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) take_in(c);
        }
    }
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double percentile(double share) {
    if (!done) return 0;
    size_t place = (size_t)(share * (double)done);
    return times[place < done ? place : done - 1] / 10.0;
}

static void tell(double seconds) {
    qsort(times, done, sizeof *times, by_size);
    size_t due = rate ? (size_t)(rate * seconds) : issued;
    printf("{\"seconds\":%.6f,\"requests\":%zu,\"bad\":%zu,\"unsent\":%zu,\"reconnected\":%zu,\"bytes\":%zu,", seconds, done,
           bad, due > issued ? due - issued : 0, reconnected, received);
    printf("\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f,\"statuses\":{", percentile(0.5), percentile(0.99),
           percentile(0.999), percentile(1));
    const char *comma = "";
    for (int i = 0; i < 1000; i++) {
        if (!statuses[i]) continue;
        printf("%s\"%d\":%zu", comma, i, statuses[i]);
        comma = ",";
    }
    printf("}}\n");
}

// Gives each connection its head.
static void read_heads(const char *path) {
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t room_for = 0;
    if (!file || getdelim(&text, &room_for, 0, file) <= 0) fail(path);
    for (char *from = text, *blank; (blank = strstr(from, "\r\n\r\n")); from = blank + 4) {
        if (head_count % 1024 == 0) heads = realloc(heads, (head_count + 1024) * sizeof *heads);
        if (!heads) fail("realloc");
        heads[head_count++] = (struct head){from, (size_t)(blank + 4 - from)};
    }
    if (!head_count) fail("no head in the file");
    connections = calloc((size_t)connection_count, sizeof *connections);
    for (int i = 0; i < connection_count; i++) {
        connections[i].request = heads[(size_t)i % head_count].text;
        connections[i].request_length = heads[(size_t)i % head_count].length;
    }
}

int main(int count, char **words) {
    double seconds = 1;
    for (int option; (option = getopt(count, words, "p:s:c:r:e:l:b:t")) != -1;) {
        if (option == 'p') port = atoi(optarg);
        else if (option == 's') seconds = atof(optarg);
        else if (option == 'c') connection_count = atoi(optarg);
        else if (option == 'r') rate = atof(optarg);
        else if (option == 'e') wanted_status = atoi(optarg);
        else if (option == 'l') wanted_length = atol(optarg);
        else if (option == 'b') body_length = strtoul(optarg, NULL, 10);
        else if (option == 't') in_turn = true;
        else return 2;
    }
    if (optind != count - 1 || !port) return fprintf(stderr, "load: wants -p PORT and a file of heads\n"), 2;
    prctl(PR_SET_TIMERSLACK, 1); // else the kernel may wake us 50 microseconds late
    body = malloc(body_length + 1);
    memset(body, 'x', body_length + 1);
    waiting = calloc((size_t)connection_count, sizeof *waiting);
    events = epoll_create1(0);
    read_heads(words[optind]);
    for (int i = 0; i < connection_count; i++) dial(&connections[i]);
    end = (uint64_t)(seconds * 1e9);
    run();
    tell(seconds);
}
