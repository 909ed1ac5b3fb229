/* Names and shapes of made-up weight files: wrappers that are seen through, and files that hold no
 * network of ours, or no weights at all. */
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
#include "model/import.h"
#include "model/safetensors.h"

static void expect_network_refused(const char *path, const char *what) {
    VitConfig c;
    ImportReport r;
    const char *to = fixture_path("never.safetensors");
    assert_int_equal(import_network(&c, path), ERR_FAIL);
    if (!strstr(err_text(), what) || !strstr(err_text(), path))
        fail_msg("\"%s\" does not say \"%s\"", err_text(), what);
    assert_int_equal(import_weights(path, to, &r), ERR_FAIL);
    assert_false(file_exists(to));
    import_report_free(&r);
}

typedef struct {
    const char *name;
    int rank;
    int64_t shape[4];
} Entry;

/* `network`: settings of a file of ours, or NULL. */
static void write_file(const char *path, const char *network, const Entry *entries, int count) {
    static const float zeros[1 << 16];
    SafeWriter *w = NULL;
    assert_int_equal(safe_writer_open(&w), 0);
    if (network)
        safe_writer_metadata(w, "network", network);
    for (int i = 0; i < count; i++)
        safe_writer_add(w, entries[i].name, entries[i].rank, entries[i].shape, zeros);
    assert_int_equal(safe_writer_save(&w, path), 0);
}

static void write_zeros(const char *path, const Entry *entries, int count) {
    write_file(path, NULL, entries, count);
}

static void test_no_network_of_ours(void **state) {
    (void)state;
    const char *path = fixture_path("other.safetensors");
    Entry e[] = {{"layer1.0.conv1.weight", 1, {4}}};
    write_zeros(path, e, 1);
    expect_network_refused(path, "found 1 tensors, the first layer1.0.conv1.weight");
    write_zeros(path, e, 0);
    expect_network_refused(path, "found 0 tensors, the first none");
    Entry vit[] = {{"blocks.0.attn.qkv.weight", 2, {48, 16}},
                   {"patch_embed.proj.weight", 4, {16, 3, 4, 4}},
                   {"pos_embed", 3, {1, 17, 16}}};
    write_zeros(path, vit, 1);
    expect_network_refused(path, "expected a tensor patch_embed.proj.weight");
    write_zeros(path, vit, 2);
    expect_network_refused(path, "no table of positions");
    vit[2].shape[1] = 16;
    write_zeros(path, vit, 3);
    expect_network_refused(path, "not those of a square grid and cls: encoder.pos_embed "
                                 "has shape (1, 16, 16)");
    vit[2].shape[1] = 17;
    vit[1].shape[0] = 12;
    write_zeros(path, vit, 3);
    expect_network_refused(path, "width 12 is not a multiple of 8");
    vit[1] = (Entry){"patch_embed.proj.weight", 4, {16, 3, 1, 1}};
    write_zeros(path, vit, 3);
    expect_network_refused(path, "its image is 4, expected 8 to 4096");
    vit[1] = (Entry){"patch_embed.proj.weight", 4, {16, 3, 4, 4}};
    vit[0].name = "blocks.0.attn.qkv.weight";
    Entry deep[] = {vit[0], vit[1], vit[2], {"blocks.99999999999999999999.norm1.bias", 1, {16}}};
    write_zeros(path, deep, 4);
    expect_network_refused(path, "its depth is 1000, expected 0 to 64");
}

/* Wrappers go in any order, and parts may be wrapped too; what then is called the same is not
 * guessed at. */
static void test_names(void **state) {
    (void)state;
    const char *path = fixture_path("wrapped.safetensors");
    Entry e[] = {{"module._orig_mod.model.blocks.0._orig_mod.attn.qkv.weight", 2, {48, 16}},
                 {"_orig_mod.module.patch_embed.proj.weight", 4, {16, 3, 4, 4}},
                 {"state_dict.pos_embed", 3, {1, 17, 16}},
                 {"blocks.0.ls2.gamma", 1, {16}},
                 {"model.blocks.0.gamma_2", 1, {16}}};
    write_zeros(path, e, 5);
    expect_network_refused(path, "two tensors for encoder.blocks.0.gamma_2: ");
    e[4].name = "model.blocks.0.ls1.gamma";
    write_zeros(path, e, 5);
    VitConfig c;
    ImportReport r;
    assert_int_equal(import_network(&c, path), 0);
    assert_true(c.layer_scale > 0);
    assert_int_equal(import_weights(path, fixture_path("w.safetensors"), &r), 0);
    assert_int_equal(r.unexpected.count, 0);
    assert_int_equal(r.matched.count, 5);
    import_report_free(&r);
}

