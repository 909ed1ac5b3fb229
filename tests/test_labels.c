/* Ground truth in every format. All formats give the same labels of the same made-up clips. Labels
 * that do not fit the clips are refused, and the message names the file. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <matio.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/npy.h"
#include "data/labels.h"
#include "data/masks.h"
#include "fixture.h"

enum { W = 16, H = 12, CLIPS = 3 };
static const int lengths[CLIPS] = {6, 4, 5};
static const char *const truth[CLIPS] = {"001101", "0000", "11111"};

static void make_set(const char *name) {
    for (int i = 0; i < CLIPS; i++)
        fixture_clip(fixture_path("%s/testing/frames/%02d", name, i + 1), lengths[i], W, H, i);
}

static Dataset *data(const char *name) {
    Dataset *d = NULL;
    if (dataset_open(&d, fixture_path("%s", name)))
        fail_msg("%s", err_text());
    return d;
}

static int set_up(void **state) {
    (void)state;
    fixture_begin();
    make_set("set");
    return 0;
}

static char first_hash[17];

static void check(const Labels *l, const char *variant) {
    assert_string_equal(l->variant, variant);
    assert_int_equal(l->clips, CLIPS);
    assert_int_equal(l->frames, 15);
    assert_int_equal(l->abnormal, 8);
    for (int i = 0; i < CLIPS; i++) {
        assert_int_equal(l->length[i], lengths[i]);
        for (int t = 0; t < lengths[i]; t++)
            assert_int_equal(l->frame[i][t], truth[i][t] - '0');
    }
    if (!first_hash[0])
        memcpy(first_hash, l->hash, sizeof first_hash);
    assert_string_equal(l->hash, first_hash); /* equal content, whatever the format */
}

static void accept(const char *set, const char *path, const char *variant) {
    Dataset *d = data(set);
    Labels *l = NULL;
    if (labels_open(&l, d, path))
        fail_msg("%s", err_text());
    check(l, variant);
    labels_free(&l);
    dataset_free(&d);
}

static void refuse(const char *set, const char *path, const char *word) {
    Dataset *d = data(set);
    Labels *l = (Labels *)&l;
    assert_int_equal(labels_open(&l, d, path), ERR_FAIL);
    assert_ptr_equal(l, &l);
    if (!strstr(err_text(), word))
        fail_msg("'%s' lacks '%s'", err_text(), word);
    if (path && !strstr(err_text(), path))
        fail_msg("'%s' does not name %s", err_text(), path);
    dataset_free(&d);
}

static void refuse_text(const char *name, const char *text, const char *word) {
    const char *path = fixture_path("%s", name);
    fixture_text(path, text);
    refuse("set", path, word);
}

/* ---- arrays ---- */

static void all_labels(uint8_t *out) {
    for (int i = 0; i < CLIPS; i++)
        for (int t = 0; t < lengths[i]; t++)
            *out++ = (uint8_t)(truth[i][t] - '0');
}

static void test_npy(void **state) {
    (void)state;
    uint8_t all[15];
    double reals[15] = {0};
    all_labels(all);
    const char *path = fixture_path("frame_labels.npy");
    assert_int_equal(npy_write_u8(path, all, 1, (int64_t[]){15}), 0);
    accept("set", path, "frame_labels.npy");
    assert_int_equal(npy_write_u8(path, all, 2, (int64_t[]){1, 15}), 0);
    accept("set", path, "frame_labels.npy");
    assert_int_equal(npy_write_u8(path, all, 1, (int64_t[]){14}), 0);
    refuse("set", path, "14 labels, but the 3 test clips have 15 frames");
    all[3] = 2;
    assert_int_equal(npy_write_u8(path, all, 1, (int64_t[]){15}), 0);
    refuse("set", path, "element 3 (from 0) is 2; labels are 0 and 1");
    all[3] = 1;
    for (int i = 0; i < 15; i++)
        reals[i] = all[i]; /* what numpy.zeros gives */
    assert_int_equal(npy_write_f64(path, reals, 1, (int64_t[]){15}), 0);
    accept("set", path, "frame_labels.npy");
    const double bad[] = {0.5, -1, NAN, INFINITY, 1e300};
    const char *const told[] = {"0.5;", "-1;", "nan;", "inf;", "1e+300;"};
    for (int i = 0; i < 5; i++) {
        char word[64];
        snprintf(word, sizeof word, "element 3 (from 0) is %s", told[i]);
        reals[3] = bad[i];
        assert_int_equal(npy_write_f64(path, reals, 1, (int64_t[]){15}), 0);
        refuse("set", path, word);
    }
    refuse("set", fixture_path("absent.npy"), "cannot open");
    fixture_text(fixture_path("labels.doc"), "");
    refuse("set", fixture_path("labels.doc"), "labels are a .npy");
}

