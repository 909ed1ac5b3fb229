#include "app/load_init.h"

#include "base/log.h"
#include "model/import.h"

static void tell_names(const char *what, const ImportList *names) {
    enum { SHOWN = 4 };
    for (int i = 0; i < names->count && i < SHOWN; i++)
        log_info("          %s %s", what, names->item[i]);
    if (names->count > SHOWN)
        log_info("          and %d more %s", names->count - SHOWN, what);
}

int load_init(Vit *v, const char *path) {
    ImportReport r = {0};
    int code = import_init(v, path, &r);
    if (!code) {
        log_info("init      %s (%s): %d weights loaded, %d drawn%s", path,
                 r.family ? r.family : "of unknown origin", r.matched.count, r.missing.count,
                 r.fc_norm ? "; its norm is that of the mean of tokens" : "");
        if (r.heads_guessed)
            log_warn(
                "nothing in %s tells how many heads it had; %lld is what most networks of width "
                "%lld have, --heads sets another number",
                path, (long long)r.network.heads, (long long)r.network.width);
        tell_names("drawn", &r.missing);
        tell_names("fitted", &r.adapted);
        tell_names("ignored", &r.unexpected);
    }
    import_report_free(&r);
    return code;
}
