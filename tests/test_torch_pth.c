/* The .pth reader: files of PyTorch (tests/reference/torch_pth.py), and files made here with one
 * false entry, for every entry that can be false. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "fixture.h"
#include "model/torch_pth.h"
#include "model/weight_file.h"

#define REFERENCE SOURCE_DIR "/tests/reference/"

/* ---- bytes. */

typedef struct {
    uint8_t at[1 << 16];
    size_t n;
} Bytes;

static void put(Bytes *b, const void *data, size_t n) {
    assert_true(b->n + n <= sizeof b->at);
    memcpy(b->at + b->n, data, n);
    b->n += n;
}

static void put_number(Bytes *b, uint64_t x, int bytes) {
    for (int i = 0; i < bytes; i++)
        put(b, &(uint8_t){(uint8_t)(x >> 8 * i)}, 1);
}

/* Parses a copy, so that a sanitizer sees reads beyond it; mem_alloc rounds it up to 64 bytes. */
static int parse(TorchPth **out, const void *bytes, size_t n) {
    static void *copy;
    mem_free(copy);
    copy = NULL;
    copy = mem_alloc(n, 1);
    memcpy(copy, bytes, n);
    return torch_pth_parse(out, "x.pth", copy, (int64_t)n);
}

static void expect_refused(const Bytes *b, const char *what) {
    TorchPth *p = NULL;
    int code = parse(&p, b->at, b->n);
    if (code != ERR_FAIL)
        fail_msg("accepted; expected the error: %s", what);
    assert_null(p);
    if (!strstr(err_text(), what) || !strstr(err_text(), "x.pth"))
        fail_msg("\"%s\" does not say \"%s\" of x.pth", err_text(), what);
}

/* ---- pickles, an instruction at a time. */

#define OPS(b, text) put(b, text, sizeof(text) - 1)

static void put_text(Bytes *b, const char *text) {
    OPS(b, "X");
    put_number(b, strlen(text), 4);
    put(b, text, strlen(text));
}

static void put_integer(Bytes *b, int64_t x) {
    OPS(b, "\x8a\x08"); /* LONG1 of 8 bytes */
    put_number(b, (uint64_t)x, 8);
}

typedef struct {
    const char *key;
    int64_t count, offset, size[2], stride[2];
} View;

static const View plain = {"0", 6, 0, {2, 3}, {3, 1}};

static void put_view(Bytes *b, const View *v) {
    OPS(b, "ctorch._utils\n_rebuild_tensor_v2\n((");
    put_text(b, "storage");
    OPS(b, "ctorch\nFloatStorage\n");
    put_text(b, v->key);
    put_text(b, "cuda:0");
    put_integer(b, v->count);
    OPS(b, "tQ");
    put_integer(b, v->offset);
    put_integer(b, v->size[0]);
    put_integer(b, v->size[1]);
    OPS(b, "\x86");
    put_integer(b, v->stride[0]);
    put_integer(b, v->stride[1]);
    OPS(b, "\x86\x89"
           "ccollections\nOrderedDict\n)RtR");
}

/* {"w": a tensor} */
static Bytes pickle_of(const View *v) {
    Bytes b = {.n = 0};
    OPS(&b, "\x80\x02}");
    put_text(&b, "w");
    put_view(&b, v);
    OPS(&b, "s.");
    return b;
}

/* {"w": a tensor, "rest": what these instructions make} */
static Bytes pickle_with(const void *ops, size_t n) {
    Bytes b = pickle_of(&plain);
    b.n--; /* STOP */
    put_text(&b, "rest");
    put(&b, ops, n);
    OPS(&b, "s.");
    return b;
}

/* ---- zip archives of stored records. */

typedef struct {
    Bytes file, directory;
    int count;
    int method;                /* of the next record: 0 stored, 8 deflated */
    int64_t size_lie, crc_lie; /* added to the true size and CRC of the next record */
    bool no_crc;               /* records get a CRC of 0 */
} Zip;

