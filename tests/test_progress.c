/* Progress and messages on a terminal: no line is longer than it is wide, redraws are few, and
 * lines of several threads are whole. */
#include <pthread.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/progress.h"

/* What was written to stderr while it was a terminal. */
static struct {
    int master, slave, old;
    pthread_t reader;
    size_t n;
    char text[1 << 22];
} terminal;

static void *read_all(void *arg) {
    (void)arg;
    ssize_t got;
    do {
        got = read(terminal.master, terminal.text + terminal.n,
                   sizeof terminal.text - 1 - terminal.n);
        terminal.n += got > 0 ? (size_t)got : 0;
    } while (got > 0); /* it fails once the other end is closed */
    return NULL;
}

static void begin(int columns) {
    struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)columns};
    memset(terminal.text, 0, terminal.n + 1);
    terminal.n = 0;
    assert_int_equal(openpty(&terminal.master, &terminal.slave, NULL, NULL, &size), 0);
    terminal.old = dup(STDERR_FILENO);
    assert_true(dup2(terminal.slave, STDERR_FILENO) >= 0);
    close(terminal.slave);
    assert_int_equal(pthread_create(&terminal.reader, NULL, read_all, NULL), 0);
}

static void end(void) {
    progress_end();
    assert_true(dup2(terminal.old, STDERR_FILENO) >= 0);
    close(terminal.old);
    assert_int_equal(pthread_join(terminal.reader, NULL), 0);
    close(terminal.master);
}

static int count(const char *text, const char *part) {
    int n = 0;
    for (const char *p = text; (p = strstr(p, part)); p++)
        n++;
    return n;
}

static const char erase[] = "\r\033[K";

/* Columns of the longest line, where a character that is not ASCII takes `wide`. */
static int widest(int wide) {
    int most = 0, column = 0;
    for (const char *p = terminal.text; *p; p++) {
        if (strncmp(p, erase, strlen(erase)) == 0) {
            column = 0;
            p += strlen(erase) - 1;
        } else if (*p == '\r' || *p == '\n') {
            column = 0;
        } else if (((unsigned char)*p & 0xc0) != 0x80) {
            column += (unsigned char)*p < 0x80 ? 1 : wide;
        }
        most = column > most ? column : most;
    }
    return most;
}

static void test_lines_fit(void **state) {
    (void)state;
    const int columns[] = {20, 80, 120, 300};
    for (int i = 0; i < 4; i++) {
        begin(columns[i]);
        for (int k = 1; k <= 3; k++)
            progress_draw("epoch 12/100", 3, 3, "loss %.4f (N 0.1 P 0.2 C 0.3)  55.5 images/s",
                          .1 * k);
        end();
        assert_true(widest(1) < columns[i]);
        assert_int_equal(count(terminal.text, "\n"), 1); /* of the end */
        assert_int_equal(count(terminal.text, erase), 3);
        assert_non_null(strstr(terminal.text, "epoch 12/100 [==="));
        assert_true(columns[i] < 80 ||
                    strstr(terminal.text, "] 3/3  ETA 0:00:00  loss 0.3000 (N 0.1"));
        assert_true(columns[i] < 120 || strstr(terminal.text, "55.5 images/s"));
    }
    begin(0); /* not known: taken for 80 */
    progress_draw("check", 1, 1, "%0200d", 1);
    end();
    assert_int_equal(widest(1), 79);
}

/* A window that becomes narrower while a command runs: the next line fits it. */
static void test_resized(void **state) {
    (void)state;
    begin(200);
    for (int columns = 200; columns >= 30; columns -= 10) {
        struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)columns};
        assert_int_equal(ioctl(STDERR_FILENO, TIOCSWINSZ, &size), 0);
        progress_draw("epoch 12/100", 3, 3, "%0190d", columns);
    }
    end();
    for (int columns = 200; columns >= 30; columns -= 10) {
        char *line = terminal.text;
        for (int skip = (200 - columns) / 10; skip >= 0; skip--)
            line = strstr(line, erase) + strlen(erase);
        assert_true(strcspn(line, "\r") == (size_t)columns - 1);
    }
}

