#include "model/torch_state.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

static const struct {
    const char *name;
    SafeType type;
    int size;
} types[] = {
    {"torch.FloatStorage", SAFE_F32, 4},
    {"torch.DoubleStorage", SAFE_F64, 8},
    {"torch.HalfStorage", SAFE_F16, 2},
    {"torch.BFloat16Storage", SAFE_BF16, 2},
    {"torch.LongStorage", SAFE_I64, 8},
    {"torch.IntStorage", SAFE_OTHER, 4},
    {"torch.ShortStorage", SAFE_OTHER, 2},
    {"torch.CharStorage", SAFE_OTHER, 1},
    {"torch.ByteStorage", SAFE_OTHER, 1},
    {"torch.BoolStorage", SAFE_OTHER, 1},
    {"torch.storage.UntypedStorage", SAFE_OTHER, 1},
};

/* ---- storages. */

static bool is_a(const PickleValue *v, PickleType type) {
    return v && v->type == type;
}

/* The id is ("storage", type, key, location, count[, view of another]). */
static int read_storage(TorchStorage *s, const PickleValue *id, const char *name) {
    const PickleValue *kind = pickle_at(id, 0), *type = pickle_at(id, 1), *key = pickle_at(id, 2);
    const PickleValue *count = pickle_at(id, 4), *view = pickle_at(id, 5);
    if (!is_a(id, PICKLE_TUPLE) || !is_a(kind, PICKLE_TEXT) || strcmp(kind->text, "storage") != 0)
        return err_set(ERR_FAIL,
                       "%s: refers to something that is no tensor's storage; save the state_dict() "
                       "instead of the model",
                       name);
    if (!is_a(type, PICKLE_GLOBAL) || !is_a(key, PICKLE_TEXT) || !is_a(count, PICKLE_INT))
        return err_set(ERR_FAIL, "%s: a storage has no type, key and count", name);
    if (view && view->type != PICKLE_NONE)
        return err_set(ERR_FAIL,
                       "%s: storage %s is part of another, as old versions of PyTorch "
                       "wrote it; save it again with a newer one",
                       name, key->text);
    s->key = key->text;
    s->count = count->integer;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(type->text, types[i].name) == 0) {
            s->type = types[i].type;
            s->size = types[i].size;
        }
    if (s->size == 0)
        return err_set(ERR_FAIL, "%s: storage %s has the unknown type %s", name, s->key,
                       type->text);
    int64_t bytes;
    if (s->count < 0 || __builtin_mul_overflow(s->count, s->size, &bytes))
        return err_set(ERR_FAIL, "%s: storage %s has the impossible count %lld", name, s->key,
                       (long long)s->count);
    return 0;
}

static int by_key(const void *a, const void *b) {
    return strcmp(((const TorchStorage *)a)->key, ((const TorchStorage *)b)->key);
}

int torch_state_storages(TorchState *s, const Pickle *pickle, const char *name) {
    int count = 0, code = 0;
    for (const PickleValue *v = pickle->persistent; v; v = v->sister)
        count++;
    s->storages = mem_alloc((size_t)count, sizeof *s->storages);
    if (!s->storages)
        return ERR_FAIL;
    for (const PickleValue *v = pickle->persistent; v && !code; v = v->sister)
        code = read_storage(&s->storages[s->storage_count++], v->args, name);
    if (code)
        return code;
    qsort(s->storages, (size_t)count, sizeof *s->storages, by_key);
    int kept = 0; /* each tensor of a shared storage names it */
    for (int i = 0; i < count; i++) {
        const TorchStorage *last = kept > 0 ? &s->storages[kept - 1] : NULL, *at = &s->storages[i];
        if (!last || strcmp(last->key, at->key) != 0)
            s->storages[kept++] = *at;
        else if (last->type != at->type || last->size != at->size || last->count != at->count)
            return err_set(ERR_FAIL, "%s: storage %s is described in two ways", name, at->key);
    }
    s->storage_count = kept;
    return 0;
}

TorchStorage *torch_state_storage(const TorchState *s, const char *key) {
    const TorchStorage wanted = {.key = key};
    return bsearch(&wanted, s->storages, (size_t)s->storage_count, sizeof wanted, by_key);
}

/* ---- tensors. */

