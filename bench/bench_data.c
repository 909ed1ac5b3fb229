/* bench_data FOLDER: the generated scene in the size of real footage, to train on and to score. */
#include <stdio.h>

#include "base/err.h"
#include "data/demo_scene.h"

int main(int argc, char **argv) {
    DemoScene scene = {7, 360, 240, 2, 60, 1, 12};
    if (argc != 2 || demo_scene_write(&scene, argv[1])) {
        fprintf(stderr, "bench_data: %s\n", argc == 2 ? err_text() : "expected a folder");
        return 1;
    }
    return 0;
}
