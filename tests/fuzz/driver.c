/* Runs every file of the folders given through the target, so that the corpus is an ordinary test
 * with any compiler. */
#include <dirent.h>
#include <stdio.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "fuzz.h"

static int run_file(const char *path) {
    char *data;
    size_t size;
    if (file_read(path, 1 << 24, &data, &size)) {
        fprintf(stderr, "%s\n", err_text());
        return 1;
    }
    LLVMFuzzerTestOneInput((const uint8_t *)data, size);
    mem_free(data);
    return 0;
}

int main(int argc, char **argv) {
    int count = 0, failed = 0;
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        for (struct dirent *e; dir && (e = readdir(dir));) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name);
            if (e->d_name[0] != '.' && !file_is_folder(path)) {
                failed |= run_file(path);
                count++;
            }
        }
        if (dir)
            closedir(dir);
    }
    printf("%d inputs\n", count);
    return failed || count == 0;
}
