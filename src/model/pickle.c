#include "model/pickle.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

/* Bounds of all sizes that the bytes decide. */
enum {
    MAX_BYTES = 64 << 20,
    MAX_TREE = 256 << 20, /* bytes */
    MAX_STACK = 1 << 20,
    MAX_MEMO = 1 << 22,
    MAX_TEXT = 1 << 16, /* longer texts are skipped */
    MAX_NAME = 1 << 10, /* of a module or class */
    CHUNK = 1 << 17,
};

typedef struct PickleChunk {
    struct PickleChunk *next;
    int64_t used;
    int64_t data[CHUNK / sizeof(int64_t)];
} PickleChunk;

typedef struct {
    PickleValue **at;
    int64_t count, capacity;
} Values;

/* A pickle is a program for this stack machine. The first error is latched. After it every value
 * asked for is `spare`, so that instructions need no branches for errors. */
typedef struct {
    Pickle *out;
    const char *name;
    const uint8_t *begin, *at, *end;
    Values stack; /* NULL: a mark */
    Values memo;
    int64_t tree; /* bytes */
    PickleValue spare;
    int code;
} Machine;

__attribute__((format(printf, 2, 3))) static void refuse(Machine *m, const char *fmt, ...) {
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (!m->code)
        m->code = err_set(ERR_FAIL, "%s: the pickle, byte %lld: %s", m->name,
                          (long long)(m->at - m->begin), text);
}

/* ---- bytes. */

/* Reads the next n bytes; NULL after an error. */
static const uint8_t *take(Machine *m, uint64_t n) {
    if (m->code || n > (uint64_t)(m->end - m->at)) {
        refuse(m, "it is cut short, or longer than %d MB", MAX_BYTES >> 20);
        return NULL;
    }
    m->at += n;
    return m->at - n;
}

static uint64_t take_number(Machine *m, int bytes) {
    const uint8_t *p = take(m, (uint64_t)bytes);
    uint64_t x = 0;
    for (int i = 0; p && i < bytes; i++)
        x |= (uint64_t)p[i] << 8 * i;
    return x;
}

/* ---- memory. */

/* Allocates at most CHUNK bytes, zeroed; NULL after an error. */
static void *place(Machine *m, int64_t bytes) {
    PickleChunk *c = m->out->chunks;
    bytes = (bytes + 7) / 8 * 8;
    if (m->code)
        return NULL;
    if (!c || c->used + bytes > CHUNK) {
        m->tree += CHUNK;
        if (m->tree > MAX_TREE) {
            refuse(m, "it describes more than %d MB", MAX_TREE >> 20);
            return NULL;
        }
        c = mem_alloc(1, sizeof *c);
        if (!c) {
            m->code = ERR_FAIL;
            return NULL;
        }
        c->next = m->out->chunks;
        m->out->chunks = c;
    }
    void *p = c->data + c->used / 8;
    c->used += bytes;
    return p;
}

static PickleValue *make(Machine *m, PickleType type) {
    PickleValue *v = place(m, sizeof *v);
    if (!v)
        return &m->spare;
    v->type = type;
    v->text = "";
    return v;
}

static void reserve(Machine *m, Values *v, int64_t wanted, int64_t most, const char *what) {
    if (wanted <= v->capacity || m->code)
        return;
    if (wanted > most) {
        refuse(m, "%s %lld, at most %lld are read", what, (long long)wanted, (long long)most);
        return;
    }
    int64_t capacity = wanted < 512 ? 1024 : 2 * wanted < most ? 2 * wanted : most;
    PickleValue **p = mem_grow(v->at, (size_t)v->capacity, (size_t)capacity, sizeof *p);
    if (!p) {
        m->code = ERR_FAIL;
        return;
    }
    v->at = p;
    v->capacity = capacity;
}

/* ---- the stack. */

static void push(Machine *m, PickleValue *v) {
    reserve(m, &m->stack, m->stack.count + 1, MAX_STACK, "a stack of");
    if (!m->code)
        m->stack.at[m->stack.count++] = v;
}