/* A tensor that would change the result cannot be left out. */
static void test_other_transformers(void **state) {
    (void)state;
    static const char *const names[] = {"norm_pre.weight", "reg_token",
                                        "blocks.0.attn.q_norm.weight", "blocks.0.mlp.fc1_g.weight"};
    const char *path = fixture_path("parts.safetensors");
    for (int i = 0; i < 4; i++) {
        Entry e[] = {{"blocks.0.attn.qkv.weight", 2, {48, 16}},
                     {"patch_embed.proj.weight", 4, {16, 3, 4, 4}},
                     {"pos_embed", 3, {1, 17, 16}},
                     {names[i], 1, {16}}};
        write_zeros(path, e, 4);
        expect_network_refused(path, names[i]);
        expect_network_refused(path, "part of another transformer");
    }
}

static void test_no_weights_at_all(void **state) {
    (void)state;
    const char *path = fixture_path("page.pth");
    fixture_text(path, "<!DOCTYPE html>\n<html>");
    expect_network_refused(path, "it begins with \"<!DOCTYPE html>.<html>\"");
    path = fixture_path("empty.pth");
    fixture_text(path, "");
    expect_network_refused(path, "this is empty");
    path = fixture_path("folder");
    fixture_text(fixture_path("folder/notes.txt"), "");
    expect_network_refused(path, "a folder without checkpoint.safetensors");
}

/* A network whose hidden layers have another width than ours: told as such, nothing written. */
static void test_misshaped(void **state) {
    (void)state;
    const char *path = fixture_path("narrow.safetensors"), *to = fixture_path("none.safetensors");
    const Entry e[] = {{"blocks.0.attn.qkv.weight", 2, {48, 16}},
                       {"patch_embed.proj.weight", 4, {16, 3, 4, 4}},
                       {"pos_embed", 3, {1, 17, 16}},
                       {"blocks.0.mlp.fc1.weight", 2, {32, 16}}};
    write_zeros(path, e, 4);
    ImportReport r;
    assert_int_equal(import_weights(path, to, &r), ERR_FAIL);
    assert_non_null(strstr(err_text(), "fc1.weight has shape (32, 16), expected (64, 16)"));
    assert_int_equal(r.misshaped.count, 1);
    assert_int_equal(r.matched.count, 3);
    assert_false(file_exists(to));
    import_report_free(&r);
}

static void expect_init_refused(const VitConfig *c, const char *path, const char *what) {
    Backend *be = NULL;
    Vit *v = NULL;
    ImportReport r;
    assert_int_equal(backend_open(&be, "ref", 1, "f32"), 0);
    assert_int_equal(vit_open(&v, be, c, 1, true), 0);
    assert_int_equal(import_init(v, path, &r), ERR_FAIL);
    if (!strstr(err_text(), what))
        fail_msg("\"%s\" does not say \"%s\"", err_text(), what);
    import_report_free(&r);
    vit_free(&v);
    backend_free(&be);
}

/* Only what the file's own network has is widened, not whatever number divides ours, or is 0. */
static void test_not_widened(void **state) {
    (void)state;
    const char *path = fixture_path("inputs.safetensors"), *to = fixture_path("none.safetensors");
    for (int64_t inputs = 0; inputs <= 8; inputs += 8) {
        const Entry e[] = {{"encoder.blocks.0.attn.qkv.weight", 2, {48, 16}},
                           {"encoder.patch_embed.proj.weight", 4, {16, 3, 4, 4}},
                           {"encoder.rel_pos_bias.relative_position_bias_table", 2, {52, 1}},
                           {"decoder.0.weight", 4, {48, inputs, 1, 1}}};
        char what[96];
        write_zeros(path, e, 4);
        ImportReport r;
        snprintf(what, sizeof what, "decoder.0.weight has shape (48, %d, 1, 1), expected (48, 16,",
                 (int)inputs);
        assert_int_equal(import_weights(path, to, &r), ERR_FAIL);
        if (!strstr(err_text(), what))
            fail_msg("\"%s\" does not say \"%s\"", err_text(), what);
        assert_false(file_exists(to));
        import_report_free(&r);
        VitConfig c;
        assert_int_equal(import_network(&c, path), 0);
        c.memory = MEMORY_MNAD;
        snprintf(what, sizeof what, "has shape (48, %d, 1, 1), expected (48, 32,", (int)inputs);
        expect_init_refused(&c, path, what);
    }
    const Entry e[] = {{"encoder.blocks.0.attn.qkv.weight", 2, {48, 16}},
                       {"encoder.patch_embed.proj.weight", 4, {16, 3, 4, 4}}};
    write_file(
        path,
        "{\"image\":\"16\",\"patch\":\"4\",\"frames\":\"2\",\"width\":\"16\",\"depth\":\"1\","
        "\"heads\":\"1\"}",
        e, 2);
    VitConfig c;
    if (import_network(&c, path))
        fail_msg("%s", err_text());
    c.frames = 4;
    expect_init_refused(&c, path, "has shape (16, 3, 4, 4), expected (16, 12, 4, 4)");
}

