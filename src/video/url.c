#include "video/url.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

/* Behind "://", or NULL. A protocol is of letters, digits, "+", "-" and ".". */
static const char *behind_protocol(const char *url) {
    const char *p = url;
    while (isalnum((unsigned char)*p) || *p == '+' || *p == '-' || *p == '.')
        p++;
    return p > url && strncmp(p, "://", 3) == 0 ? p + 3 : NULL;
}

UrlKind url_kind(const char *url) {
    if (strcmp(url, "-") == 0)
        return URL_STDIN;
    if (strncmp(url, "/dev/video", 10) == 0)
        return URL_CAMERA;
    return behind_protocol(url) && strncasecmp(url, "file:", 5) != 0 ? URL_STREAM : URL_PATH;
}

static int hex(char c) {
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
                                        : -1;
}

static void decode(char *text) {
    char *to = text;
    for (const char *p = text; *p; p++) {
        int high = *p == '%' ? hex(p[1]) : -1, low = high >= 0 ? hex(p[2]) : -1;
        bool escape = low >= 0 && (high || low); /* a NUL would end the name */
        *to++ = escape ? (char)(16 * high + low) : *p;
        p += escape ? 2 : 0;
    }
    *to = 0;
}

char *url_path(const char *url) {
    const char *path = behind_protocol(url);
    if (!path)
        return mem_printf("%s", url);
    if (strncmp(path, "localhost/", 10) == 0)
        path += 9;
    char *copy = mem_printf("%s", path);
    if (copy)
        decode(copy);
    return copy;
}

/* The last "@" of the address: what stands before it may be a password. */
static const char *last_at(const char *host) {
    return strrchr(host, '@');
}

/* A path that looks like an address: without its protocol, or with a host behind file://. */
static char *shown_path(const char *url, const char *host) {
    const char *from = host ? host : url, *at = last_at(from), *colon = strchr(from, ':');
    bool address = at && (host ? at < from + strcspn(from, "/") : colon && colon < at);
    const char *rest = address ? at : from, *query = host ? NULL : strchr(rest, '?');
    int n = (int)(query && strchr(query, '=') ? (size_t)(query + 1 - rest) : strlen(rest));
    return mem_printf("%.*s%s%.*s%s", (int)(from - url), url, address ? "***" : "", n, rest,
                      rest[n] ? "***" : "");
}

char *url_shown(const char *url) {
    enum { LONG = 200 }; /* bytes: a message has to have room for what went wrong */
    const char *host = behind_protocol(url);
    if (!host || url_kind(url) == URL_PATH)
        return shown_path(url, host);
    const char *at = last_at(host), *shown = at ? at : host;
    /* Cameras take user and password as parameters, some of them in the path. */
    const char *path = shown + strcspn(shown, "/"); /* before it, a colon leads to the port */
    const char *end = shown + strcspn(shown, "?#=;&"), *colon = strchr(path, ':');
    end = colon && colon < end ? colon : end;
    size_t n = (size_t)(end - shown) + (*end != 0);
    const char *more = n > LONG ? "..." : *end ? "***" : "";
    return mem_printf("%.*s%s%.*s%s", (int)(host - url), url, at ? "***" : "",
                      (int)(n > LONG ? LONG : n), shown, more);
}

char url_unescaped(const char *url) {
    const char *host = behind_protocol(url), *at = host ? last_at(host) : NULL;
    bool password = false;
    for (const char *p = host; at && p < at; p++) {
        bool first_colon = *p == ':' && !password;
        bool escape = *p == '%' && hex(p[1]) >= 0 && hex(p[2]) >= 0;
        password |= first_colon;
        if (!first_colon && !escape && strchr("/?#@:[]% ", *p))
            return *p;
    }
    return 0;
}

bool url_is_broken(const char *url) {
    const char *host = behind_protocol(url);
    if (!host || !last_at(host))
        return false;
    const char *end = host + strcspn(host, "/?#");
    const char *at = memrchr(host, '@', (size_t)(end - host));
    const char *colon = at || *host == '[' ? NULL : memchr(host, ':', (size_t)(end - host));
    return colon && (size_t)(end - colon) != 1 + strspn(colon + 1, "0123456789");
}