static uint32_t crc32(const uint8_t *p, size_t n) {
    uint32_t crc = ~0u;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void put_record(Zip *z, const char *name, const void *data, size_t n) {
    Bytes *heads[2] = {&z->file, &z->directory};
    uint64_t offset = z->file.n;
    uint32_t crc = z->no_crc ? 0 : crc32(data, n) + (uint32_t)z->crc_lie;
    uint64_t size = n + (uint64_t)z->size_lie;
    for (int i = 0; i < 2; i++) {
        put(heads[i], i ? "PK\1\2\24\0" : "PK\3\4", i ? 6 : 4);
        put_number(heads[i], 20, 2); /* version */
        put_number(heads[i], 0, 2);
        put_number(heads[i], (uint64_t)z->method, 2);
        put_number(heads[i], 0, 4); /* time */
        put_number(heads[i], crc, 4);
        put_number(heads[i], size, 4);
        put_number(heads[i], size, 4);
        put_number(heads[i], strlen(name), 2);
        put_number(heads[i], 0, 2);
    }
    put(&z->directory, "\0\0\0\0\0\0\0\0\0", 10); /* no comment, disk 0, no attributes */
    put_number(&z->directory, offset, 4);
    put(&z->file, name, strlen(name));
    put(&z->directory, name, strlen(name));
    put(&z->file, data, n);
    z->count++;
}

static Bytes zip_end(Zip *z) {
    uint64_t start = z->file.n;
    put(&z->file, z->directory.at, z->directory.n);
    put(&z->file, "PK\5\6\0\0\0\0", 8);
    put_number(&z->file, (uint64_t)z->count, 2);
    put_number(&z->file, (uint64_t)z->count, 2);
    put_number(&z->file, z->directory.n, 4);
    put_number(&z->file, start, 4);
    put_number(&z->file, 0, 2);
    return z->file;
}

static const float numbers[6] = {0, 1, 2, 3, 4, 5};

static Bytes archive_of(const Bytes *pickle) {
    Zip z = {.count = 0};
    put_record(&z, "x/data.pkl", pickle->at, pickle->n);
    put_record(&z, "x/data/0", numbers, sizeof numbers);
    return zip_end(&z);
}

static void expect_pickle_refused(const Bytes *pickle, const char *what) {
    Bytes file = archive_of(pickle);
    expect_refused(&file, what);
}

#define EXPECT_OPS_REFUSED(ops, what)                                                              \
    do {                                                                                           \
        Bytes p = {.n = 0};                                                                        \
        put(&p, "\x80\x02" ops, sizeof("\x80\x02" ops) - 1);                                       \
        expect_pickle_refused(&p, what);                                                           \
    } while (0)

/* ---- what is taken. */

static void test_smallest(void **state) {
    (void)state;
    Bytes pickle = pickle_of(&plain), file = archive_of(&pickle);
    TorchPth *p = NULL;
    if (parse(&p, file.at, file.n))
        fail_msg("%s", err_text());
    assert_int_equal(torch_pth_count(p), 1);
    const SafeTensor *t = torch_pth_at(p, 0);
    assert_string_equal(t->name, "w");
    assert_int_equal(t->type, SAFE_F32);
    assert_int_equal(t->rank, 2);
    assert_int_equal(t->shape[1], 3);
    assert_memory_equal(t->data, numbers, sizeof numbers);
    torch_pth_free(&p);
    assert_null(p);
    torch_pth_free(&p);
}

/* The pickle calls os.system. The reader records the call as a value and never makes it. */
static void test_nothing_is_executed(void **state) {
    (void)state;
    const char *mark = fixture_path("executed");
    Bytes ops = {.n = 0};
    OPS(&ops, "cposix\nsystem\n");
    char command[4200];
    snprintf(command, sizeof command, "touch %s", mark);
    put_text(&ops, command);
    OPS(&ops, "\x85R");
    Bytes pickle = pickle_with(ops.at, ops.n), file = archive_of(&pickle);
    TorchPth *p = NULL;
    assert_int_equal(parse(&p, file.at, file.n), 0);
    assert_int_equal(torch_pth_count(p), 1);
    torch_pth_free(&p);
    Bytes root = {.n = 0};
    OPS(&root, "\x80\x02");
    put(&root, ops.at, ops.n);
    OPS(&root, ".");
    expect_pickle_refused(&root, "no state dict");
    assert_false(file_exists(mark));
}

/* The state dict may be nested in other dicts. A dict that holds itself is refused. */
static void test_nested(void **state) {
    (void)state;
    static const char *const keys[] = {"module", "model_state", "state_dict", "model"};
    Bytes b = {.n = 0}, inner = pickle_of(&plain);
    OPS(&b, "\x80\x02");
    for (int i = 0; i < 4; i++) {
        OPS(&b, "}");
        put_text(&b, keys[i]);
    }
    put(&b, inner.at + 2, inner.n - 3);
    OPS(&b, "ssss.");
    Bytes file = archive_of(&b);
    TorchPth *p = NULL;
    if (parse(&p, file.at, file.n))
        fail_msg("%s", err_text());
    assert_int_equal(torch_pth_count(p), 1);
    torch_pth_free(&p);
    Bytes loop = {.n = 0};
    OPS(&loop, "\x80\x02}q\x01");
    put_text(&loop, "model");
    OPS(&loop, "h\x01s.");
    expect_pickle_refused(&loop, "no state dict");
}

/* A tensor of odd.pth or odd_legacy.pth. DataParallel put "module." before their names. */
static const SafeTensor *find(const WeightFile *f, const char *name) {
    char wrapped[64];
    snprintf(wrapped, sizeof wrapped, "module.%s", name);
    const SafeTensor *t = weight_file_find(f, wrapped);
    if (!t)
        fail_msg("no tensor %s", name);
    return t;
}

static void expect_floats(const WeightFile *f, const char *name, int rank, const int64_t *shape,
                          const double *want, double tolerance) {
    const SafeTensor *t = find(f, name);
    float got[16];
    assert_int_equal(t->rank, rank);
    for (int d = 0; d < rank; d++)
        assert_int_equal(t->shape[d], shape[d]);
    assert_true(t->count <= 16);
    assert_int_equal(safetensors_to_f32(t, got), 0);
    for (int64_t i = 0; i < t->count; i++)
        if (fabs(got[i] - want[i]) > tolerance)
            fail_msg("%s[%lld] is %g, expected %g", name, (long long)i, (double)got[i], want[i]);
}

#define SHAPE(...)                                                                                 \
    (const int64_t[]) {                                                                            \
        __VA_ARGS__                                                                                \
    }
#define VALUES(...)                                                                                \
    (const double[]) {                                                                             \
        __VA_ARGS__                                                                                \
    }

static void test_every_sort_of_tensor(void **state) {
    (void)state;
    static const char *const paths[] = {REFERENCE "odd.pth", REFERENCE "odd_legacy.pth"};
    for (int i = 0; i < 2; i++) {
        WeightFile *f = NULL;
        if (weight_file_open(&f, paths[i]))
            fail_msg("%s", err_text());
        assert_string_equal(weight_file_format(f), "torch.save");
        assert_int_equal(weight_file_count(f), 14); /* without count and nested */
        expect_floats(f, "f32", 2, SHAPE(3, 4), VALUES(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), 0);
        expect_floats(f, "transposed", 2, SHAPE(4, 3), VALUES(0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11),
                      0);
        expect_floats(f, "row", 1, SHAPE(4), VALUES(4, 5, 6, 7), 0);
        expect_floats(f, "column", 1, SHAPE(3), VALUES(2, 6, 10), 0);
        expect_floats(f, "expanded", 2, SHAPE(2, 3), VALUES(7, 7, 7, 7, 7, 7), 0);
        expect_floats(f, "f64", 1, SHAPE(2), VALUES(1.0 / 3, -2), 1e-7); /* rounds to float */
        expect_floats(f, "f16", 1, SHAPE(2), VALUES(0.5, -65504), 0);
        expect_floats(f, "bf16", 1, SHAPE(2), VALUES(1.5, -3), 0);
        expect_floats(f, "scalar", 0, NULL, VALUES(2.5), 0);
        expect_floats(f, "empty", 2, SHAPE(0, 3), NULL, 0);
        expect_floats(f, "parameter", 1, SHAPE(2), VALUES(4, 5), 0);
        const int64_t integers[] = {-1, (int64_t)1 << 40};
        assert_int_equal(find(f, "i64")->type, SAFE_I64);
        assert_memory_equal(find(f, "i64")->data, integers, sizeof integers);
        assert_int_equal(find(f, "u8")->type, SAFE_OTHER);
        assert_memory_equal(find(f, "u8")->data, "\1\377", 2);
        assert_memory_equal(find(f, "bool")->data, "\1\0\1", 3);
        weight_file_free(&f);
    }
}

/* Some writers leave the CRC 0. */
static void test_no_crc(void **state) {
    (void)state;
    Bytes pickle = pickle_of(&plain);
    Zip z = {.no_crc = true};
    put_record(&z, "x/data.pkl", pickle.at, pickle.n);
    put_record(&z, "x/data/0", numbers, sizeof numbers);
    Bytes file = zip_end(&z);
    TorchPth *p = NULL;
    assert_int_equal(parse(&p, file.at, file.n), 0);
    torch_pth_free(&p);
}

/* ---- archives that lie. */

static void read_whole(Bytes *b, const char *path) {
    char *data;
    if (file_read(path, sizeof b->at, &data, &b->n))
        fail_msg("%s", err_text());
    memcpy(b->at, data, b->n);
    mem_free(data);
}

/* A file that is cut after any byte is refused. */
static void test_truncated(void **state) {
    (void)state;
    static Bytes file;
    static const char *const paths[] = {REFERENCE "odd.pth", REFERENCE "odd_legacy.pth"};
    for (int i = 0; i < 2; i++) {
        read_whole(&file, paths[i]);
        for (size_t n = 0; n < file.n; n++) {
            TorchPth *p = NULL;
            if (parse(&p, file.at, n) != ERR_FAIL)
                fail_msg("%s: taken with %zu of %zu bytes", paths[i], n, file.n);
        }
    }
}

/* A changed byte is an error or has no effect. It never crashes the reader. */
static void test_any_byte(void **state) {
    (void)state;
    static Bytes file;
    static const char *const paths[] = {REFERENCE "odd.pth", REFERENCE "odd_legacy.pth"};
    for (int i = 0; i < 2; i++) {
        read_whole(&file, paths[i]);
        for (size_t k = 0; k < file.n; k++) {
            TorchPth *p = NULL;
            file.at[k] ^= 0x81;
            parse(&p, file.at, file.n);
            torch_pth_free(&p);
            file.at[k] ^= 0x81;
        }
    }
}

/* Each case is an archive of the plain pickle with one false entry, and what the error must say. */
static void test_archives_that_lie(void **state) {
    (void)state;
    const struct {
        int64_t crc_lie, size_lie;
        int method;
        const char *what;
    } cases[] = {
        {1, 0, 0, "record x/data/0 is damaged: CRC error"},
        {0, 4, 0, "record data/0 has 28 bytes, its 6 numbers need 24"},
        {0, -4, 0, "record data/0 has 20 bytes, its 6 numbers need 24"},
        {0, 1 << 30, 0, "larger than the file"},
        {0, 0, 8, "record x/data/0 is compressed"},
    };
    Bytes pickle = pickle_of(&plain), file;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Zip z = {.count = 0};
        put_record(&z, "x/data.pkl", pickle.at, pickle.n);
        z.crc_lie = cases[i].crc_lie;
        z.size_lie = cases[i].size_lie;
        z.method = cases[i].method;
        put_record(&z, "x/data/0", numbers, sizeof numbers);
        file = zip_end(&z);
        expect_refused(&file, cases[i].what);
    }
    Zip twice = {.count = 0};
    put_record(&twice, "x/data.pkl", pickle.at, pickle.n);
    put_record(&twice, "x/data/0", numbers, sizeof numbers);
    put_record(&twice, "x/data/0", numbers, sizeof numbers);
    file = zip_end(&twice);
    expect_refused(&file, "two records x/data/0");
}

