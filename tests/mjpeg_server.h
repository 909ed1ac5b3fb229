/* A camera for tests: an HTTP server on 127.0.0.1 that sends the JPEG files of a folder in turn,
 * dies and comes back as told. */
#ifndef TESTS_MJPEG_SERVER_H
#define TESTS_MJPEG_SERVER_H

typedef struct MjpegServer MjpegServer;

typedef struct {
    const char *jpeg; /* path of the picture that it sends */
    double fps;
    int frames;   /* then the connection ends, or (stall) stays silent; 0: none ends it */
    int stall;    /* of how many connections, from the first */
    double delay; /* seconds before each answer */
} MjpegServerConfig;

/* Starts on a free port, or on the one that an earlier server of this program had. Asserts. */
MjpegServer *mjpeg_server_start(const MjpegServerConfig *c, int port);

/* Cuts all connections and closes the port. */
void mjpeg_server_stop(MjpegServer *s);

int mjpeg_server_port(const MjpegServer *s);
const char *mjpeg_server_url(const MjpegServer *s); /* borrowed */
int mjpeg_server_connections(const MjpegServer *s); /* so far */

#endif
