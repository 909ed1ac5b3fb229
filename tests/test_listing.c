/* What a folder holds, and in which order: as `ls | sort -V` has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "fixture.h"
#include "random.h"
#include "video/listing.h"
#include "video/numbering.h"
#include "video/probe_av.h"

/* ---- order ---- */

enum { NAMES = 4000, LONGEST = 128 };

static char name[NAMES][LONGEST];

static int compare_names(const void *a, const void *b) {
    return listing_compare(a, b);
}

/* Parts of names that are easily put in the wrong order. */
static void make_name(char *out, int number) {
    static const char *const parts[] = {
        "0",          "00",       "7",    "007", "10",    "99999999999999999999",
        "1709633758", "500000",   "-",    "_",   ".",     "~",
        "a",          "A",        "img",  "IMG", "Z",     " (1)",
        "2024-03-05", ".jpg",     ".tar", ".gz", ".PNG",  ".5",
        "x86",        "\xc3\xa9", "+",    "#",   "frame", "b.c"};
    uint32_t draw[8], n = 0;
    Rng r = rng_stream(21, RNG_TEST, 0, (uint32_t)number);
    rng_block(&r, 0, draw);
    rng_block(&r, 1, draw + 4);
    *out = 0;
    for (uint32_t i = 0; i <= draw[0] % 5; i++)
        n += (uint32_t)snprintf(out + n, LONGEST - n, "%s",
                                parts[draw[i + 1] % (sizeof parts / sizeof *parts)]);
    snprintf(out + n, LONGEST - n, "%s", draw[7] % 2 ? ".jpg" : "");
    if (*out == '.') /* hidden: no listing has it */
        *out = 'h';
}

static void test_order(void **state) {
    (void)state;
    char command[1024];
    const char *in = fixture_path("names"), *out = fixture_path("sorted");
    FILE *f = fopen(in, "w");
    for (int i = 0; i < NAMES; i++) {
        make_name(name[i], i);
        fprintf(f, "%s\n", name[i]);
    }
    fclose(f);
    snprintf(command, sizeof command, "LC_ALL=C sort -V '%s' >'%s'", in, out);
    assert_int_equal(system(command), 0);
    qsort(name, NAMES, sizeof *name, compare_names);
    f = fopen(out, "r");
    for (int i = 0; i < NAMES; i++) {
        char line[LONGEST + 2];
        assert_non_null(fgets(line, sizeof line, f));
        line[strcspn(line, "\n")] = 0;
        assert_string_equal(name[i], line);
    }
    fclose(f);
}

static void assert_listing(const char *folder, ListKind kind, const char *want) {
    char got[1024] = "";
    Listing l = {0};
    if (listing_open(&l, fixture_path("%s", folder), kind))
        fail_msg("%s", err_text());
    for (int64_t i = 0; i < l.count; i++) {
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i ? " " : "", l.item[i].name);
        assert_string_equal(file_name(l.item[i].path), l.item[i].name);
    }
    listing_free(&l);
    assert_string_equal(got, want);
}

static void touch(const char *folder, const char *const *names) {
    for (; *names; names++)
        fixture_text(fixture_path("%s/%s", folder, *names), "x");
}

static void test_folders(void **state) {
    (void)state;
    Listing l = {0};
    assert_int_equal(listing_open(&l, "/nowhere/at/all", LIST_FILES), ERR_FAIL);
    touch("epochs", (const char *const[]){"1709633758.500000.jpg", "1709633758.900000.jpg",
                                          "1709633759.100000.jpg", "999999999.000000.jpg", NULL});
    assert_listing("epochs", LIST_IMAGES,
                   "999999999.000000.jpg 1709633758.500000.jpg 1709633758.900000.jpg "
                   "1709633759.100000.jpg");
    touch("mixed", (const char *const[]){"10.jpg", "9.JPG", "a.txt", ".DS_Store", "._9.jpg",
                                         "Thumbs.db", "desktop.ini", "sub/x", "@eaDir/x",
                                         "__MACOSX/x", "#recycle/x", "lost+found/x",
                                         "$RECYCLE.BIN/x", "System Volume Information/x", NULL});
    assert_listing("mixed", LIST_IMAGES, "9.JPG 10.jpg");
    assert_listing("mixed", LIST_FOLDERS, "sub");
    assert_listing("mixed", LIST_FILES, "9.JPG 10.jpg a.txt");
    assert_listing("mixed", LIST_ALL, "9.JPG 10.jpg a.txt sub");
}