static void write_clip_npy(const char *folder, int i, int n) {
    uint8_t labels[16] = {0};
    for (int t = 0; t < lengths[i]; t++)
        labels[t] = (uint8_t)(truth[i][t] - '0');
    assert_int_equal(
        npy_write_u8(fixture_path("%s/%02d.npy", folder, i + 1), labels, 1, (int64_t[]){n}), 0);
}

static void test_clip_npy(void **state) {
    (void)state;
    make_set("sht");
    for (int i = 0; i < CLIPS; i++)
        write_clip_npy("sht/testing/test_frame_mask", i, lengths[i]);
    accept("sht", NULL, "test_frame_mask");
    write_clip_npy("sht/testing/test_frame_mask", 1, 3);
    refuse("sht", NULL, "3 labels, but clip 02 has 4 frames");
    make_set("hst");
    for (int i = 0; i < CLIPS - 1; i++)
        write_clip_npy("hst/test_frame_mask", i, lengths[i]);
    refuse("hst", NULL, "nothing in it belongs to clip 03");
}

/* ---- text ---- */

static void test_text(void **state) {
    (void)state;
    const char *path = fixture_path("labels.txt");
    fixture_text(path, "# clip start end, from 0\n01 2 3\n\n 01\t5 5 # one frame\n03 0 4");
    accept("set", path, "labels.txt");
    refuse_text("labels.txt", "01 2 3\n04 0 1\n", "line 2: no test clip is called 04");
    refuse_text("labels.txt", "01 2\n", "line 1: expected: clip start end");
    refuse_text("labels.txt", "01 2 3 4\n",
                "no test clip is called 01 2; the first of 3 is called 01");
    refuse_text("labels.txt", "2 3\n", "such as: 01 10 20");
    refuse_text("labels.txt", "01 2 3.5\n", "expected: clip start end");
    refuse_text("labels.txt", "01 3 2\n", "line 1");
    refuse_text("labels.txt", "01 -1 2\n", "line 1");
    refuse_text("labels.txt", "01 0 99999999999999999999\n", "line 1");
    refuse_text("labels.txt", "01 2 6\n", "clip 01 ends at frame 6 (from 0), but the clip has 6");
    refuse_text("labels.txt", "01 2 6\n", "begin the file with the line \"# first frame: 1\"");
    refuse_text("labels.txt", "01 2 7\n", "the clip has 6 frames");
    assert_null(strstr(err_text(), "first frame"));
}