static void test_other_archives(void **state) {
    (void)state;
    const struct {
        const char *name, *content, *what;
    } cases[] = {
        {"x/constants.pkl", "", "TorchScript"},
        {"x/byteorder", "big", "big-endian"},
    };
    Bytes pickle = pickle_of(&plain), file;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Zip z = {.count = 0};
        put_record(&z, "x/data.pkl", pickle.at, pickle.n);
        put_record(&z, cases[i].name, cases[i].content, strlen(cases[i].content));
        put_record(&z, "x/data/0", numbers, sizeof numbers);
        file = zip_end(&z);
        expect_refused(&file, cases[i].what);
    }
    Zip other = {.count = 0}, without = {.count = 0};
    put_record(&other, "word/document.xml", "<w/>", 4);
    file = zip_end(&other);
    expect_refused(&file, "without data.pkl");
    put_record(&without, "x/data.pkl", pickle.at, pickle.n);
    file = zip_end(&without);
    expect_refused(&file, "record data/0 is missing");
    Bytes text = {.n = 0};
    OPS(&text, "neither");
    expect_refused(&text, "not a file of torch.save");
}

/* ---- pickles that lie. */

static void test_views_that_lie(void **state) {
    (void)state;
    const int64_t huge = INT64_MAX;
    const struct {
        View view;
        const char *what;
    } cases[] = {
        {{"0", 6, 1, {2, 3}, {3, 1}}, "reaches behind the 6 numbers"},
        {{"0", 6, 0, {2, 3}, {4, 1}}, "reaches behind the 6 numbers"},
        {{"0", 6, 0, {2, 2}, {huge, 1}}, "tensor w has impossible sizes or strides"},
        {{"0", 6, 0, {3, 2}, {huge / 2, huge / 2}}, "tensor w has impossible sizes or strides"},
        {{"0", 6, huge, {2, 3}, {3, 1}}, "reaches behind the 6 numbers"},
        {{"0", 6, -1, {2, 3}, {3, 1}}, "no storage and offset"},
        {{"0", 6, 0, {-2, -3}, {3, 1}}, "impossible sizes"},
        {{"0", 6, 0, {2, 3}, {-3, 1}}, "impossible sizes or strides"},
        {{"0", 6, 0, {huge, 4}, {0, 0}}, "impossible sizes"},
        {{"0", 6, 0, {huge, 1}, {0, 0}}, "impossible sizes"},
        {{"0", 6, 0, {1 << 20, 1 << 10}, {0, 0}}, "views much larger than the file"},
        {{"0", 7, 0, {2, 3}, {3, 1}}, "record data/0 has 24 bytes, its 7 numbers need 28"},
        {{"0", -6, 0, {2, 3}, {3, 1}}, "impossible count -6"},
        {{"0", huge / 2, 0, {2, 3}, {3, 1}}, "impossible count"},
        {{"../0", 6, 0, {2, 3}, {3, 1}}, "record data/../0 is missing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Bytes pickle = pickle_of(&cases[i].view);
        expect_pickle_refused(&pickle, cases[i].what);
    }
    /* A dimension of size 1 takes no step, so its stride may be anything. */
    Bytes pickle = pickle_of(&(View){"0", 6, 5, {1, 1}, {huge, huge}}), file = archive_of(&pickle);
    TorchPth *p = NULL;
    assert_int_equal(parse(&p, file.at, file.n), 0);
    assert_memory_equal(torch_pth_at(p, 0)->data, &numbers[5], sizeof(float));
    torch_pth_free(&p);
}

static void test_two_views(void **state) {
    (void)state;
    const View other = {"0", 5, 0, {1, 5}, {5, 1}};
    Bytes b = pickle_of(&plain);
    b.n--;
    put_text(&b, "v");
    put_view(&b, &other);
    OPS(&b, "s.");
    expect_pickle_refused(&b, "storage 0 is described in two ways");
    b = pickle_of(&plain);
    b.n--;
    put_text(&b, "w");
    put_view(&b, &plain);
    OPS(&b, "s.");
    expect_pickle_refused(&b, "two tensors w");
}

static void test_other_pickles(void **state) {
    (void)state;
    EXPECT_OPS_REFUSED("}r\xff\xff\xff\xff.", "a memo of 4294967296");
    EXPECT_OPS_REFUSED("}.", "no state dict");
    EXPECT_OPS_REFUSED("N.", "no state dict");
    EXPECT_OPS_REFUSED("NQ.", "no tensor's storage");
    EXPECT_OPS_REFUSED("N\x85Q.", "no tensor's storage");
}

/* ---- the old form. */

static Bytes stream_of(const View *v, const char *keys, size_t keys_n, int64_t count) {
    Bytes b = {.n = 0}, object = pickle_of(v);
    OPS(&b, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
            "\x80\x02M\xe9\x03.\x80\x02}");
    put_text(&b, "little_endian");
    OPS(&b, "\x88s.");
    put(&b, object.at, object.n);
    put(&b, keys, keys_n);
    put_number(&b, (uint64_t)count, 8);
    put(&b, numbers, sizeof numbers);
    return b;
}

#define ONE_KEY                                                                                    \
    "\x80\x02]U\1"                                                                                 \
    "0a."

static void test_old_form(void **state) {
    (void)state;
    Bytes file = stream_of(&plain, ONE_KEY, sizeof ONE_KEY - 1, 6);
    TorchPth *p = NULL;
    if (parse(&p, file.at, file.n))
        fail_msg("%s", err_text());
    assert_memory_equal(torch_pth_at(p, 0)->data, numbers, sizeof numbers);
    torch_pth_free(&p);
    file = stream_of(&plain, ONE_KEY, sizeof ONE_KEY - 1, 5);
    expect_refused(&file, "storage 0 has 5 numbers, its tensors expect 6");
    file.n--;
    expect_refused(&file, "truncated");
    file =
        stream_of(&(View){"0", INT64_MAX / 4, 0, {2, 3}, {3, 1}}, ONE_KEY, sizeof ONE_KEY - 1, 6);
    expect_refused(&file, "truncated");
    static const char none[] = "\x80\x02].",
                      other[] = "\x80\x02]U\1"
                                "1a.",
                      twice[] = "\x80\x02]U\1"
                                "0aU\1"
                                "0a.";
    file = stream_of(&plain, none, sizeof none - 1, 6);
    expect_refused(&file, "storage 0 is not in the file");
    file = stream_of(&plain, other, sizeof other - 1, 6);
    expect_refused(&file, "lists a storage that no tensor has");
    file = stream_of(&plain, twice, sizeof twice - 1, 6);
    expect_refused(&file, "or one twice");
    file = stream_of(&plain, ONE_KEY, sizeof ONE_KEY - 1, 6);
    file.at[18] = 0xea; /* 1002 */
    expect_refused(&file, "unknown version");
    file = stream_of(&plain, ONE_KEY, sizeof ONE_KEY - 1, 6);
    for (size_t i = 0; i < file.n; i++)
        if (file.at[i] == 0x88) {
            file.at[i] = 0x89; /* NEWFALSE */
            break;
        }
    expect_refused(&file, "big-endian");
}

/* ---- files. */

static void test_files(void **state) {
    (void)state;
    WeightFile *f = NULL;
    const char *path = fixture_path("weights");
    assert_int_equal(weight_file_open(&f, path), ERR_FAIL);
    assert_non_null(strstr(err_text(), path));
    fixture_text(path, "");
    assert_int_equal(weight_file_open(&f, path), ERR_FAIL);
    assert_non_null(strstr(err_text(), "empty"));
    fixture_text(path, "some text that is no weights");
    assert_int_equal(weight_file_open(&f, path), ERR_FAIL);
    assert_non_null(strstr(err_text(), "neither safetensors nor"));
    fixture_write(path, "\2\0\0\0\0\0\0\0{}", 10); /* the name does not matter */
    assert_int_equal(weight_file_open(&f, path), 0);
    assert_string_equal(weight_file_format(f), "safetensors");
    assert_int_equal(weight_file_count(f), 0);
    weight_file_free(&f);
    assert_null(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smallest),       cmocka_unit_test(test_nothing_is_executed),
        cmocka_unit_test(test_nested),         cmocka_unit_test(test_every_sort_of_tensor),
        cmocka_unit_test(test_no_crc),         cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_any_byte),       cmocka_unit_test(test_archives_that_lie),
        cmocka_unit_test(test_other_archives), cmocka_unit_test(test_views_that_lie),
        cmocka_unit_test(test_two_views),      cmocka_unit_test(test_other_pickles),
        cmocka_unit_test(test_old_form),       cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