static PickleValue *top(Machine *m) {
    if (!m->code && m->stack.count > 0 && m->stack.at[m->stack.count - 1])
        return m->stack.at[m->stack.count - 1];
    refuse(m, "a value is missing on the stack");
    return &m->spare;
}

static PickleValue *pop(Machine *m) {
    PickleValue *v = top(m);
    if (!m->code)
        m->stack.count--;
    return v;
}

/* The stack index after the last mark. */
static int64_t after_mark(Machine *m) {
    int64_t i = m->stack.count;
    while (i > 0 && m->stack.at[i - 1])
        i--;
    if (i == 0)
        refuse(m, "a mark is missing on the stack");
    return i;
}

/* The stack index of the last `count` values. */
static int64_t last_values(Machine *m, int count) {
    int64_t first = m->stack.count - count;
    for (int i = 0; i < count; i++)
        if (first < 0 || !m->stack.at[first + i])
            refuse(m, "a value is missing on the stack");
    return m->code ? 0 : first;
}

/* ---- values. */

static void add_item(Machine *m, PickleValue *to, PickleValue *key, PickleValue *value) {
    PickleItem *item = place(m, sizeof *item);
    if (!item)
        return;
    item->key = key;
    item->value = value;
    if (to->last)
        to->last->next = item;
    else
        to->first = item;
    to->last = item;
    to->count++;
}

static void push_integer(Machine *m, PickleType type, int64_t integer) {
    PickleValue *v = make(m, type);
    v->integer = integer;
    push(m, v);
}

/* Reads a two's complement number of any length. One of more than 64 bits is skipped. */
static void push_long(Machine *m, int bytes) {
    if (bytes > 8) {
        take(m, (uint64_t)bytes);
        push(m, make(m, PICKLE_OTHER));
        return;
    }
    uint64_t x = take_number(m, bytes);
    if (bytes > 0 && bytes < 8 && x >> (8 * bytes - 1))
        x |= ~(uint64_t)0 << 8 * bytes;
    push_integer(m, PICKLE_INT, (int64_t)x);
}

static void push_text(Machine *m, uint64_t length) {
    const uint8_t *p = take(m, length);
    PickleValue *v = make(m, length < MAX_TEXT ? PICKLE_TEXT : PICKLE_OTHER);
    char *text = length < MAX_TEXT ? place(m, (int64_t)length + 1) : NULL;
    if (p && text) {
        memcpy(text, p, length);
        v->text = text;
    }
    push(m, v);
}

static void push_bytes(Machine *m, uint64_t length) {
    take(m, length);
    push(m, make(m, PICKLE_OTHER));
}

/* Makes a tuple of the values from `first` to the top and puts it at `bottom`, the new top. */
static void push_tuple(Machine *m, int64_t bottom, int64_t first) {
    PickleValue *v = make(m, PICKLE_TUPLE);
    for (int64_t i = first; i < m->stack.count && !m->code; i++)
        add_item(m, v, NULL, m->stack.at[i]);
    if (!m->code)
        m->stack.count = bottom;
    push(m, v);
}

static void push_global(Machine *m, const char *module, size_t module_length, const char *name,
                        size_t name_length) {
    if (module_length > MAX_NAME || name_length > MAX_NAME) {
        refuse(m, "a name of more than %d letters", MAX_NAME);
        return;
    }
    PickleValue *v = make(m, PICKLE_GLOBAL);
    char *text = place(m, (int64_t)(module_length + name_length + 2));
    if (text) {
        memcpy(text, module, module_length);
        text[module_length] = '.';
        memcpy(text + module_length + 1, name, name_length);
        v->text = text;
    }
    push(m, v);
}

/* Reads "module\nname\n". */
static void read_global(Machine *m) {
    const char *line[2] = {"", ""};
    size_t length[2] = {0, 0};
    for (int i = 0; i < 2 && !m->code; i++) {
        line[i] = (const char *)m->at;
        const uint8_t *end = memchr(m->at, '\n', (size_t)(m->end - m->at));
        if (!end) {
            refuse(m, "it is cut short in a name");
            return;
        }
        length[i] = (size_t)(end - m->at);
        m->at = end + 1;
    }
    push_global(m, line[0], length[0], line[1], length[1]);
}