/* What other programs make of a text: a mark at its begin, other line ends, blanks. */
static void test_text_of_others(void **state) {
    (void)state;
    static const char *const texts[] = {
        "\xef\xbb\xbf"
        "01 2 3\r\n01 5 5\r\n03 0 4\r\n",
        "01 2 3\r01 5 5\r03 0 4\r",
        "\xef\xbb\xbf"
        "# ours\r\n\t01\t2\t3 \t\r\n\r\n'01' 5 5 # one\r\n\"03\" 0.0 4.0\r\n",
        "\xef\xbb\xbf"
        "# clip start end, from 1\r\n01 3 4\r\n01 6 6\r\n03 1 5\r\n",
        "# First frame: 1  \n# more\n01 3 4\n01 6 6\n03 1 5\n",
        "#first frame: 0\n01 2 3\n01 5 5\n# said again, from 0\n03 0 4\n",
    };
    const char *path = fixture_path("labels.txt");
    for (int i = 0; i < 6; i++) {
        fixture_text(path, texts[i]);
        accept("set", path, "labels.txt");
    }
    fixture_write(path,
                  "\xff\xfe"
                  "0\0001\0",
                  6);
    refuse("set", path, "UTF-16");
    refuse_text("labels.txt", "01 2 3\n# first frame: 1\n", "line 2: frames count from 1 here");
    refuse_text("labels.txt", "# from 1\n01 0 3\n", "line 2: clip 1: there is no frame 0");
    refuse_text("labels.txt", "# from 1\n01 2 7\n", "ends at frame 7 (from 1), but the clip has 6");
    assert_null(strstr(err_text(), "first frame"));
}

/* Names with blanks, with what begins a comment, and with numbers; a file's name instead. */
static void test_text_names(void **state) {
    (void)state;
    static const char *const names[CLIPS] = {"cam", "cam 2", "cam #3"};
    for (int i = 0; i < CLIPS; i++)
        fixture_video(fixture_path("named/%s.avi", names[i]), "mjpeg", W, H, lengths[i], 0);
    static const char *const rows[CLIPS][2] = {{"cam 2 3", "cam.avi 2 3 # cam 2"},
                                               {"cam 2 2 3", "'cam 2' 2 3# 1 2"},
                                               {"cam #3 2 3", "\"cam #3.avi\"\t2  3 # cam #3"}};
    const char *path = fixture_path("labels.txt");
    for (int i = 0; i < 2 * CLIPS; i++) {
        Dataset *d = data("named");
        Labels *l = NULL;
        fixture_text(path, rows[i / 2][i % 2]);
        if (labels_open(&l, d, path))
            fail_msg("%s", err_text());
        assert_int_equal(l->abnormal, 2);
        for (int c = 0; c < CLIPS; c++)
            assert_int_equal(l->frame[c][2] + l->frame[c][3],
                             strcmp(d->test.clips[c].name, names[i / 2]) == 0 ? 2 : 0);
        labels_free(&l);
        dataset_free(&d);
    }
}

static void test_ucsd(void **state) {
    (void)state;
    const char *path = fixture_path("UCSDped.m");
    fixture_text(path, "TestVideoFile = {};\n"
                       "TestVideoFile{end+1}.gt_frame = [3:4, 6]; % two events\n"
                       "% TestVideoFile{end+1}.gt_frame = [1:2];\n"
                       "TestVideoFile{end+1}.gt_frame = [];\n"
                       "TestVideoFile{end+1}.gt_frame = [1:3 4:5];\r\n");
    accept("set", path, "UCSDped.m");
    refuse_text("UCSDped.m", "x.gt_frame = [1:2];\n", "1 clips, but there are 3");
    refuse_text("UCSDped.m", "x.gt_frame = [0:2];\n", "line 1");
    refuse_text("UCSDped.m", "x.gt_frame = [1:\n", "after :");
    refuse_text("UCSDped.m", "x.gt_frame = [1:2\n", "or ]");
    refuse_text("UCSDped.m", "x.gt_frame\n", "expected =");
    refuse_text("UCSDped.m", "nothing here\n", "no line assigns");
}