typedef struct {
    TorchState *state;
    const char *name;
    TorchRead read;
    void *ctx;
    int64_t limit; /* bytes left for copies */
} Reader;

static bool is_call(const PickleValue *v, const char *function) {
    return is_a(v, PICKLE_CALL) && strcmp(v->text, function) == 0;
}

/* The arguments of the function that makes a tensor: storage, offset, sizes, strides, ... NULL if
 * the value is not a tensor. */
static const PickleValue *tensor_args(const PickleValue *v) {
    if (is_call(v, "torch._utils._rebuild_parameter"))
        v = pickle_at(v->args, 0);
    bool tensor =
        is_call(v, "torch._utils._rebuild_tensor_v2") || is_call(v, "torch._utils._rebuild_tensor");
    return tensor ? v->args : NULL;
}

static bool is_contiguous(const SafeTensor *t, const int64_t *stride) {
    int64_t expected = 1;
    for (int d = t->rank - 1; d >= 0; d--) {
        if (t->shape[d] != 1 && stride[d] != expected)
            return false;
        expected *= t->shape[d];
    }
    return true;
}

/* Reads sizes and strides. *extent is the distance from the first number to the last, inclusive. */
static int read_shape(SafeTensor *t, int64_t *stride, int64_t *extent, const PickleValue *args,
                      const char *name) {
    const PickleValue *sizes = pickle_at(args, 2), *strides = pickle_at(args, 3);
    if (!is_a(sizes, PICKLE_TUPLE) || !is_a(strides, PICKLE_TUPLE) ||
        sizes->count != strides->count || sizes->count > SAFE_MAX_RANK)
        return err_set(ERR_FAIL, "%s: tensor %s has no sizes and strides of at most %d dimensions",
                       name, t->name, SAFE_MAX_RANK);
    t->rank = (int)sizes->count;
    t->count = *extent = 1;
    bool possible = true;
    for (int d = 0; d < t->rank && possible; d++) {
        const PickleValue *size = pickle_at(sizes, d), *step = pickle_at(strides, d);
        int64_t reach = 0;
        possible = size->type == PICKLE_INT && step->type == PICKLE_INT && size->integer >= 0 &&
                   step->integer >= 0;
        if (!possible)
            break;
        t->shape[d] = size->integer;
        stride[d] = size->integer > 1 ? step->integer : 0; /* a size of 1 takes no step */
        possible = !__builtin_mul_overflow(t->count, t->shape[d], &t->count) &&
                   !__builtin_mul_overflow(stride[d], size->integer - 1, &reach) &&
                   !__builtin_add_overflow(*extent, reach, extent);
    }
    if (!possible)
        return err_set(ERR_FAIL, "%s: tensor %s has impossible sizes or strides", name, t->name);
    return 0;
}

static void copy_strided(uint8_t *out, const uint8_t *from, const SafeTensor *t,
                         const int64_t *stride, size_t size) {
    int64_t at[SAFE_MAX_RANK] = {0}, place = 0;
    for (int64_t i = 0; i < t->count; i++) {
        memcpy(out + (size_t)i * size, from + (size_t)place * size, size);
        for (int d = t->rank - 1; d >= 0; d--) {
            place += stride[d];
            if (++at[d] < t->shape[d])
                break;
            place -= stride[d] * t->shape[d];
            at[d] = 0;
        }
    }
}

static int read_data(Reader *r, SafeTensor *t, void **copy, TorchStorage *s, int64_t offset,
                     const int64_t *stride) {
    int code = s->data ? 0 : r->read(r->ctx, s);
    if (code)
        return code;
    const uint8_t *from = (const uint8_t *)s->data + offset * s->size;
    t->data = from;
    if (is_contiguous(t, stride))
        return 0;
    r->limit -= t->bytes;
    if (r->limit < 0)
        return err_set(ERR_FAIL, "%s: tensor %s and others are views much larger than the file",
                       r->name, t->name);
    *copy = mem_alloc((size_t)t->bytes, 1);
    if (!*copy)
        return ERR_FAIL;
    copy_strided(*copy, from, t, stride, (size_t)s->size);
    t->data = *copy;
    return 0;
}