static void stack_global(Machine *m) {
    const PickleValue *name = pop(m), *module = pop(m);
    if (!m->code && (name->type != PICKLE_TEXT || module->type != PICKLE_TEXT))
        refuse(m, "a class whose name is no text");
    if (!m->code)
        push_global(m, module->text, strlen(module->text), name->text, strlen(name->text));
}

/* REDUCE and NEWOBJ: records the call that the file asks for; nothing is called. */
static void call(Machine *m) {
    PickleValue *args = pop(m), *function = pop(m), *v = make(m, PICKLE_CALL);
    v->args = args;
    if (function->type == PICKLE_GLOBAL)
        v->text = function->text;
    push(m, v);
}

/* BUILD would give an object its state; nothing here needs it. */
static void build(Machine *m) {
    pop(m);
    if (top(m)->type != PICKLE_CALL)
        refuse(m, "a state for what is no object");
}

/* The values from `first` to the top become items of the one at `target`, the new top. */
static void add_items(Machine *m, bool pairs, int64_t target, int64_t first) {
    PickleValue *to = target >= 0 ? m->stack.at[target] : NULL;
    if (!to || (to->type != PICKLE_CALL && to->type != (pairs ? PICKLE_DICT : PICKLE_LIST)))
        refuse(m, "an item for what takes none");
    else if (pairs && (m->stack.count - first) % 2)
        refuse(m, "a key without a value");
    for (int64_t i = first; i < m->stack.count && !m->code; i += 1 + pairs)
        add_item(m, to, pairs ? m->stack.at[i] : NULL, m->stack.at[i + pairs]);
    if (!m->code)
        m->stack.count = target + 1;
}

static void push_persistent(Machine *m) {
    PickleValue *id = pop(m), *v = make(m, PICKLE_PERSISTENT);
    v->args = id;
    v->sister = m->out->persistent;
    m->out->persistent = v;
    push(m, v);
}

static void put(Machine *m, int64_t index) {
    PickleValue *v = top(m);
    reserve(m, &m->memo, index + 1, MAX_MEMO, "a memo of");
    if (!m->code)
        m->memo.at[index] = v;
}

static void get(Machine *m, int64_t index) {
    if (index >= m->memo.capacity || !m->memo.at[index])
        refuse(m, "nothing was stored as %lld", (long long)index);
    else
        push(m, m->memo.at[index]);
}

static void stop(Machine *m) {
    const PickleValue *root = pop(m);
    if (!m->code && m->stack.count > 0)
        refuse(m, "it ends with more than one value");
    if (!m->code)
        m->out->root = root;
}

