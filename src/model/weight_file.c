#include "model/weight_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/torch_pth.h"

struct WeightFile {
    void *map;
    size_t bytes;
    Safetensors *safetensors; /* one of the two is NULL */
    TorchPth *torch;
};

static int map_file(WeightFile *f, const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    int code = 0;
    if (fd < 0 || fstat(fd, &st))
        code = err_sys(ERR_FAIL, "cannot read %s", path);
    else if (!S_ISREG(st.st_mode) || st.st_size == 0)
        code = err_set(ERR_FAIL, "%s: expected a .pth or .safetensors file of weights, this is %s",
                       path,
                       S_ISREG(st.st_mode)   ? "empty"
                       : S_ISDIR(st.st_mode) ? "a folder"
                                             : "no regular file");
    if (!code) {
        void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED)
            code = err_sys(ERR_FAIL, "cannot read %s", path);
        else
            *f = (WeightFile){.map = map, .bytes = (size_t)st.st_size};
    }
    if (fd >= 0)
        close(fd);
    return code;
}

static int parse(WeightFile *f, const char *path) {
    const char *bytes = f->map;
    int64_t n = (int64_t)f->bytes;
    if (torch_pth_is(bytes, n))
        return torch_pth_parse(&f->torch, path, bytes, n);
    if (n > 8 && bytes[8] == '{')
        return safetensors_parse(&f->safetensors, path, bytes, n);
    char begin[33]; /* shows a web page, or a pointer file of Git LFS */
    snprintf(begin, sizeof begin, "%.*s", (int)(n < 32 ? n : 32), bytes);
    for (char *c = begin; *c; c++)
        *c = *c >= ' ' && *c <= '~' ? *c : '.';
    return err_set(ERR_FAIL,
                   "%s: neither safetensors nor a file of torch.save (.pth, .pt, .bin): it begins "
                   "with \"%s\"; was it downloaded whole?",
                   path, begin);
}

int weight_file_open(WeightFile **out, const char *path) {
    WeightFile *f = mem_alloc(1, sizeof *f);
    if (!f)
        return ERR_FAIL;
    int code = map_file(f, path);
    if (!code)
        code = parse(f, path);
    if (code) {
        weight_file_free(&f);
        return code;
    }
    *out = f;
    return 0;
}

void weight_file_free(WeightFile **pf) {
    WeightFile *f = pf ? *pf : NULL;
    if (!f)
        return;
    safetensors_free(&f->safetensors);
    torch_pth_free(&f->torch);
    if (f->map)
        munmap(f->map, f->bytes);
    mem_free(f);
    *pf = NULL;
}

const char *weight_file_format(const WeightFile *f) {
    return f->torch ? "torch.save" : "safetensors";
}

int weight_file_count(const WeightFile *f) {
    return f->torch ? torch_pth_count(f->torch) : safetensors_count(f->safetensors);
}

const SafeTensor *weight_file_at(const WeightFile *f, int i) {
    return f->torch ? torch_pth_at(f->torch, i) : safetensors_at(f->safetensors, i);
}

const SafeTensor *weight_file_find(const WeightFile *f, const char *name) {
    for (int i = 0; i < weight_file_count(f); i++)
        if (strcmp(weight_file_at(f, i)->name, name) == 0)
            return weight_file_at(f, i);
    return NULL;
}

const char *weight_file_metadata(const WeightFile *f, const char *key) {
    return f->safetensors ? safetensors_metadata(f->safetensors, key) : NULL;
}