static int read_tensor(Reader *r, SafeTensor *t, void **copy, const PickleValue *args) {
    const PickleValue *where = pickle_at(args, 0), *offset = pickle_at(args, 1);
    int64_t stride[SAFE_MAX_RANK] = {0}, extent = 0, end = 0;
    if (!is_a(where, PICKLE_PERSISTENT) || !is_a(offset, PICKLE_INT) || offset->integer < 0)
        return err_set(ERR_FAIL, "%s: tensor %s has no storage and offset", r->name, t->name);
    int code = read_shape(t, stride, &extent, args, r->name);
    if (code)
        return code;
    TorchStorage *s = torch_state_storage(r->state, pickle_at(where->args, 2)->text);
    t->type = s->type;
    t->data = "";
    if (t->count == 0)
        return 0;
    if (__builtin_add_overflow(offset->integer, extent, &end) || end > s->count)
        return err_set(ERR_FAIL, "%s: tensor %s reaches behind the %lld numbers of its storage",
                       r->name, t->name, (long long)s->count);
    if (__builtin_mul_overflow(t->count, s->size, &t->bytes))
        return err_set(ERR_FAIL, "%s: tensor %s has impossible sizes", r->name, t->name);
    return read_data(r, t, copy, s, offset->integer, stride);
}

/* ---- the state dict. */

static bool is_dict(const PickleValue *v) {
    return is_a(v, PICKLE_DICT) || is_call(v, "collections.OrderedDict");
}

/* Programs wrap the state dict in dicts of their own, often in more than one. The search has a
 * maximal depth, since a pickle may contain itself. */
static const PickleValue *find_dict(const PickleValue *root) {
    static const char *const keys[] = {"model", "state_dict", "model_state", "module"};
    enum { KEYS = sizeof keys / sizeof *keys, MAX_DEPTH = 8 };
    for (int depth = 0; depth < MAX_DEPTH && is_dict(root); depth++) {
        int i = 0;
        while (i < KEYS && !is_dict(pickle_get(root, keys[i])))
            i++;
        if (i == KEYS)
            return root;
        root = pickle_get(root, keys[i]);
    }
    return NULL;
}

static bool is_tensor(const PickleItem *item) {
    return is_a(item->key, PICKLE_TEXT) && tensor_args(item->value);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_names(const TorchState *s, const char *name) {
    const char **names = mem_alloc((size_t)s->count, sizeof *names);
    int code = names ? 0 : ERR_FAIL;
    for (int i = 0; i < s->count && !code; i++)
        names[i] = s->tensors[i].name;
    if (!code)
        qsort(names, (size_t)s->count, sizeof *names, by_name);
    for (int i = 1; i < s->count && !code; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            code = err_set(ERR_FAIL, "%s: there are two tensors %s", name, names[i]);
    mem_free(names);
    return code;
}

int torch_state_tensors(TorchState *s, const Pickle *pickle, const char *name, TorchRead read,
                        void *ctx, int64_t limit) {
    Reader r = {s, name, read, ctx, limit};
    const PickleValue *dict = find_dict(pickle->root);
    int count = 0, code = 0;
    for (const PickleItem *item = dict ? dict->first : NULL; item; item = item->next)
        count += is_tensor(item);
    if (count == 0)
        return err_set(ERR_FAIL,
                       "%s: no state dict: expected tensors by name, in the file's dictionary or "
                       "under model, state_dict, model_state or module of it; save the model's "
                       "state_dict()",
                       name);
    s->tensors = mem_alloc((size_t)count, sizeof *s->tensors);
    s->copies = mem_alloc((size_t)count, sizeof *s->copies);
    if (!s->tensors || !s->copies)
        return ERR_FAIL;
    for (const PickleItem *item = dict->first; item && !code; item = item->next)
        if (is_tensor(item)) {
            SafeTensor *t = &s->tensors[s->count];
            t->name = item->key->text;
            code = safetensors_check_name(t->name, name);
            if (!code)
                code = read_tensor(&r, t, &s->copies[s->count++], tensor_args(item->value));
        }
    return code ? code : check_names(s, name);
}

void torch_state_free(TorchState *s) {
    for (int i = 0; i < s->count; i++)
        mem_free(s->copies[i]);
    for (int i = 0; i < s->storage_count; i++)
        mem_free(s->storages[i].owned);
    mem_free(s->storages);
    mem_free(s->tensors);
    mem_free(s->copies);
    *s = (TorchState){0};
}
