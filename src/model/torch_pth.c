#include "model/torch_pth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/pickle.h"
#include "model/torch_state.h"

enum { MAX_PICKLE = 64 << 20, SPARE_COPIES = 16 << 20 };

struct TorchPth {
    Pickle pickle; /* the tensors' names live here */
    TorchState state;
};

/* ---- zip. */

typedef struct {
    const char *name; /* libzip's */
    zip_uint64_t index;
    int64_t size;
    uint32_t crc;
} Record;

typedef struct {
    const char *name; /* of the file */
    zip_t *zip;
    Record *records; /* sorted by name */
    int64_t count;
    char *root; /* the folder that all records lie in */
} Archive;

static int open_zip(Archive *a, const void *bytes, int64_t n) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(bytes, (zip_uint64_t)n, 0, &error);
    a->zip = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : NULL;
    int code = 0;
    if (!a->zip) {
        code = err_set(ERR_FAIL, "%s: a damaged or truncated .pth file: %s", a->name,
                       zip_error_strerror(&error));
        zip_source_free(source);
    }
    zip_error_fini(&error);
    return code;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const Record *)a)->name, ((const Record *)b)->name);
}

/* Reads the list of records. They must be uncompressed, and their sizes must add up to no more than
 * the file: overlapping records could make us read a small file many times. */
static int read_directory(Archive *a, int64_t n) {
    const zip_uint64_t needed =
        ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_CRC;
    zip_uint64_t total = 0;
    a->count = zip_get_num_entries(a->zip, 0);
    a->records = mem_alloc((size_t)a->count, sizeof *a->records);
    if (!a->records)
        return ERR_FAIL;
    for (int64_t i = 0; i < a->count; i++) {
        zip_stat_t st;
        if (zip_stat_index(a->zip, (zip_uint64_t)i, ZIP_FL_ENC_RAW, &st) ||
            (st.valid & needed) != needed)
            return err_set(ERR_FAIL, "%s: record %lld of its directory is damaged", a->name,
                           (long long)i);
        if (st.comp_method != ZIP_CM_STORE || st.size != st.comp_size ||
            (st.valid & ZIP_STAT_ENCRYPTION_METHOD && st.encryption_method != ZIP_EM_NONE))
            return err_set(ERR_FAIL,
                           "%s: record %s is compressed; torch.save stores records as they are",
                           a->name, st.name);
        if (__builtin_add_overflow(total, st.size, &total) || total > (zip_uint64_t)n)
            return err_set(ERR_FAIL, "%s: its records up to %s are larger than the file", a->name,
                           st.name);
        a->records[i] = (Record){st.name, (zip_uint64_t)i, (int64_t)st.size, st.crc};
    }
    qsort(a->records, (size_t)a->count, sizeof *a->records, by_name);
    for (int64_t i = 1; i < a->count; i++)
        if (strcmp(a->records[i - 1].name, a->records[i].name) == 0)
            return err_set(ERR_FAIL, "%s: there are two records %s", a->name, a->records[i].name);
    return 0;
}

static int find_root(Archive *a) {
    for (int64_t i = 0; i < a->count && !a->root; i++) {
        const char *name = a->records[i].name, *slash = strchr(name, '/');
        if (slash && strcmp(slash, "/data.pkl") == 0 &&
            !(a->root = mem_printf("%.*s", (int)(slash - name), name)))
            return ERR_FAIL;
    }
    if (!a->root)
        return err_set(ERR_FAIL, "%s: a zip archive without data.pkl, not written by torch.save",
                       a->name);
    return 0;
}

/* Finds the record of a name below the root, or NULL. */
static const Record *find_record(const Archive *a, const char *folder, const char *name) {
    char path[1024];
    int n = snprintf(path, sizeof path, "%s/%s%s", a->root, folder, name);
    const Record wanted = {.name = path};
    if (n < 0 || (size_t)n >= sizeof path)
        return NULL;
    return bsearch(&wanted, a->records, (size_t)a->count, sizeof wanted, by_name);
}

