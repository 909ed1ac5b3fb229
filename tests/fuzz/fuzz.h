/* A fuzz target: fuzz_NAME.c defines it, libFuzzer or driver.c calls it. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Must neither crash nor leak, whatever the bytes. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