static void test_json(void **state) {
    (void)state;
    const char *path = fixture_path("avenue.json");
    fixture_text(
        path, "{\"02\": {\"length\": 4, \"anomalies\": []},"
              " \"01\": {\"length\": 6, \"anomalies\": [{\"run\": [[3, 4]]}, {\"bag\": [[6, 6]]}]},"
              " \"03\": {\"length\": 5, \"anomalies\": [{\"run\": [[1, 3], [2, 5]]}]}}");
    accept("set", path, "avenue.json");
    refuse_text("avenue.json", "{\"01\": {\"length\": 7, \"anomalies\": []}}",
                "clip 01: its length is given as 7, but it has 6 frames");
    refuse_text("avenue.json", "{\"01\": {\"length\": 6, \"anomalies\": []}}", "1 of 3 test clips");
    refuse_text("avenue.json", "{\"09\": {\"length\": 6, \"anomalies\": []}}", "called 09");
    refuse_text("avenue.json", "{\"01\": {\"anomalies\": [{\"run\": [[0, 4]]}]}}", "from 1");
    refuse_text("avenue.json", "{\"01\": 3}", "anomalies");
    refuse_text("avenue.json", "[1]", "expected an object");
    refuse_text("avenue.json", "{", "avenue.json");
    refuse_text("gt_label.json", "\x80\x03}q\x00.", "pickle");
}

/* ---- MATLAB ---- */

static void write_mat(const char *path, const char *name, matvar_t **cells, size_t n,
                      enum matio_compression compression) {
    size_t dims[2] = {1, n};
    mat_t *mat = Mat_CreateVer(path, NULL, MAT_FT_MAT5);
    matvar_t *var = Mat_VarCreate(name, MAT_C_CELL, MAT_T_CELL, 2, dims, cells, 0);
    assert_non_null(mat);
    assert_non_null(var);
    assert_int_equal(Mat_VarWrite(mat, var, compression), 0);
    Mat_VarFree(var);
    Mat_Close(mat);
}

static matvar_t *matrix(enum matio_classes class, enum matio_types type, size_t rows,
                        size_t columns, void *values) {
    size_t dims[2] = {rows, columns};
    return Mat_VarCreate(NULL, class, type, 2, dims, values, 0);
}

static matvar_t *doubles(size_t rows, size_t columns, double *values) {
    return matrix(MAT_C_DOUBLE, MAT_T_DOUBLE, rows, columns, values);
}

static void refuse_mat(matvar_t *first, const char *word) {
    const char *path = fixture_path("bad.mat");
    matvar_t *cells[CLIPS] = {first, doubles(0, 0, NULL), doubles(0, 0, NULL)};
    write_mat(path, "gt", cells, CLIPS, MAT_COMPRESSION_NONE);
    refuse("set", path, word);
}

static void test_mat(void **state) {
    (void)state;
    const char *path = fixture_path("ped.mat");
    for (int k = 0; k < 2; k++) {
        matvar_t *cells[CLIPS] = {
            doubles(2, 2, (double[]){3, 4, 6, 6}),
            doubles(0, 0, NULL),
            matrix(MAT_C_UINT8, MAT_T_UINT8, 2, 1, (uint8_t[]){1, 5}),
        };
        write_mat(path, "gt", cells, CLIPS, k ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE);
        accept("set", path, "ped.mat");
    }
    for (size_t n = fixture_size(path) - 1; n > 1; n = n * 2 / 3) { /* a cut file never crashes */
        Dataset *d = data("set");
        Labels *l = NULL;
        fixture_truncate(path, n);
        assert_true(!labels_open(&l, d, path) == (l != NULL));
        labels_free(&l);
        dataset_free(&d);
    }
    refuse_mat(doubles(3, 1, (double[]){1, 2, 3}), "3 x 1");
    refuse_mat(doubles(2, 1, (double[]){0, 2}), "[0; 2]");
    refuse_mat(doubles(2, 1, (double[]){1, 1e300}), "no range");
    refuse_mat(doubles(2, 1, (double[]){4, 2}), "no range");
    refuse_mat(doubles(2, 1, (double[]){1.5, 2}), "no range");
    refuse_mat(doubles(2, 1, (double[]){1, 7}), "ends at frame 7 (from 1)");
    matvar_t *two[2] = {doubles(0, 0, NULL), doubles(0, 0, NULL)};
    write_mat(path, "gt", two, 2, MAT_COMPRESSION_NONE);
    refuse("set", path, "2 clips, but there are 3");
    matvar_t *other[1] = {doubles(0, 0, NULL)};
    write_mat(path, "truth", other, 1, MAT_COMPRESSION_NONE);
    refuse("set", path, "no cell array gt");
    fixture_text(path, "no MATLAB file");
    refuse("set", path, "not a MATLAB 5 file");
    char head[256] = "MATLAB 7.3 MAT-file";
    fixture_write(path, head, sizeof head);
    refuse("set", path, "save -v7");
}