/* No shape tells the heads of a network without tables: widths of published ones do, for others
 * the report says that it is a guess. */
static void test_heads(void **state) {
    (void)state;
    static const struct {
        int64_t width, heads;
        bool guessed;
    } nets[] = {{192, 3, false},   {384, 6, false},   {768, 12, false},
                {1024, 16, false}, {1280, 16, false}, {1408, 22, true},
                {64, 1, true},     {16, 1, true},     {128, 2, true}};
    const char *path = fixture_path("heads.safetensors");
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        const Entry e[] = {{"blocks.0.attn.qkv.weight", 1, {1}},
                           {"patch_embed.proj.weight", 4, {nets[i].width, 3, 2, 2}},
                           {"pos_embed", 3, {1, 17, nets[i].width}}};
        ImportReport r;
        write_zeros(path, e, 3);
        import_weights(path, fixture_path("none.safetensors"), &r); /* refuses the first weight */
        if (r.network.heads != nets[i].heads || r.heads_guessed != nets[i].guessed)
            fail_msg("width %d has %d heads%s", (int)nets[i].width, (int)r.network.heads,
                     r.heads_guessed ? ", a guess" : "");
        import_report_free(&r);
    }
    Entry e[] = {{"blocks.0.attn.qkv.weight", 1, {1}},
                 {"patch_embed.proj.weight", 4, {80, 3, 2, 2}},
                 {"pos_embed", 3, {1, 17, 80}}};
    write_zeros(path, e, 3);
    expect_network_refused(path, "nothing tells its number of attention heads");
    e[2] = (Entry){"rel_pos_bias.relative_position_bias_table", 2, {52, 5}};
    write_zeros(path, e, 3);
    VitConfig c;
    assert_int_equal(import_network(&c, path), 0);
    assert_int_equal(c.heads, 5);
}

/* Positions in another order than SimMIM's would be silently wrong; the old form has no CRC, so one
 * number of the index can be changed in place. */
static void test_other_index(void **state) {
    (void)state;
    const int64_t row[] = {51, 49, 49}; /* of cls, in a grid of 4 x 4 */
    const char *path = fixture_path("index.pth");
    char *bytes;
    size_t n;
    assert_int_equal(
        file_read(SOURCE_DIR "/tests/reference/simmim_legacy.pth", 1 << 20, &bytes, &n), 0);
    char *at = memmem(bytes, n, row, sizeof row);
    assert_non_null(at);
    at[0] = 50;
    fixture_write(path, bytes, n);
    mem_free(bytes);
    expect_network_refused(path,
                           "token 0 looks at token 0 by row 50 of the table, expected row 51");
}

/* A name that a terminal would obey, in the form without CRC. */
static void test_control_characters(void **state) {
    (void)state;
    const char *path = fixture_path("screen.pth");
    char *bytes;
    size_t n;
    assert_int_equal(
        file_read(SOURCE_DIR "/tests/reference/simmim_legacy.pth", 1 << 20, &bytes, &n), 0);
    char *at = memmem(bytes, n, "encoder.norm.bias", strlen("encoder.norm.bias"));
    assert_non_null(at);
    memcpy(at + 3, "\x1b[2J", 4);
    fixture_write(path, bytes, n);
    mem_free(bytes);
    expect_network_refused(path, "name has a control character at byte 10");
    assert_null(strchr(err_text(), '\x1b'));
}

static void test_not_finite(void **state) {
    (void)state;
    const char *path = fixture_path("nan.safetensors");
    const float row[16] = {0, 1, NAN};
    SafeWriter *w = NULL;
    static const float zeros[48 * 16];
    assert_int_equal(safe_writer_open(&w), 0);
    safe_writer_add(w, "blocks.0.attn.qkv.weight", 2, (const int64_t[]){48, 16}, zeros);
    safe_writer_add(w, "patch_embed.proj.weight", 4, (const int64_t[]){16, 3, 4, 4}, zeros);
    safe_writer_add(w, "pos_embed", 3, (const int64_t[]){1, 17, 16}, zeros);
    safe_writer_add(w, "norm.weight", 1, (const int64_t[]){16}, row);
    assert_int_equal(safe_writer_save(&w, path), 0);
    ImportReport r;
    assert_int_equal(import_weights(path, fixture_path("n.safetensors"), &r), ERR_FAIL);
    assert_non_null(strstr(err_text(), "norm.weight holds a value that is not finite at 2"));
    import_report_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_network_of_ours),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_other_transformers),
        cmocka_unit_test(test_no_weights_at_all),
        cmocka_unit_test(test_misshaped),
        cmocka_unit_test(test_other_index),
        cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_not_widened),
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_control_characters),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
