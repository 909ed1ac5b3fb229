#include "mjpeg_server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"

enum { MOST = 512 }; /* connections */

struct MjpegServer {
    MjpegServerConfig c;
    char *jpeg, url[64];
    size_t bytes;
    int listener, port;
    atomic_bool stop;
    atomic_int connections;
    int client[MOST];
    pthread_t acceptor, sender[MOST];
};

typedef struct {
    MjpegServer *server;
    int number;
} Connection;

static void wait_seconds(const MjpegServer *s, double seconds) {
    for (; seconds > 0 && !s->stop; seconds -= 0.005)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

static int send_all(int client, const void *data, size_t n) {
    for (const char *p = data; n;) {
        ssize_t sent = send(client, p, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return -1;
        p += sent;
        n -= (size_t)sent;
    }
    return 0;
}

static int send_picture(const MjpegServer *s, int client) {
    char head[128];
    int n =
        snprintf(head, sizeof head,
                 "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %zu\r\n\r\n", s->bytes);
    return send_all(client, head, (size_t)n) || send_all(client, s->jpeg, s->bytes) ||
           send_all(client, "\r\n", 2);
}

static void *serve(void *arg) {
    static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; "
                                 "boundary=frame\r\n\r\n";
    Connection connection = *(Connection *)arg;
    free(arg);
    MjpegServer *s = connection.server;
    int client = s->client[connection.number];
    char request[4096];
    int failed = recv(client, request, sizeof request, 0) <= 0;
    wait_seconds(s, s->c.delay);
    failed = failed || send_all(client, answer, sizeof answer - 1);
    for (int i = 0; !failed && !s->stop && (!s->c.frames || i < s->c.frames); i++) {
        failed = send_picture(s, client);
        wait_seconds(s, 1 / s->c.fps);
    }
    while (!failed && !s->stop && connection.number < s->c.stall)
        wait_seconds(s, 1);
    shutdown(client, SHUT_RDWR);
    return NULL;
}

static void *accept_all(void *arg) {
    MjpegServer *s = arg;
    int client;
    while (s->connections < MOST && (client = accept(s->listener, NULL, NULL)) >= 0) {
        Connection *c = malloc(sizeof *c);
        *c = (Connection){s, s->connections};
        s->client[c->number] = client;
        pthread_create(&s->sender[c->number], NULL, serve, c);
        s->connections++;
    }
    return NULL;
}

MjpegServer *mjpeg_server_start(const MjpegServerConfig *c, int port) {
    MjpegServer *s = calloc(1, sizeof *s);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    s->c = *c;
    assert_int_equal(file_read(c->jpeg, 1 << 20, &s->jpeg, &s->bytes), 0);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->listener, 16), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &n), 0);
    s->port = ntohs(at.sin_port);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d/v.mjpg", s->port);
    assert_int_equal(pthread_create(&s->acceptor, NULL, accept_all, s), 0);
    return s;
}

void mjpeg_server_stop(MjpegServer *s) {
    s->stop = true;
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->acceptor, NULL);
    close(s->listener);
    for (int i = 0; i < s->connections; i++) {
        shutdown(s->client[i], SHUT_RDWR);
        pthread_join(s->sender[i], NULL);
        close(s->client[i]);
    }
    mem_free(s->jpeg);
    free(s);
}

int mjpeg_server_port(const MjpegServer *s) {
    return s->port;
}

const char *mjpeg_server_url(const MjpegServer *s) {
    return s->url;
}

int mjpeg_server_connections(const MjpegServer *s) {
    return s->connections;
}