/* Reads a record into a new block that the caller owns. Some writers leave the CRC at 0. */
static int read_record(void **out, const Archive *a, const Record *r) {
    char *data = mem_alloc((size_t)r->size + 1, 1);
    if (!data)
        return ERR_FAIL;
    zip_file_t *f = zip_fopen_index(a->zip, r->index, 0);
    zip_int64_t got = f ? zip_fread(f, data, (zip_uint64_t)r->size) : -1;
    if (got == r->size && r->crc && zip_fread(f, data + r->size, 1) != 0)
        got = -1; /* libzip compares the CRC at the end of the record */
    int code = 0;
    if (got != r->size)
        code = err_set(ERR_FAIL, "%s: record %s is damaged: %s", a->name, r->name,
                       got >= 0 ? "cut short"
                       : f      ? zip_file_strerror(f)
                                : zip_strerror(a->zip));
    if (f)
        zip_fclose(f);
    if (code) {
        mem_free(data);
        return code;
    }
    *out = data;
    return 0;
}

static int read_storage(void *ctx, TorchStorage *s) {
    const Archive *a = ctx;
    const Record *r = find_record(a, "data/", s->key);
    if (!r)
        return err_set(ERR_FAIL, "%s: record data/%s is missing", a->name, s->key);
    if (r->size != s->count * s->size)
        return err_set(ERR_FAIL, "%s: record data/%s has %lld bytes, its %lld numbers need %lld",
                       a->name, s->key, (long long)r->size, (long long)s->count,
                       (long long)(s->count * s->size));
    int code = read_record(&s->owned, a, r);
    s->data = s->owned;
    return code;
}

static int check_byte_order(const Archive *a) {
    const Record *r = find_record(a, "", "byteorder");
    void *order = NULL;
    int code = r ? read_record(&order, a, r) : 0;
    if (order && strcmp(order, "little") != 0)
        code = err_set(ERR_FAIL,
                       "%s: written on a big-endian machine; save it again on a "
                       "little-endian one",
                       a->name);
    mem_free(order);
    return code;
}

static int parse_records(TorchPth *p, Archive *a, int64_t n) {
    void *pickle = NULL;
    if (find_record(a, "", "constants.pkl"))
        return err_set(ERR_FAIL, "%s: a TorchScript program; save the model's state_dict() instead",
                       a->name);
    const Record *r = find_record(a, "", "data.pkl");
    if (!r || r->size > MAX_PICKLE)
        return err_set(ERR_FAIL, "%s: data.pkl has more than %d MB", a->name, MAX_PICKLE >> 20);
    int code = check_byte_order(a);
    if (!code)
        code = read_record(&pickle, a, r);
    if (!code)
        code = pickle_parse(&p->pickle, a->name, pickle, r->size);
    mem_free(pickle);
    if (!code)
        code = torch_state_storages(&p->state, &p->pickle, a->name);
    if (!code)
        code =
            torch_state_tensors(&p->state, &p->pickle, a->name, read_storage, a, n + SPARE_COPIES);
    return code;
}

static int parse_zip(TorchPth *p, const char *name, const void *bytes, int64_t n) {
    Archive a = {.name = name};
    int code = open_zip(&a, bytes, n);
    if (!code)
        code = read_directory(&a, n);
    if (!code)
        code = find_root(&a);
    if (!code)
        code = parse_records(p, &a, n);
    if (a.zip)
        zip_discard(a.zip);
    mem_free(a.records);
    mem_free(a.root);
    return code;
}

/* ---- the old form: four pickles (magic, version, system, object), a fifth with the storages'
 * keys, then the count (int64) and the numbers of each key. */

/* The pickle of the magic number, protocol 2 (byte 1 may differ). */
static const uint8_t magic[] = {0x80, 2,    0x8a, 10,   0x6c, 0xfc, 0x9c, 0x46,
                                0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};

typedef struct {
    const char *name;
    const uint8_t *at, *end;
} Stream;

static int next_pickle(Pickle *out, Stream *s) {
    int code = pickle_parse(out, s->name, s->at, s->end - s->at);
    s->at += code ? 0 : out->used;
    return code;
}

