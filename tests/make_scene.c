/* make_scene FOLDER: a small data set for the tests that run the program itself. */
#include <stdio.h>

#include "base/err.h"
#include "data/demo_scene.h"

int main(int argc, char **argv) {
    DemoScene scene = {7, 64, 48, 3, 12, 5, 20};
    if (argc != 2 || demo_scene_write(&scene, argv[1])) {
        fprintf(stderr, "make_scene: %s\n", argc == 2 ? err_text() : "expected a folder");
        return 1;
    }
    return 0;
}