/* Names of any bytes: characters are not cut, and no byte steers the terminal. */
static void test_names(void **state) {
    (void)state;
    static const char *const letters[] = {"\xc3\xa9", "\xe6\xbc\xa2", "\xf0\x9f\x8e\xa5"};
    for (int i = 0; i < 3; i++)
        for (int columns = 60; columns < 400; columns += columns < 70 ? 1 : 300) {
            char name[600] = "";
            for (size_t n = strlen(letters[i]), k = 0; k + n < sizeof name; k += n)
                memcpy(name + k, letters[i], n);
            begin(columns);
            progress_draw("check", 1, 2, "%s", name);
            end();
            assert_true(widest(i ? 2 : 1) < columns);
            const char *rest = strstr(terminal.text, letters[i]);
            assert_non_null(rest);
            while (strncmp(rest, letters[i], strlen(letters[i])) == 0)
                rest += strlen(letters[i]);
            assert_string_equal(rest, "\r\n");
        }
    begin(80);
    progress_draw("check", 1, 1, "%s",
                  "a\033[2Jb\xc2\x9bzc\xdc"
                  "d\n");
    end();
    assert_non_null(strstr(terminal.text, "a?[2Jb??zc\xdc"
                                          "d?\r\n"));
}

static void test_redraws_are_few(void **state) {
    (void)state;
    begin(80);
    double start = clock_seconds(), now = start;
    for (int i = 0; (now = clock_seconds()) < start + 1; i++)
        progress_draw("step", i % 1000, 1000000, "note");
    double took = now - start;
    end();
    int redraws = count(terminal.text, erase);
    assert_true(redraws >= 2 && redraws <= 1 + (int)(took / 0.2));
    begin(80);
    for (int i = 1; i <= 100; i++)
        progress_draw("step", i, 100, "note");
    end();
    assert_int_equal(count(terminal.text, erase), 2); /* the first and the last */
    assert_non_null(strstr(terminal.text, "100/100"));
}

enum { THREADS = 4, LINES = 300 };

static void *speak(void *arg) {
    char words[161];
    memset(words, *(const char *)arg, sizeof words);
    words[sizeof words - 1] = 0;
    for (int i = 0; i < LINES; i++) {
        log_warn("%s", words);
        progress_draw("spoken", i + 1, i + 1, "%c", *(const char *)arg);
    }
    return NULL;
}

/* A line of a message, behind what erased the progress before it, if that was there. */
static void expect_message(char *line) {
    char *last = NULL;
    for (char *p = line; (p = strstr(p, erase)); p += strlen(erase))
        last = p + strlen(erase);
    line = last ? last : line;
    assert_int_equal(strncmp(line, "warning: ", 9), 0);
    assert_int_equal(strlen(line), 9 + 160 + 1); /* a terminal's line ends in \r\n */
    for (int i = 1; i < 160; i++)
        assert_int_equal(line[9 + i], line[9]);
}

static void test_threads(void **state) {
    (void)state;
    static char letters[THREADS] = {'a', 'b', 'c', 'd'};
    pthread_t thread[THREADS];
    begin(80);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, speak, &letters[i]), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    end();
    char *save = NULL;
    int lines = 0;
    for (char *line = strtok_r(terminal.text, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        if (lines++ < THREADS * LINES)
            expect_message(line);
    }
    assert_true(lines == THREADS * LINES || lines == THREADS * LINES + 1);
}

static void test_long_message(void **state) {
    (void)state;
    static char words[10000];
    memset(words, 'w', sizeof words - 1);
    begin(80);
    log_info("%s!", words);
    end();
    assert_int_equal(terminal.n, sizeof words - 1 + strlen("!\r\n"));
    assert_string_equal(terminal.text + sizeof words - 2, "w!\r\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_fit), cmocka_unit_test(test_resized),
        cmocka_unit_test(test_names),     cmocka_unit_test(test_redraws_are_few),
        cmocka_unit_test(test_threads),   cmocka_unit_test(test_long_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