/* ---- numbers ---- */

/* The text of the first stray among pictures of these names; "" where there is none. */
static char *stray_of(const char *folder) {
    static char text[512];
    Listing l = {0};
    assert_int_equal(listing_open(&l, fixture_path("%s", folder), LIST_IMAGES), 0);
    Places strays = numbering_strays(&l);
    *text = 0;
    if (strays.count)
        numbering_stray_text(text, sizeof text, &l, strays);
    listing_free(&l);
    return text;
}

static void count_up(const char *folder, const char *pattern, int from, int count, int step) {
    char picture[256];
    for (int i = 0; i < count; i++) {
        snprintf(picture, sizeof picture, pattern, from + i * step);
        fixture_text(fixture_path("%s/%s", folder, picture), "x");
    }
}

static void test_strays(void **state) {
    (void)state;
    count_up("s1", "%04d.jpg", 1, 5, 1);
    fixture_text(fixture_path("s1/cover.jpg"), "x");
    assert_string_equal(stray_of("s1"), "cover.jpg is read as frame 5, after 0005.jpg");
    count_up("s2", "frame_%d.png", 8, 5, 1);
    fixture_text(fixture_path("s2/background.png"), "x");
    assert_string_equal(stray_of("s2"), "background.png is read as frame 0, before frame_8.png");
    count_up("s3", "%04d.jpg", 1, 5, 1);
    fixture_text(fixture_path("s3/0002 (1).jpg"), "x");
    fixture_text(fixture_path("s3/0004 copy.jpg"), "x");
    assert_string_equal(stray_of("s3"), "0002 (1).jpg is read as frame 2, after 0002.jpg (and 1 "
                                        "more such pictures)");
    count_up("s4", "20240305_10223%d.jpg", 1, 5, 1);
    fixture_text(fixture_path("s4/20240305_102233 (1).jpg"), "x");
    assert_string_equal(stray_of("s4"),
                        "20240305_102233 (1).jpg is read as frame 3, after 20240305_102233.jpg");
    count_up("s5", "%03d.jpg", 1, 4, 1);
    count_up("s5", "%03d.png", 3, 1, 1);
    assert_string_equal(stray_of("s5"), "003.png is read as frame 3, after 003.jpg");
    count_up("s6", "%04d.jpg", 1, 5, 1);
    fixture_text(fixture_path("s6/0000_background.jpg"), "x");
    assert_string_equal(stray_of("s6"), "0000_background.jpg is read as frame 0, before 0001.jpg");
}

/* Data sets and cameras name their pictures so. */
static void test_no_strays(void **state) {
    (void)state;
    static const char *const usual[][8] = {
        {"001.tif", "002.tif", "010.tif"},                               /* UCSD */
        {"0000.jpg", "0001.jpg", "1000.jpg"},                            /* Avenue */
        {"in000001.jpg", "in000002.jpg"},                                /* CDnet */
        {"1305031102.175304.png", "1305031102.2.png", "1305031103.png"}, /* time.time() */
        {"01-20240305102233-00.jpg", "01-20240305102233-01.jpg",         /* Motion */
         "01-20240305102240-snapshot.jpg", "02-20240305102233-00.jpg"},
        {"2024-03-05_10-22-33.jpg", "2024-03-05_10-22-34.jpg"}, /* FFmpeg's strftime */
        {"192.168.1.64_01_20240305102233123_TIMING.jpg",        /* network cameras */
         "192.168.1.64_01_20240305102234123_TIMING.jpg",
         "192.168.1.64_01_20240305102235123_MOTION_DETECTION.jpg"},
        {"20240305102233[M][0@0][0].jpg", "20240305102234[R][0@0][0].jpg"},
        {"IMG_20240305_102233.jpg", "IMG_20240305_102233_1.jpg", "IMG_20240305_102240_HDR.jpg"},
        {"2024_0305_102233_001F.JPG", "2024_0305_102234_002F.JPG"}, /* dashcams */
        {"dawn.jpg", "dusk.jpg", "night.jpg", "noon.jpg"},
        {"3fa0.png", "3fa1.png", "3fb9.png", "40c0.png"}, /* hexadecimal */
        {"frame_0009.png", "frame_000a.png", "frame_000b.png", "frame_0010.png"},
        {"1.jpg", "9.jpg", "10.jpg", "100.jpg"},
        {"only.jpg"},
    };
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        char folder[16];
        snprintf(folder, sizeof folder, "usual%zu", i);
        touch(folder, usual[i]);
        assert_string_equal(stray_of(folder), "");
    }
}