static int check_system(Stream *s) {
    Pickle version = {0}, system = {0};
    int code = next_pickle(&version, s);
    if (!code && (version.root->type != PICKLE_INT || version.root->integer != 1001))
        code = err_set(ERR_FAIL, "%s: an unknown version of PyTorch's old format", s->name);
    if (!code)
        code = next_pickle(&system, s);
    const PickleValue *little = code ? NULL : pickle_get(system.root, "little_endian");
    if (!code && (!little || little->type != PICKLE_BOOL || !little->integer))
        code = err_set(ERR_FAIL,
                       "%s: written on a big-endian machine; save it again on a "
                       "little-endian one",
                       s->name);
    pickle_free(&version);
    pickle_free(&system);
    return code;
}

static int next_storage(TorchState *state, Stream *s, const PickleValue *key) {
    TorchStorage *storage = NULL;
    int64_t count, left = s->end - s->at - (int64_t)sizeof count;
    if (key->type == PICKLE_TEXT)
        storage = torch_state_storage(state, key->text);
    if (!storage || storage->data)
        return err_set(ERR_FAIL, "%s: lists a storage that no tensor has, or one twice", s->name);
    if (left < 0 || storage->count > left / storage->size)
        return err_set(ERR_FAIL,
                       "%s: truncated: storage %s needs %lld numbers, %lld bytes are left", s->name,
                       storage->key, (long long)storage->count, (long long)left);
    memcpy(&count, s->at, sizeof count);
    if (count != storage->count)
        return err_set(ERR_FAIL, "%s: storage %s has %lld numbers, its tensors expect %lld",
                       s->name, storage->key, (long long)count, (long long)storage->count);
    storage->data = s->at + sizeof count;
    s->at += (int64_t)sizeof count + count * storage->size;
    return 0;
}

static int missing_storage(void *ctx, TorchStorage *storage) {
    const Stream *s = ctx;
    return err_set(ERR_FAIL, "%s: storage %s is not in the file", s->name, storage->key);
}

static int parse_stream(TorchPth *p, const char *name, const uint8_t *bytes, int64_t n) {
    Stream s = {name, bytes + sizeof magic, bytes + n};
    Pickle keys = {0};
    int code = check_system(&s);
    if (!code)
        code = next_pickle(&p->pickle, &s);
    if (!code)
        code = next_pickle(&keys, &s);
    if (!code)
        code = torch_state_storages(&p->state, &p->pickle, name);
    const PickleItem *key = code ? NULL : keys.root->first;
    for (; key && !code; key = key->next)
        code = next_storage(&p->state, &s, key->value);
    pickle_free(&keys);
    if (!code)
        code =
            torch_state_tensors(&p->state, &p->pickle, name, missing_storage, &s, n + SPARE_COPIES);
    return code;
}

/* ---- */

static bool is_zip(const uint8_t *bytes, int64_t n) {
    return n >= 4 && memcmp(bytes, "PK\3\4", 4) == 0;
}

static bool is_stream(const uint8_t *bytes, int64_t n) {
    return n >= (int64_t)sizeof magic && bytes[0] == magic[0] &&
           memcmp(bytes + 2, magic + 2, sizeof magic - 2) == 0;
}

bool torch_pth_is(const void *bytes, int64_t n) {
    return is_zip(bytes, n) || is_stream(bytes, n);
}

int torch_pth_parse(TorchPth **out, const char *name, const void *bytes, int64_t n) {
    if (!torch_pth_is(bytes, n))
        return err_set(ERR_FAIL, "%s: not a file of torch.save", name);
    TorchPth *p = mem_alloc(1, sizeof *p);
    if (!p)
        return ERR_FAIL;
    int code = is_zip(bytes, n) ? parse_zip(p, name, bytes, n) : parse_stream(p, name, bytes, n);
    if (code) {
        torch_pth_free(&p);
        return code;
    }
    *out = p;
    return 0;
}

void torch_pth_free(TorchPth **pp) {
    TorchPth *p = pp ? *pp : NULL;
    if (!p)
        return;
    torch_state_free(&p->state);
    pickle_free(&p->pickle);
    mem_free(p);
    *pp = NULL;
}

int torch_pth_count(const TorchPth *p) {
    return p->state.count;
}

const SafeTensor *torch_pth_at(const TorchPth *p, int i) {
    return &p->state.tensors[i];
}
