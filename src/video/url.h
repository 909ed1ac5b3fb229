/* What an input's address says: its kind, its path, and how to show it without its secrets. Pure
 * functions; any thread. */
#ifndef VIDEO_URL_H
#define VIDEO_URL_H

#include <stdbool.h>

typedef enum {
    URL_PATH,   /* a file or folder, also as file://... */
    URL_STDIN,  /* "-" */
    URL_CAMERA, /* /dev/video0 */
    URL_STREAM, /* rtsp://, http://, ... */
} UrlKind;

UrlKind url_kind(const char *url);

/* The path of a URL_PATH; "%20" and the like are decoded after file://. The caller frees it with
 * mem_free. NULL if memory is out. */
char *url_path(const char *url);

/* The address for messages, logs and stored files. User names, passwords and the values of
 * parameters become ***; they are found also where they hold characters that they must not hold, so
 * more than them can be hidden. A long one is cut. A path is returned as it is, but for one that
 * looks like an address without its protocol. The caller frees the text with mem_free. NULL if
 * memory is out. */
char *url_shown(const char *url);

/* The character in the user name or password that must be written as %XX, or 0. */
char url_unescaped(const char *url);

/* True if the text before the host cannot be one: the address must be refused, or part of the
 * password would be looked up as a host. */
bool url_is_broken(const char *url);

#endif