static Places jumps_of(const char *folder) {
    Listing l = {0};
    assert_int_equal(listing_open(&l, fixture_path("%s", folder), LIST_IMAGES), 0);
    Places jumps = numbering_jumps(&l);
    listing_free(&l);
    return jumps;
}

static void test_jumps(void **state) {
    (void)state;
    count_up("j1", "a%d.jpg", 5, 6, 1);
    count_up("j1", "a%d.jpg", 20, 3, 1);
    assert_int_equal(jumps_of("j1").count, 1);
    assert_int_equal(jumps_of("j1").first, 6);
    count_up("j2", "%03d.jpg", 0, 9, 5); /* every fifth is no gap */
    assert_int_equal(jumps_of("j2").count, 0);
    count_up("j3", "17096337%02d.500000.jpg", 10, 4, 1);
    count_up("j3", "17096337%02d.500000.jpg", 50, 4, 1); /* times, not counters */
    assert_int_equal(jumps_of("j3").count, 0);
    count_up("j4", "clip1_%d.jpg", 7, 4, 1);
    count_up("j4", "clip2_%d.jpg", 70, 4, 1); /* each counts by itself */
    assert_int_equal(jumps_of("j4").count, 0);
    count_up("j5", "%d.jpg", 4, 1, 1);
    assert_int_equal(jumps_of("j5").count, 0);
}

/* ---- videos ---- */

static bool is_video(const char *file) {
    return probe_is_video(fixture_path("%s", file));
}

/* The first name's video under the second one. */
static void rename_video(const char *from, const char *to) {
    char *data;
    size_t n;
    fixture_video(fixture_path("%s", from), "mjpeg", 32, 32, 5, 0);
    assert_int_equal(file_read(fixture_path("%s", from), 1 << 24, &data, &n), 0);
    fixture_write(fixture_path("%s", to), data, n);
    mem_free(data);
}

static void test_probe(void **state) {
    (void)state;
    static const char zeros[100000];
    rename_video("v/a.avi", "v/no_extension");
    rename_video("v/b.mkv", "v/b.odd");
    rename_video("v/c.mov", "v/phone.3gp");
    rename_video("v/c.mov", "v/photo.jpg"); /* a picture by its extension, here as everywhere */
    assert_true(is_video("v/a.avi"));
    assert_true(is_video("v/no_extension"));
    assert_true(is_video("v/b.odd"));
    assert_true(is_video("v/phone.3gp"));
    assert_false(is_video("v/photo.jpg"));
    fixture_encode(fixture_path("v/picture"), "mjpeg", 32, 32, 0);
    assert_false(is_video("v/picture"));
    static const char *const texts[] = {"v/a.txt", "v/a.srt",  "v/a.ans", "v/a.nfo",  "v/a.ts",
                                        "v/a.mp4", "v/a.m3u8", "v/a.sdp", "v/a.yaml", NULL};
    for (int i = 0; texts[i]; i++) {
        fixture_text(fixture_path("%s", texts[i]), "1\n00:00:01,000 --> 00:00:02,000\nHello\n");
        assert_false(is_video(texts[i]));
    }
    fixture_text(fixture_path("v/a.bin"), "");
    fixture_write(fixture_path("v/labels.npy"), "\x93NUMPY\1\0\0\0", 10);
    fixture_write(fixture_path("v/zeros"), zeros, sizeof zeros);
    assert_false(is_video("v/a.bin"));
    assert_false(is_video("v/labels.npy"));
    assert_false(is_video("v/zeros"));
    assert_false(is_video("v"));
    assert_false(is_video("v/absent.mp4"));
    assert_false(probe_is_video("/dev/null"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),  cmocka_unit_test(test_folders),
        cmocka_unit_test(test_strays), cmocka_unit_test(test_no_strays),
        cmocka_unit_test(test_jumps),  cmocka_unit_test(test_probe),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