/* Runs one instruction; the names are those of Python's pickle module. */
static void step(Machine *m, uint8_t op) {
    int64_t first;
    switch (op) {
    case 0x80: /* PROTO */
        if (take_number(m, 1) > 5)
            refuse(m, "an unknown protocol");
        break;
    case 0x95: /* FRAME */
        take(m, 8);
        break;
    case '.': /* STOP */
        stop(m);
        break;
    case '(': /* MARK */
        push(m, NULL);
        break;
    case 'N': /* NONE */
        push(m, make(m, PICKLE_NONE));
        break;
    case 0x88: /* NEWTRUE */
    case 0x89: /* NEWFALSE */
        push_integer(m, PICKLE_BOOL, op == 0x88);
        break;
    case 'J': /* BININT */
        push_integer(m, PICKLE_INT, (int32_t)take_number(m, 4));
        break;
    case 'K': /* BININT1 */
        push_integer(m, PICKLE_INT, (int64_t)take_number(m, 1));
        break;
    case 'M': /* BININT2 */
        push_integer(m, PICKLE_INT, (int64_t)take_number(m, 2));
        break;
    case 0x8a: /* LONG1 */
        push_long(m, (int)take_number(m, 1));
        break;
    case 'G': /* BINFLOAT */
        push_bytes(m, 8);
        break;
    case 'X': /* BINUNICODE */
        push_text(m, take_number(m, 4));
        break;
    case 0x8c: /* SHORT_BINUNICODE */
    case 'U':  /* SHORT_BINSTRING */
        push_text(m, take_number(m, 1));
        break;
    case 'B': /* BINBYTES */
        push_bytes(m, take_number(m, 4));
        break;
    case 'C': /* SHORT_BINBYTES */
        push_bytes(m, take_number(m, 1));
        break;
    case ')': /* EMPTY_TUPLE */
        push(m, make(m, PICKLE_TUPLE));
        break;
    case ']':  /* EMPTY_LIST */
    case 0x8f: /* EMPTY_SET */
        push(m, make(m, PICKLE_LIST));
        break;
    case '}': /* EMPTY_DICT */
        push(m, make(m, PICKLE_DICT));
        break;
    case 't': /* TUPLE */
        first = after_mark(m);
        push_tuple(m, first - 1, first);
        break;
    case 0x85: /* TUPLE1 */
    case 0x86: /* TUPLE2 */
    case 0x87: /* TUPLE3 */
        first = last_values(m, op - 0x85 + 1);
        push_tuple(m, first, first);
        break;
    case 'a': /* APPEND */
        first = last_values(m, 1);
        add_items(m, false, first - 1, first);
        break;
    case 'e': /* APPENDS */
        first = after_mark(m);
        add_items(m, false, first - 2, first);
        break;
    case 's': /* SETITEM */
        first = last_values(m, 2);
        add_items(m, true, first - 1, first);
        break;
    case 'u': /* SETITEMS */
        first = after_mark(m);
        add_items(m, true, first - 2, first);
        break;
    case 'c': /* GLOBAL */
        read_global(m);
        break;
    case 0x93: /* STACK_GLOBAL */
        stack_global(m);
        break;
    case 0x81: /* NEWOBJ */
    case 'R':  /* REDUCE */
        call(m);
        break;
    case 'b': /* BUILD */
        build(m);
        break;
    case 'Q': /* BINPERSID */
        push_persistent(m);
        break;
    case 'h': /* BINGET */
        get(m, (int64_t)take_number(m, 1));
        break;
    case 'j': /* LONG_BINGET */
        get(m, (int64_t)take_number(m, 4));
        break;
    case 'q': /* BINPUT */
        put(m, (int64_t)take_number(m, 1));
        break;
    case 'r': /* LONG_BINPUT */
        put(m, (int64_t)take_number(m, 4));
        break;
    case 0x94: /* MEMOIZE */
        put(m, m->memo.count++);
        break;
    default:
        refuse(m, "instruction 0x%02x is none of those that weights need", op);
    }
}

int pickle_parse(Pickle *out, const char *name, const void *bytes, int64_t n) {
    Machine m = {.out = out, .name = name, .begin = bytes, .at = bytes};
    m.end = m.begin + (n < MAX_BYTES ? n : MAX_BYTES);
    *out = (Pickle){0};
    while (!m.code && !out->root) {
        const uint8_t *op = take(&m, 1);
        if (op)
            step(&m, *op);
    }
    out->used = m.at - m.begin;
    mem_free(m.stack.at);
    mem_free(m.memo.at);
    if (m.code)
        pickle_free(out);
    return m.code;
}

void pickle_free(Pickle *p) {
    while (p->chunks) {
        PickleChunk *next = p->chunks->next;
        mem_free(p->chunks);
        p->chunks = next;
    }
    *p = (Pickle){0};
}

const PickleValue *pickle_at(const PickleValue *v, int64_t i) {
    const PickleItem *item = v && i < v->count ? v->first : NULL;
    while (item && i-- > 0)
        item = item->next;
    return item ? item->value : NULL;
}

const PickleValue *pickle_get(const PickleValue *v, const char *key) {
    const PickleValue *found = NULL; /* the last of that name counts */
    for (const PickleItem *item = v ? v->first : NULL; item; item = item->next)
        if (item->key && item->key->type == PICKLE_TEXT && strcmp(item->key->text, key) == 0)
            found = item->value;
    return found;
}