/* Labels of all frames as a vector, of any type. */
static void test_mat_vector(void **state) {
    (void)state;
    uint8_t all[15];
    double reals[15];
    all_labels(all);
    for (int i = 0; i < 15; i++)
        reals[i] = all[i];
    const char *path = fixture_path("vector.mat");
    for (int k = 0; k < 4; k++) {
        size_t dims[2] = {k % 2 ? 15 : 1, k % 2 ? 1 : 15};
        mat_t *mat = Mat_CreateVer(path, NULL, MAT_FT_MAT5);
        matvar_t *other = Mat_VarCreate("fps", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, (size_t[]){1, 1},
                                        (double[]){25}, 0);
        matvar_t *var =
            k < 2 ? Mat_VarCreate("frame_Labels", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, dims, reals, 0)
                  : Mat_VarCreate("gt", MAT_C_UINT8, MAT_T_UINT8, 2, dims, all, MAT_F_LOGICAL);
        assert_int_equal(Mat_VarWrite(mat, other, MAT_COMPRESSION_NONE), 0);
        assert_int_equal(Mat_VarWrite(mat, var, k ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE),
                         0);
        Mat_VarFree(other);
        Mat_VarFree(var);
        Mat_Close(mat);
        accept("set", path, "vector.mat");
    }
    for (size_t n = fixture_size(path) - 1; n > 1; n = n * 2 / 3) { /* cut anywhere: no crash */
        Dataset *d = data("set");
        Labels *l = NULL;
        fixture_truncate(path, n);
        if (!labels_open(&l, d, path)) /* only a checksum was cut off */
            check(l, "vector.mat");
        labels_free(&l);
        dataset_free(&d);
    }
    mat_t *mat = Mat_CreateVer(path, NULL, MAT_FT_MAT5);
    reals[7] = 0.5;
    matvar_t *var =
        Mat_VarCreate("label", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, (size_t[]){15, 1}, reals, 0);
    assert_int_equal(Mat_VarWrite(mat, var, MAT_COMPRESSION_NONE), 0);
    Mat_VarFree(var);
    Mat_Close(mat);
    refuse("set", path, "element 7 (from 0) is 0.5");
}

/* ---- masks ---- */

static void check_masks(const char *set) {
    Dataset *d = data(set);
    for (int i = 0; i < CLIPS; i++) {
        Masks *m = NULL;
        int found, w, h;
        const uint8_t *mask;
        if (masks_open(&m, d, i, &found))
            fail_msg("%s", err_text());
        assert_true(found);
        for (int t = lengths[i] - 1; t >= 0; t--) { /* in any order */
            if (masks_read(m, t, &mask, &w, &h))
                fail_msg("%s", err_text());
            assert_int_equal(w, W);
            assert_int_equal(h, H);
            int set_pixels = truth[i][t] == '1' ? t + 1 : 0;
            for (int k = 0; k < W * H; k++)
                assert_int_equal(mask[k], k < set_pixels);
        }
        assert_int_equal(masks_read(m, lengths[i], &mask, &w, &h), ERR_FAIL);
        masks_free(&m);
        assert_null(m);
    }
    dataset_free(&d);
}

