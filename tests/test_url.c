/* What an address is, and that no part of a password is ever shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "video/url.h"

static void test_kinds(void **state) {
    (void)state;
    static const struct {
        const char *url;
        UrlKind kind;
    } rows[] = {
        {"rtsp://camera/live", URL_STREAM},
        {"http://h/a.mp4", URL_STREAM},
        {"/dev/video0", URL_CAMERA},
        {"-", URL_STDIN},
        {"a.mp4", URL_PATH},
        {"file:///a.mp4", URL_PATH},
        {"FILE://localhost/a", URL_PATH},
        {"/dev/shm/video.avi", URL_PATH},
        {"folder/dev/video0", URL_PATH},
        {"2024-05-01T12:30:05.avi", URL_PATH},
        {"a/b://c", URL_PATH},
        {"://c", URL_PATH},
        {"", URL_PATH},
        {"-x", URL_PATH},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (url_kind(rows[i].url) != rows[i].kind)
            fail_msg("%s: kind %d", rows[i].url, url_kind(rows[i].url));
}

static void test_paths(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"a%20b.mp4", "a%20b.mp4"},
        {"file:///a%20b.mp4", "/a b.mp4"},
        {"file://localhost/x%2", "/x%2"},
        {"file:///x%zz%00y", "/x%zz%00y"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *path = url_path(rows[i][0]);
        assert_string_equal(path, rows[i][1]);
        mem_free(path);
    }
}

static void test_shown(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"rtsp://cam/live", "rtsp://cam/live"},
        {"rtsp://cam:554/a/b.sdp", "rtsp://cam:554/a/b.sdp"},
        {"rtsp://[fe80::1]:554/a", "rtsp://[fe80::1]:554/a"},
        {"rtsp://u:geheim@cam/live", "rtsp://***@cam/live"},
        {"rtsp://geheim@cam", "rtsp://***@cam"},
        {"rtsp://u:ge/heim@cam/live", "rtsp://***@cam/live"},
        {"rtsp://u:ge?heim@cam/live", "rtsp://***@cam/live"},
        {"rtsp://u:ge#heim@cam/live", "rtsp://***@cam/live"},
        {"rtsp://u:ge@he/im@cam/live", "rtsp://***@cam/live"},
        {"rtsp://u:12/geheim@cam/live", "rtsp://***@cam/live"},
        {"http://cam/v.cgi?user=u&pwd=geheim", "http://cam/v.cgi?***"},
        {"http://cam/v.cgi?geheim", "http://cam/v.cgi?***"},
        {"http://cam/v.cgi#geheim", "http://cam/v.cgi#***"},
        {"rtsp://cam/user=u&password=geheim&channel=1", "rtsp://cam/user=***"},
        {"rtsp://cam/user=u_password=geheim_channel=1.sdp?real", "rtsp://cam/user=***"},
        {"rtsp://u:geheim@cam/v?pwd=geheim", "rtsp://***@cam/v?***"},
        {"rtsp://cam/v;token=geheim", "rtsp://cam/v;***"},
        {"rtsp://cam?pwd=geheim", "rtsp://cam?***"},
        {"http://cam/v.cgi?mail=a@b&pwd=geheim", "http://***@b&***"},
        {"u:geheim@cam/live", "***@cam/live"},
        {"u:geheim@cam/v.cgi?pwd=geheim", "***@cam/v.cgi?***"},
        {"cam/v.cgi?user=u&pwd=geheim", "cam/v.cgi?***"},
        {"http:/cam/v.cgi?pwd=geheim", "http:/cam/v.cgi?***"},
        {"file://u:geheim@cam/live", "file://***@cam/live"},
        {"folder/at@home.mp4", "folder/at@home.mp4"},
        {"folder/what?.mp4", "folder/what?.mp4"},
        {"file:///folder/at@home:1.mp4", "file:///folder/at@home:1.mp4"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *shown = url_shown(rows[i][0]);
        assert_string_equal(shown, rows[i][1]);
        mem_free(shown);
    }
}

static void test_unescaped(void **state) {
    (void)state;
    static const struct {
        const char *url;
        char c;
        bool broken;
    } rows[] = {
        {"rtsp://u:p@cam/live", 0, false},   {"rtsp://u:p%2Fq@cam/live", 0, false},
        {"rtsp://cam:554/live", 0, false},   {"rtsp://u:p/q@cam/live", '/', true},
        {"rtsp://u:p?q@cam", '?', true},     {"rtsp://u:p#q@cam", '#', true},
        {"rtsp://u:p@q@cam", '@', false},    {"rtsp://u:p:q@cam", ':', false},
        {"rtsp://u:p%q@cam", '%', false},    {"rtsp://u:1/q@cam", '/', false},
        {"http://[::1]:80/a@b", '[', false}, {"a/b:c/d@e", 0, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (url_unescaped(rows[i].url) != rows[i].c)
            fail_msg("%s: '%c'", rows[i].url, url_unescaped(rows[i].url));
        if (url_is_broken(rows[i].url) != rows[i].broken)
            fail_msg("%s: broken %d", rows[i].url, url_is_broken(rows[i].url));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_shown),
        cmocka_unit_test(test_unescaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