static void mask_pictures(const char *folder, const char *name, int i) {
    for (int t = 0; t < lengths[i]; t++) {
        char file[32];
        snprintf(file, sizeof file, name, t);
        fixture_mask(fixture_path("%s/%s", folder, file), W, H, truth[i][t] == '1' ? t + 1 : 0);
    }
}

static void test_mask_pictures(void **state) {
    (void)state;
    make_set("pictures");
    for (int i = 0; i < CLIPS; i++) {
        char folder[64];
        snprintf(folder, sizeof folder, "pictures/testing/masks/%02d", i + 1);
        mask_pictures(folder, "%03d.bmp", i);
    }
    accept("pictures", NULL, "masks");
    check_masks("pictures");
    for (int i = 0; i < CLIPS; i++) { /* UCSD's own naming */
        char folder[64];
        fixture_clip(fixture_path("UCSD/Test/Test%03d", i + 1), lengths[i], W, H, 0);
        snprintf(folder, sizeof folder, "UCSD/Test/Test%03d_gt", i + 1);
        mask_pictures(folder, "frame%03d.bmp", i);
    }
    accept("UCSD", NULL, "masks");
    check_masks("UCSD");
    remove(fixture_path("UCSD/Test/Test001_gt/frame003.bmp"));
    refuse("UCSD", NULL, "5 labels, but clip Test001 has 6 frames");
    Dataset *d = data("UCSD");
    Masks *m = NULL;
    int found;
    assert_int_equal(masks_open(&m, d, 0, &found), ERR_FAIL);
    assert_non_null(strstr(err_text(), "5 masks, but clip Test001 has 6 frames"));
    assert_null(m);
    dataset_free(&d);
    d = data("set");
    assert_int_equal(masks_open(&m, d, 0, &found), 0);
    assert_int_equal(found, 0);
    assert_null(m);
    dataset_free(&d);
}

static void test_mask_cells(void **state) {
    (void)state;
    for (int k = 0; k < 2; k++) {
        const char *set = k ? "avenue1" : "avenue0";
        for (int i = 0; i < CLIPS; i++) {
            matvar_t *cells[8];
            fixture_video(fixture_path("%s/testing_videos/%02d.avi", set, i + 1), "mjpeg", W, H,
                          lengths[i], 0);
            for (int t = 0; t < lengths[i]; t++) {
                uint8_t columns[W * H];
                double wide[W * H];
                for (int p = 0; p < W * H; p++) { /* MATLAB stores columns */
                    int pixel = p % H * W + p / H;
                    columns[p] = truth[i][t] == '1' && pixel < t + 1;
                    wide[p] = columns[p];
                }
                cells[t] =
                    k ? matrix(MAT_C_UINT8, MAT_T_UINT8, H, W, columns) : doubles(H, W, wide);
            }
            write_mat(
                fixture_path("%s/ground_truth_demo/testing_label_mask/%d_label.mat", set, i + 1),
                "volLabel", cells, (size_t)lengths[i],
                k ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE);
        }
        accept(set, NULL, "testing_label_mask");
        check_masks(set);
    }
}

static void test_mask_arrays(void **state) {
    (void)state;
    make_set("arrays");
    for (int i = 0; i < CLIPS; i++) {
        uint8_t masks[8 * W * H] = {0};
        for (int t = 0; t < lengths[i]; t++)
            memset(masks + t * W * H, 1, truth[i][t] == '1' ? (size_t)t + 1 : 0);
        assert_int_equal(
            npy_write_u8(fixture_path("arrays/testing/test_pixel_mask/%02d.npy", i + 1), masks, 3,
                         (int64_t[]){lengths[i], H, W}),
            0);
    }
    accept("arrays", NULL, "test_pixel_mask");
    check_masks("arrays");
    double soft[8 * W * H] = {0}; /* whatever is not zero is abnormal, as in pictures */
    for (int t = 0; t < lengths[0]; t++)
        for (int i = 0; truth[0][t] == '1' && i <= t; i++)
            soft[t * W * H + i] = 0.5;
    assert_int_equal(npy_write_f64(fixture_path("arrays/testing/test_pixel_mask/01.npy"), soft, 3,
                                   (int64_t[]){lengths[0], H, W}),
                     0);
    check_masks("arrays");
    static const int64_t empty[][3] = {{3, 0, 0}, {3, 0, W}, {3, H, 0}};
    const char *path = fixture_path("empty.npy");
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        Masks *m = NULL;
        assert_int_equal(npy_write_u8(path, (const uint8_t[]){0}, 3, empty[i]), 0);
        assert_int_equal(masks_open_path(&m, path), ERR_FAIL);
        assert_null(m);
        assert_non_null(strstr(err_text(), path));
        assert_non_null(strstr(err_text(), "out of range"));
    }
}

/* ---- finding ---- */

typedef struct {
    int good, bad;
    char names[256];
} Seen;

static void note(void *ctx, const char *path, const Labels *l, const char *error) {
    Seen *s = ctx;
    assert_non_null(path);
    assert_true(!l == (error != NULL));
    s->good += l != NULL;
    s->bad += l == NULL;
    size_t n = strlen(s->names);
    snprintf(s->names + n, sizeof s->names - n, "%s ", strrchr(path, '/') + 1);
}

static void test_finding(void **state) {
    (void)state;
    uint8_t all[15];
    all_labels(all);
    make_set("many");
    refuse("many", NULL, "no ground truth lies beside");
    assert_int_equal(npy_write_u8(fixture_path("many/scores.npy"), all, 1, (int64_t[]){15}), 0);
    fixture_text(fixture_path("many/notes.json"), "{\"a\": {\"b\": 1}}");
    fixture_text(fixture_path("many/README.txt"), "hello");
    refuse("many", NULL, "no ground truth lies beside"); /* other files are ignored */
    fixture_text(fixture_path("many/labels.txt"), "01 2 3\n01 5 5\n03 0 4\n");
    accept("many", NULL, "labels.txt");
    fixture_text(fixture_path("many/UCSD.m"), "a.gt_frame = [1:2];\n");
    assert_int_equal(
        npy_write_u8(fixture_path("many/testing/frame_labels.npy"), all, 1, (int64_t[]){15}), 0);
    accept("many", NULL, "frame_labels.npy");
    Dataset *d = data("many");
    Seen seen = {0};
    assert_int_equal(labels_each(d, note, &seen), 3);
    assert_string_equal(seen.names, "frame_labels.npy UCSD.m labels.txt ");
    assert_int_equal(seen.good, 2);
    assert_int_equal(seen.bad, 1);
    dataset_free(&d);
    make_set("blank");
    d = data("blank");
    Labels *l = NULL;
    const char *path = fixture_path("none.txt");
    fixture_text(path, "# all normal\n");
    assert_int_equal(labels_open(&l, d, path), 0);
    assert_int_equal(l->abnormal, 0);
    assert_string_not_equal(l->hash, first_hash);
    labels_free(&l);
    for (int n = 1, code = -1; code; n++) { /* any allocation may fail */
        assert_true(n < 200);
        mem_fail_after(n);
        code = labels_open(&l, d, path);
        mem_fail_after(0);
        assert_true(!code == (l != NULL));
        labels_free(&l);
    }
    dataset_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_npy),
        cmocka_unit_test(test_clip_npy),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_ucsd),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_mat),
        cmocka_unit_test(test_text_of_others),
        cmocka_unit_test(test_text_names),
        cmocka_unit_test(test_mat_vector),
        cmocka_unit_test(test_mask_pictures),
        cmocka_unit_test(test_mask_cells),
        cmocka_unit_test(test_mask_arrays),
        cmocka_unit_test(test_finding),
    };
    return cmocka_run_group_tests(tests, set_up, fixture_tear_down);
}
